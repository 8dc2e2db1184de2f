import { assertEquals } from "@std/assert";
import { boundariesOf, clustersOf, widthOf } from "../../../client/screen/clusters.ts";

const WIDTHS = [
  { what: "ASCII", text: "plain text", width: 10 },
  { what: "nothing", text: "", width: 0 },
  { what: "Han", text: "明天的会议", width: 10 },
  { what: "Han with Latin", text: "ab会c", width: 5 },
  { what: "kana", text: "ひらカナ", width: 8 },
  { what: "half-width kana", text: "ｶﾅ", width: 2 },
  { what: "composed Hangul", text: "한글", width: 4 },
  { what: "Hangul letters that are joined", text: "\u1112\u1161\u11ab", width: 2 },
  { what: "full-width forms", text: "ＡＢ！", width: 6 },
  { what: "CJK punctuation", text: "「」。", width: 6 },
  { what: "rare Han", text: "𠮷", width: 2 },
  { what: "Latin with marks", text: "e\u0301a\u0308", width: 2 },
  { what: "Thai", text: "ที่", width: 1 },
  { what: "an emoji", text: "🎉", width: 2 },
  { what: "a skin tone", text: "👍🏽", width: 2 },
  { what: "a family that is joined", text: "👨‍👩‍👧‍👦", width: 2 },
  { what: "a profession", text: "👩🏽‍🚀", width: 2 },
  { what: "a rainbow flag", text: "🏳️‍🌈", width: 2 },
  { what: "a flag of two letters", text: "🇨🇳", width: 2 },
  { what: "a flag of tags", text: "🏴󠁧󠁢󠁥󠁮󠁧󠁿", width: 2 },
  { what: "a keycap", text: "1️⃣", width: 2 },
  { what: "a heart as an emoji", text: "❤️", width: 2 },
  { what: "a heart as text", text: "❤", width: 1 },
  { what: "box drawing", text: "│─", width: 2 },
  { what: "a lone mark", text: "\u0301", width: 1 },
  { what: "a zero-width space", text: "a\u200bb", width: "a\\u{200b}b".length },
  { what: "an escape sequence", text: "\x1b[31m", width: "\\x1b[31m".length },
  { what: "a right-to-left override", text: "\u202e", width: "\\u{202e}".length },
] as const;

Deno.test.each(WIDTHS)("widthOf() of $what", { permissions: "none" }, ({ text, width }) => {
  assertEquals(widthOf(text), width);
});

Deno.test("clustersOf() writes out what drives terminals", { permissions: "none" }, () => {
  const shown = clustersOf("a\x1b]0;x\x07\n\u009b\u202e").map(({ text }) => text).join("");
  assertEquals(shown, "a\\x1b]0;x\\x07\\x0a\\x9b\\u{202e}");
  assertEquals(clustersOf("\u200da\u200d").map(({ text }) => text).join(""), "\\u{200d}a");
});

Deno.test(
  "clustersOf() keeps a bounded number of marks on a letter",
  { permissions: "none" },
  () => {
    const text = (marks: number) => `e${"\u0301".repeat(marks)}`;
    assertEquals(clustersOf(text(31)), [{ text: text(31), width: 1 }]);
    assertEquals(clustersOf(text(32)), [{ text: text(31), width: 1 }]);
    assertEquals(clustersOf(text(5000)), [{ text: text(31), width: 1 }]);
  },
);

Deno.test("boundariesOf() finds what people call characters", { permissions: "none" }, () => {
  assertEquals(boundariesOf("ab"), [0, 1, 2]);
  assertEquals(boundariesOf("a👨‍👩‍👧‍👦e\u0301"), [0, 1, 12, 14]);
  assertEquals(boundariesOf(""), [0]);
});
