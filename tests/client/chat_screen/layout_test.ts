import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { cutEnd, wrapClusters } from "../../../client/chat_screen/layout.ts";
import { clustersOf, widthOf } from "../../../client/screen/clusters.ts";

const pure = { permissions: "none" } as const;

/** Lines of a text, without spaces at their ends. */
function wrap(text: string, width: number): string[] {
  return wrapClusters(clustersOf(text), width)
    .map((line) => line.map((cluster) => cluster.text).join("").trimEnd());
}

const TEXTS = [
  { text: "", width: 5, lines: [""] },
  { text: "12345", width: 5, lines: ["12345"] },
  { text: "123456", width: 5, lines: ["12345", "6"] },
  { text: "one two", width: 7, lines: ["one two"] },
  { text: "one two", width: 6, lines: ["one", "two"] },
  { text: "one two", width: 3, lines: ["one", "two"] },
  { text: "会议改到三点", width: 5, lines: ["会议", "改到", "三点"] },
  { text: "in 会议 today", width: 7, lines: ["in 会议", "today"] },
  { text: "ab会议", width: 5, lines: ["ab会", "议"] },
  { text: "a👨‍👩‍👧b🎉", width: 3, lines: ["a👨‍👩‍👧", "b🎉"] },
] as const;

Deno.test.each(TEXTS)("wrapClusters() breaks $text at $width", pure, ({ text, width, lines }) => {
  assertEquals(wrap(text, width), [...lines]);
});

Deno.test("wrapClusters() loses nothing, and no line is too wide", () => {
  const text = fc.array(fc.constantFrom("a", "word", " ", "  ", "会", "🎉", "é", "-"), {
    maxLength: 30,
  }).map((parts) => parts.join(""));
  fc.assert(fc.property(text, fc.integer({ min: 2, max: 12 }), (text, width) => {
    const lines = wrapClusters(clustersOf(text), width)
      .map((line) => line.map((cluster) => cluster.text).join(""));
    assertEquals(lines.join(""), text);
    for (const line of lines) assertEquals(widthOf(line.trimEnd()) <= width, true, line);
  }));
});

Deno.test("cutEnd() says that something is missing, within the width", pure, () => {
  assertEquals(cutEnd("12345", 5), "12345");
  assertEquals(cutEnd("123456", 5), "1234…");
  assertEquals(cutEnd("会议会议", 6), "会议…");
  assertEquals(cutEnd("会议会议", 8), "会议会议");
});
