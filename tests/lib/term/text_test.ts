import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import {
  cutMiddle,
  padEnd,
  padStart,
  safeText,
  textWidth,
  wrapText,
} from "../../../lib/term/text.ts";

Deno.test("safeText() leaves names alone", { permissions: "none" }, () => {
  for (const name of ["big.iso", "Übung 1", "写真", "👩‍👩‍👧", "a\\b", ""]) {
    assertEquals(safeText(name), name);
  }
});

Deno.test("safeText() shows what could drive the terminal", { permissions: "none" }, () => {
  const cases: [string, string][] = [
    ["a\x1b[2Jb", "a\\x1b[2Jb"],
    ["a\rb\nc\td\0", "a\\x0db\\x0ac\\x09d\\x00"],
    ["\x7f\x9b31m", "\\x7f\\x9b31m"],
    ["\x1b]0;title\x07", "\\x1b]0;title\\x07"],
    ["gpj\u202eexe", "gpj\\u{202e}exe"],
    ["\u2066\u2069\u200e\u200f\u061c", "\\u{2066}\\u{2069}\\u{200e}\\u{200f}\\u{61c}"],
    ["\u2028\u2029", "\\u{2028}\\u{2029}"],
    ["\ud800x", "\\u{d800}x"],
  ];
  for (const [text, shown] of cases) assertEquals(safeText(text), shown);
});

Deno.test(
  "safeText() lets no control character through, whatever comes",
  { permissions: "none" },
  () => {
    const anything = fc.string({ unit: "binary", maxLength: 40 });
    fc.assert(
      fc.property(anything, (text) => {
        const shown = safeText(text);
        for (const character of shown) {
          const code = character.codePointAt(0) ?? 0;
          assert(code >= 0x20 && !(code >= 0x7f && code < 0xa0), `U+${code.toString(16)}`);
          assert(!(code >= 0x2028 && code <= 0x202e) && !(code >= 0x2066 && code <= 0x2069));
          assert(!(code >= 0xd800 && code <= 0xdfff));
        }
        assertEquals(safeText(shown), shown);
      }),
      { numRuns: 2000 },
    );
  },
);

Deno.test(
  "textWidth() counts wide characters twice and marks not at all",
  { permissions: "none" },
  () => {
    assertEquals([textWidth("abc"), textWidth("写真"), textWidth("e\u0301"), textWidth("😀")], [
      3,
      4,
      1,
      2,
    ]);
  },
);

Deno.test("padEnd() and padStart() fill columns, not characters", { permissions: "none" }, () => {
  assertEquals([padEnd("写", 4), padStart("写", 4), padEnd("abc", 2)], ["写  ", "  写", "abc"]);
});

Deno.test("cutMiddle() keeps both ends", { permissions: "none" }, () => {
  assertEquals(cutMiddle("holiday-pictures.tar.gz", 11), "holid\u2026ar.gz");
  assertEquals(cutMiddle("short", 5), "short");
  assertEquals(cutMiddle("short", 4), "sh\u2026t");
  assertEquals([cutMiddle("short", 1), cutMiddle("short", 0)], ["\u2026", ""]);
  assertEquals(cutMiddle("写写写写", 6), "写\u2026写");
});

Deno.test("cutMiddle() never exceeds the width", { permissions: "none" }, () => {
  const text = fc.string({ unit: "grapheme", maxLength: 60 });
  fc.assert(fc.property(text, fc.nat(40), (text, width) => {
    assertLessOrEqual(textWidth(cutMiddle(safeText(text), width)), width);
  }));
});

Deno.test("wrapText() breaks at spaces", { permissions: "none" }, () => {
  assertEquals(wrapText("one two three", 7), ["one two", "three"]);
  assertEquals(wrapText("one two", 6), ["one", "two"]);
  assertEquals(wrapText("incomprehensible word", 5), ["incomprehensible", "word"]);
  assertEquals(wrapText("a\n\nb", 5), ["a", "", "b"]);
});
