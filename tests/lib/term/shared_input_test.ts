import { assertEquals } from "@std/assert";
import type { PromptInput } from "../../../lib/term/prompt.ts";
import { SharedInput } from "../../../lib/term/shared_input.ts";
import { FakeInput } from "./fakes.ts";

/** What one read brings. */
async function readFrom(input: PromptInput, size = 16): Promise<string | null> {
  const buffer = new Uint8Array(size);
  const length = await input.read(buffer);
  return length === null ? null : new TextDecoder().decode(buffer.subarray(0, length));
}

Deno.test("SharedInput.read() gives what a given-up read brings to the next reader", async () => {
  const key = Promise.withResolvers<string>();
  const keyboard = new FakeInput([]);
  let reads = 0;
  keyboard.read = async (buffer) => {
    reads += 1;
    const bytes = new TextEncoder().encode(await key.promise);
    buffer.set(bytes);
    return bytes.length;
  };
  const shared = new SharedInput(keyboard);
  const givenUp = readFrom(shared);
  const next = readFrom(shared);
  key.resolve("ls\r");
  assertEquals(await next, "ls\r");
  assertEquals(await givenUp, "");
  assertEquals(reads, 1);
});

Deno.test("SharedInput.read() loses nothing that is larger than the reader's buffer", async () => {
  const shared = new SharedInput(new FakeInput(["abcde", "f", null]));
  const found = [];
  for (let index = 0; index < 5; index++) found.push(await readFrom(shared, 2));
  assertEquals(found, ["ab", "cd", "e", "f", null]);
});

Deno.test("SharedInput passes on what the terminal is and how it is set", () => {
  const keyboard = new FakeInput([]);
  const shared = new SharedInput(keyboard);
  shared.setRaw(true);
  assertEquals([shared.isTerminal(), keyboard.raw], [true, [true]]);
});
