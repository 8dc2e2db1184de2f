import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { TrivetError } from "../../../lib/errors.ts";
import { escapeRest, quoteWord, scanLine, splitWords } from "../../../lib/term/words.ts";

const LINES: readonly (readonly [line: string, words: readonly string[]])[] = [
  ["", []],
  ["  \t ", []],
  ["# all of it", []],
  ["ls -l photos", ["ls", "-l", "photos"]],
  ["  put   a  b ", ["put", "a", "b"]],
  ["get 'two words' x", ["get", "two words", "x"]],
  ['get "two words"', ["get", "two words"]],
  ["get two\\ words", ["get", "two words"]],
  [`a'b "c'"d e"`, [`ab "cd e`]],
  [`"a \\" b \\\\ c \\d"`, ['a " b \\ c \\d']],
  ["'a\\b'", ["a\\b"]],
  ["\\#no \\'", ["#no", "'"]],
  ["a#b # c", ["a#b"]],
  ["'' x", ["", "x"]],
  ['""', [""]],
  ["日本語 👍🏽", ["日本語", "👍🏽"]],
];

for (const [line, words] of LINES) {
  Deno.test(`splitWords() reads ${JSON.stringify(line)}`, { permissions: "none" }, () => {
    assertEquals(splitWords(line), words);
  });
}

for (const line of ["a 'b", 'a "b', "a \\", 'a "b\\']) {
  Deno.test(`splitWords() refuses ${JSON.stringify(line)}`, { permissions: "none" }, () => {
    assertEquals(assertThrows(() => splitWords(line), TrivetError).code, "USAGE");
  });
}

Deno.test("splitWords() reads back what quoteWord() writes", { permissions: "none" }, () => {
  fc.assert(fc.property(fc.array(fc.string({ unit: "grapheme" })), (words) => {
    assertEquals(splitWords(words.map(quoteWord).join(" ")), words);
  }));
});

Deno.test("escapeRest() goes on with a word that scanLine() left open", {
  permissions: "none",
}, () => {
  const start = fc.constantFrom("", "a", "'a", '"a', "x 'b c'", "\\ ");
  fc.assert(fc.property(start, fc.string({ unit: "grapheme" }), (line, rest) => {
    const open = scanLine(line).open ?? { text: "", quote: undefined, raw: "" };
    const whole = line + escapeRest(rest, open.quote) + (open.quote ?? "");
    if (open.raw + rest === "") return;
    assertEquals(splitWords(whole).at(-1), open.text + rest);
  }));
});

Deno.test("scanLine() tells the word at the end of a line", { permissions: "none" }, () => {
  assertEquals(scanLine("ls "), {
    words: ["ls"],
    open: { raw: "", text: "", quote: undefined },
    endsEscaped: false,
  });
  assertEquals(scanLine('get "My F').open, { raw: '"My F', text: "My F", quote: '"' });
  assertEquals(scanLine("ls # x").open, undefined);
});
