/** docs/time.md says what strftime does. */

import { assert, assertEquals } from "@std/assert";
import { FIELD_WIDTH_MAX, strftime, TEXT_MAX_BYTES } from "../../../lib/clock/strftime.ts";
import { parseFormat } from "../../../lib/clock/strftime_parse.ts";
import { codeOf, readPage, sectionOf, tablesOf } from "../../docs/page.ts";
import { SPECIFIERS } from "./strftime_formats.ts";

const FORMATS = sectionOf(await readPage("docs/time.md"), "## Formats");
const DIFFERENCES = sectionOf(await readPage("docs/time.md"), "## Differences from GNU date");

function example(format: string): string {
  return strftime(format, 1_709_478_306_123_456_789n, { zone: "Europe/Paris" });
}

function isConversion(format: string): boolean {
  const parts = parseFormat(format);
  return parts.every((part) => typeof part !== "string" && part.specifier !== "");
}

Deno.test("docs/time.md lists every conversion with an example that is right", () => {
  const [rows = []] = tablesOf(FORMATS);
  const conversions = rows.map(([conversion]) => codeOf(conversion));
  const wanted = [...SPECIFIERS.map((letter) => `%${letter}`), "%:z", "%::z", "%:::z"];
  assertEquals([...conversions].sort(), wanted.sort());
  for (const [conversion, , text] of rows) {
    // Code spans of a table have no spaces at their ends.
    assertEquals(codeOf(text), example(codeOf(conversion)).trim(), conversion);
  }
});

Deno.test("docs/time.md has examples of flags and modifiers that are right", () => {
  for (const heading of ["### Flags", "### E and O"]) {
    const [rows = []] = tablesOf(sectionOf(FORMATS, heading));
    assert(rows.length > 1);
    for (const row of rows) assertEquals(codeOf(row[3]), example(codeOf(row[2])), row[2]);
  }
});

Deno.test("docs/time.md names the letters that take E and O", () => {
  const [rows = []] = tablesOf(sectionOf(FORMATS, "### E and O"));
  for (const [modifier, letters = ""] of rows) {
    const named = [...letters.matchAll(/`([^`]+)`/g)].flatMap(([, list = ""]) => list.split(" "));
    const taken = SPECIFIERS.filter((letter) => isConversion(`%${codeOf(modifier)}${letter}`));
    assertEquals(named.sort(), [...taken].sort(), modifier);
  }
});

Deno.test("docs/time.md gives the limits as they are", () => {
  const [rows = []] = tablesOf(sectionOf(FORMATS, "### Limits"));
  const numbers = rows.map((row) => Number(/^\d+/.exec(row[1] ?? "")?.[0]));
  assertEquals(numbers, [FIELD_WIDTH_MAX, TEXT_MAX_BYTES]);
});

Deno.test("docs/time.md has words of other languages that are right", () => {
  const [, rows = []] = tablesOf(DIFFERENCES);
  const write = (format: string, day: string, locale: string) =>
    strftime(format, BigInt(Date.parse(day)) * 1_000_000n, { locale });
  const texts = rows.map((row) => codeOf(row[1]));
  assertEquals(texts.slice(0, 5), [
    write("%a", "2023-03-11", "zh-CN"),
    write("%b", "2023-04-11", "fr-FR"),
    write("%p", "2023-03-11", "de-DE"),
    write("%^B", "2023-03-11", "de-DE"),
    write("%x", "2023-03-11", "zh-CN"),
  ]);
});
