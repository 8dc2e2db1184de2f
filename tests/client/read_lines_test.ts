import { assertEquals, assertRejects } from "@std/assert";
import { readLines } from "../../client/commands/read_lines.ts";
import { TrivetError } from "../../lib/errors.ts";
import { FakeInput } from "../lib/term/fakes.ts";

const { signal } = new AbortController();

function read(...chunks: (string | Uint8Array)[]): Promise<string[]> {
  return Array.fromAsync(readLines(new FakeInput([...chunks, null], false), signal));
}

Deno.test("readLines() gives the same lines for every split of the input", {
  permissions: "none",
}, async () => {
  const lines = ["1", "", "äö 时间", "last"];
  for (const end of ["", "\n"]) {
    const bytes = new TextEncoder().encode(lines.join("\n") + end);
    for (let at = 0; at <= bytes.length; at++) {
      assertEquals(await read(bytes.subarray(0, at), bytes.subarray(at)), lines);
    }
    assertEquals(await read(...Array.from(bytes, (byte) => Uint8Array.of(byte))), lines);
  }
  assertEquals(await read(), []);
  assertEquals(await read("\n"), [""]);
});

Deno.test("readLines() is bounded", { permissions: "none" }, async () => {
  const longest = "x".repeat(4096);
  assertEquals(await read(`1\n${longest}\n`), ["1", longest]);
  assertEquals(await read(`1\n${longest}`), ["1", longest]);
  const message = "Line 2 of stdin is too long: the limit is 4096 bytes";
  await assertRejects(() => read(`1\n${longest}x\n`), TrivetError, message);
  await assertRejects(() => read(`1\n${longest}x`), TrivetError, message);
});

Deno.test("readLines() gives lines as they come, and up with its signal", {
  permissions: "none",
}, async () => {
  const controller = new AbortController();
  const input = new FakeInput(["1\n2"], false);
  const lines = readLines(input, controller.signal);
  assertEquals(await lines.next(), { value: "1", done: false });
  const waiting = lines.next();
  await input.waiting.promise;
  controller.abort(new TrivetError("INTERRUPTED", "Interrupted"));
  await assertRejects(() => waiting, TrivetError, "Interrupted");
});
