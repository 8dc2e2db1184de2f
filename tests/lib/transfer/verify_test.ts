import { assert, assertEquals } from "@std/assert";
import { createDigester, digestOf } from "../../../lib/transfer/digest.ts";
import { ChunkJournal } from "../../../lib/transfer/journal.ts";
import { verifyAllChunks, verifyChunks } from "../../../lib/transfer/verify.ts";
import { MemorySource, patternBytes } from "./memory.ts";

const none = { permissions: "none" } as const;
const CHUNK = 10;
const SIZE = 45;
const digester = await createDigester();

function journalOf(file: Uint8Array, indices: readonly number[]): ChunkJournal {
  const journal = new ChunkJournal();
  for (const index of indices) {
    journal.set(index, digestOf(digester, file.subarray(index * CHUNK, (index + 1) * CHUNK)));
  }
  return journal;
}

const ALL = [0, 1, 2, 3, 4];
const LIMITS = { size: SIZE, chunkBytes: CHUNK, digester };

Deno.test("verifyChunks() finds a flipped bit in each byte", none, () => {
  const file = patternBytes(SIZE);
  for (let at = 0; at < SIZE; at++) {
    const journal = journalOf(file, ALL);
    const damaged = file.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 0x10;
    const steps = verifyChunks({
      ...LIMITS,
      source: new MemorySource(damaged),
      journal,
      sliceBytes: 4,
    });
    let bytes = 0;
    let step = steps.next();
    for (; step.done !== true; step = steps.next()) {
      assert(step.value <= 4);
      bytes += step.value;
    }
    assertEquals(bytes, SIZE);
    assertEquals(step.value, [Math.floor(at / CHUNK)]);
    assertEquals([...journal.indices()], ALL.filter((index) => index !== Math.floor(at / CHUNK)));
  }
});

Deno.test("verifyChunks() reads only what the journal claims", none, async () => {
  const file = patternBytes(SIZE);
  const source = new MemorySource(file);
  assertEquals(await verifyAllChunks({ ...LIMITS, source, journal: journalOf(file, [1, 4]) }), []);
  assertEquals(source.reads, 2);
});

Deno.test("verifyChunks() drops chunks that a cut partial has lost", none, async () => {
  const file = patternBytes(SIZE);
  for (const [length, damaged] of [[44, [4]], [40, [4]], [15, [1, 2, 3, 4]], [0, ALL]] as const) {
    const journal = journalOf(file, ALL);
    const source = new MemorySource(file.subarray(0, length), 3);
    assertEquals(await verifyAllChunks({ ...LIMITS, source, journal }), [...damaged]);
    assertEquals(journal.count, 5 - damaged.length);
  }
});

Deno.test("verifyChunks() drops chunks behind a size that has shrunk", none, async () => {
  const file = patternBytes(SIZE);
  const journal = journalOf(file, ALL);
  const source = new MemorySource(file);
  assertEquals(await verifyAllChunks({ ...LIMITS, size: 28, source, journal }), [2, 3, 4]);
});

Deno.test("verifyChunks() drops a last chunk that was short in a smaller file", none, async () => {
  const small = patternBytes(25);
  const journal = journalOf(small, [0, 1, 2]);
  const source = new MemorySource(small);
  assertEquals(await verifyAllChunks({ ...LIMITS, source, journal }), [2]);
});

Deno.test("verifyChunks() drops a chunk behind the end that claims to be empty", none, async () => {
  const file = patternBytes(SIZE);
  const journal = journalOf(file, [4, 5]);
  const source = new MemorySource(file);
  assertEquals(await verifyAllChunks({ ...LIMITS, source, journal }), [5]);
});

Deno.test("verifyChunks() leaves alone what was overwritten meanwhile", none, () => {
  const file = patternBytes(SIZE);
  const journal = journalOf(file, ALL);
  const source = new MemorySource(new Uint8Array(SIZE));
  const steps = verifyChunks({ ...LIMITS, source, journal, sliceBytes: 4 });
  steps.next();
  const fresh = digestOf(digester, patternBytes(3));
  journal.set(0, fresh);
  journal.delete(1);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  assertEquals(step.value, [2, 3, 4]);
  assert(journal.matches(0, fresh));
  assertEquals([...journal.indices()], [0]);
});

Deno.test("verifyAllChunks() tells all bytes", none, async () => {
  const file = patternBytes(SIZE);
  const told: number[] = [];
  const source = new MemorySource(file);
  await verifyAllChunks({ ...LIMITS, source, journal: journalOf(file, ALL) }, (n) => told.push(n));
  assertEquals(told, [SIZE]);
});
