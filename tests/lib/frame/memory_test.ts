import { assert, assertEquals } from "@std/assert";
import {
  giveBackMemory,
  MEMORY_MAX_BYTES,
  MEMORY_MIN_BYTES,
  MEMORY_SPARES_MAX,
  takeMemory,
} from "../../../lib/frame/memory.ts";

Deno.test("takeMemory() gives large memory that was given back, each piece to one only", () => {
  const pieces = Array.from({ length: MEMORY_SPARES_MAX + 1 }, () => takeMemory(MEMORY_MAX_BYTES));
  assertEquals(new Set(pieces.map(({ buffer }) => buffer)).size, pieces.length);
  for (const piece of pieces) giveBackMemory(piece);
  const given = new Set<ArrayBufferLike>(pieces.map(({ buffer }) => buffer));
  const again = pieces.map(() => takeMemory(MEMORY_MIN_BYTES));
  assertEquals(again.map(({ length }) => length), pieces.map(() => MEMORY_MIN_BYTES));
  assertEquals(new Set(again.map(({ buffer }) => buffer)).size, pieces.length);
  // One more than are kept was given back.
  const kept = again.filter(({ buffer }) => given.has(buffer));
  assertEquals(kept.length, MEMORY_SPARES_MAX);
});

Deno.test("takeMemory() gives memory of its own below and above what is kept", () => {
  for (const length of [0, MEMORY_MIN_BYTES - 1, MEMORY_MAX_BYTES + 1]) {
    const bytes = takeMemory(length);
    assertEquals([bytes.length, bytes.buffer.byteLength], [length, length]);
    giveBackMemory(bytes);
    assert(takeMemory(length).buffer !== bytes.buffer);
  }
});
