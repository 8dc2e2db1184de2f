import { assertEquals, assertThrows } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { checkZone, numericAbbreviation, UTC, zoneWithoutRules } from "../../../lib/clock/zone.ts";

const permissions = "none";

Deno.test("checkZone() gives a name as the database writes it", { permissions }, () => {
  const cases = {
    "Europe/Paris": "Europe/Paris",
    "europe/paris": "Europe/Paris",
    "utc": "UTC",
    "Etc/GMT+5": "Etc/GMT+5",
    "America/Argentina/Buenos_Aires": "America/Argentina/Buenos_Aires",
    "+05:30": "+05:30",
    "-0300": "-03:00",
  };
  for (const [name, known] of Object.entries(cases)) assertEquals(checkZone(name), known);
});

Deno.test("checkZone() refuses everything else, paths above all", { permissions }, () => {
  const names = [
    "",
    "Mars/Olympus",
    "../../etc/passwd",
    "Europe/../UTC",
    "/etc/localtime",
    "Europe/Paris\0",
    "Europe//Paris",
    "Europe\\Paris",
    "+25:00",
    "CET-1CEST,M3.5.0,M10.5.0/3",
    "posixrules",
    "localtime",
    "x".repeat(100_000),
  ];
  for (const name of names) {
    const error = assertThrows(() => checkZone(name), TrivetError, "Cannot use time zone");
    assertEquals(error.code, "USAGE");
  }
});

Deno.test("zoneWithoutRules() knows UTC and offsets", { permissions }, () => {
  assertEquals(zoneWithoutRules("UTC"), UTC);
  assertEquals(zoneWithoutRules("Europe/Paris"), undefined);
  for (
    const [name, seconds, abbreviation] of [["+05:30", 19_800, "+0530"], ["-03:00", -10_800, "-03"]]
  ) {
    const span = zoneWithoutRules(String(name))?.at(0);
    assertEquals([span?.offsetSeconds, span?.abbreviation], [seconds, abbreviation]);
    assertEquals([span?.from, span?.until], [-Infinity, Infinity]);
  }
});

Deno.test("numericAbbreviation() writes minutes only where there are some", { permissions }, () => {
  const offsets = [0, 3600, -3600, 19_800, -12_600, 45_900];
  assertEquals(offsets.map(numericAbbreviation), ["+00", "+01", "-01", "+0530", "-0330", "+1245"]);
});
