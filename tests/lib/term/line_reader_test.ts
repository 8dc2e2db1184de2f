import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Completer, LineReader } from "../../../lib/term/line_reader.ts";
import { FakeInput, FakeSink } from "./fakes.ts";

/** Types chunks, and reads lines until there is none. */
async function type(
  chunks: readonly (string | null)[],
  options: { readonly history?: readonly string[]; readonly complete?: Completer } = {},
): Promise<{ lines: string[]; screen: string; raw: boolean[] }> {
  const [input, sink] = [new FakeInput(chunks), new FakeSink({ isTerminal: true })];
  using reader = new LineReader({ input, sink, columns: () => 40, ...options });
  const lines: string[] = [];
  for (let line = await reader.read("> "); line !== undefined; line = await reader.read("> ")) {
    lines.push(line);
  }
  return { lines, screen: sink.text, raw: input.raw };
}

const TYPED: readonly (readonly [name: string, typed: string, line: string])[] = [
  ["what was typed", "ls -l", "ls -l"],
  ["wide characters", "日本語 👍", "日本語 👍"],
  ["what Backspace left", "abc\x7f日本\x7f", "ab日"],
  ["what was typed between others with the arrow keys", "ac\x1b[Db\x1b[Cd", "abcd"],
  ["what Home and End put around it", "b\x1b[Ha\x1b[Fc", "abc"],
  ["what Ctrl-A and Ctrl-E put around it", "b\x01a\x05c", "abc"],
  ["what Ctrl-K left", "abc\x01\x1b[C\x0b", "a"],
  ["what was typed after Ctrl-U", "abc\x15d", "d"],
  ["what Ctrl-W left", "abc def\x17", "abc "],
  ["what was typed after Ctrl-C", "abc\x03d", "d"],
  ["what was typed after Ctrl-Z", "a\x1ab", "ab"],
];

for (const [name, typed, line] of TYPED) {
  Deno.test(`LineReader.read() returns ${name}`, async () => {
    assertEquals((await type([`${typed}\r`, null])).lines, [line]);
  });
}

Deno.test("LineReader.read() takes a line cut at every byte", async () => {
  const bytes = new TextEncoder().encode("日\x1b[D本\r");
  const chunks = Array.from(bytes, (byte) => Uint8Array.of(byte));
  const input = new FakeInput([...chunks, null]);
  using reader = new LineReader({ input, sink: new FakeSink(), columns: () => 40 });
  assertEquals(await reader.read("> "), "本日");
});

Deno.test("LineReader.read() keeps each of several lines pasted at once", async () => {
  assertEquals((await type(["one\rtwo\rth", "ree\r", null])).lines, ["one", "two", "three"]);
});

Deno.test("LineReader.read() ends at Ctrl-D in an empty line only", async () => {
  assertEquals((await type(["ab\x1b[D\x04\r", "\x04"])).lines, ["a"]);
});

Deno.test("LineReader.read() shows the prompt and gives the terminal back", async () => {
  const { screen, raw } = await type(["x\r", null]);
  assertStringIncludes(screen, "> ");
  assertEquals(raw, [true, false, true, false]);
});

Deno.test("LineReader.read() finds earlier lines with the arrow keys", async () => {
  const history = ["newer", "older"];
  const chunks = ["\x1b[A\r", "\x1b[A\x1b[A\r", "x\r", "\x1b[A\x1b[A\x1b[B\r", null];
  assertEquals((await type(chunks, { history })).lines, ["newer", "older", "x", "x"]);
});

Deno.test("LineReader.read() completes at Tab", async () => {
  const complete = (line: string) =>
    Promise.resolve([["putter ", "getter"].filter((text) => text.startsWith(line)), line] as const);
  assertEquals((await type(["pu\t", "\r", null], { complete })).lines, ["putter "]);
  // Also when the next keys come before the answer.
  assertEquals((await type(["pu\tx\rg\ty\r", null], { complete })).lines, ["putter x", "gettery"]);
});

Deno.test("LineReader.read() leaves the line as it is where completion fails", async () => {
  const complete = () => Promise.reject(new TypeError("Planted"));
  assertEquals((await type(["pu\t", "\r", null], { complete })).lines, ["pu"]);
});
