import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { TrivetError } from "../../../lib/errors.ts";
import { CHUNKS_MAX } from "../../../lib/transfer/chunks.ts";
import { createDigester, digestOf } from "../../../lib/transfer/digest.ts";
import { ChunkJournal, JOURNAL_RECORD_BYTES } from "../../../lib/transfer/journal.ts";
import { patternBytes } from "./memory.ts";

const none = { permissions: "none" } as const;
const digestFor = (index: number): Uint8Array<ArrayBuffer> => patternBytes(16, index + 1);

function journalOf(indices: Iterable<number>): ChunkJournal {
  const journal = new ChunkJournal();
  for (const index of indices) journal.set(index, digestFor(index));
  return journal;
}

Deno.test("ChunkJournal behaves like a map from number to digest", none, () => {
  const step = fc.record({ isDelete: fc.boolean(), index: fc.nat(300), seed: fc.nat() });
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const journal = new ChunkJournal();
    const model = new Map<number, Uint8Array>();
    for (const { isDelete, index, seed } of steps) {
      if (isDelete) {
        journal.delete(index);
        model.delete(index);
      } else {
        journal.set(index, patternBytes(20, seed), 4);
        model.set(index, patternBytes(20, seed).subarray(4));
      }
    }
    const sorted = [...model.keys()].toSorted((a, b) => a - b);
    assertEquals(journal.count, model.size);
    assertEquals([...journal.indices()], sorted);
    for (const [index, digest] of model) {
      assertEquals(journal.get(index), digest);
      assert(journal.matches(index, digest));
      assert(!journal.matches(index, patternBytes(16, 99_999_999)));
    }
    const missing = [...journal.missing(301)];
    assertEquals(missing.length, 301 - model.size);
    assert(missing.every((index) => !model.has(index) && journal.get(index) === undefined));
  }));
});

Deno.test("ChunkJournal.set() takes the last chunk number and refuses the next", none, () => {
  const journal = new ChunkJournal();
  journal.set(CHUNKS_MAX - 1, digestFor(0));
  assertEquals(journal.end, CHUNKS_MAX);
  for (const bad of [CHUNKS_MAX, -1, 0.5, Number.NaN]) {
    assertThrows(() => journal.set(bad, digestFor(0)), RangeError);
  }
  const small = new ChunkJournal({ chunksMax: 3 });
  small.set(2, digestFor(2));
  assertThrows(() => small.set(3, digestFor(3)), RangeError);
});

Deno.test("ChunkJournal.set() refuses a digest that is too short", none, () => {
  assertThrows(() => new ChunkJournal().set(0, new Uint8Array(15)), RangeError);
  assertThrows(() => new ChunkJournal().set(0, new Uint8Array(17), 2), RangeError);
});

Deno.test("ChunkJournal.get() gives a copy", none, () => {
  const journal = journalOf([0]);
  journal.get(0)?.fill(0);
  assertEquals(journal.get(0), digestFor(0));
});

Deno.test("ChunkJournal.truncate() drops the chunks behind a smaller file's end", none, () => {
  const journal = journalOf([0, 4, 5, 9]);
  journal.truncate(5);
  assertEquals([...journal.indices()], [0, 4]);
  assertEquals(journal.count, 2);
  assertEquals(journal.end, 5);
  journal.truncate(7);
  assertEquals(journal.end, 5);
});

Deno.test("ChunkJournal.heldBytes() counts the last chunk as short as it is", none, () => {
  const journal = journalOf([0, 2]);
  assertEquals(journal.heldBytes(25, 10), 15);
  assertEquals(journal.heldBytes(30, 10), 20);
  assertEquals(journal.heldBytes(20, 10), 10);
  assertEquals(journal.heldBytes(undefined, 10), 20);
});

Deno.test("ChunkJournal.isComplete() wants every chunk", none, () => {
  assert(new ChunkJournal().isComplete(0));
  assert(journalOf([0, 1, 2]).isComplete(3));
  assert(!journalOf([0, 2]).isComplete(3));
  assert(!journalOf([0, 1, 2]).isComplete(4));
});

Deno.test("ChunkJournal.records() and addRecords() carry a journal in pages", none, () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(500)), fc.integer({ min: 1, max: 40 }), (indices, max) => {
      const journal = journalOf(indices);
      const copy = new ChunkJournal();
      let pages = 0;
      for (let from = 0; copy.count < journal.count; pages++) {
        const page = journal.records(from, max);
        assert(page.length <= max * JOURNAL_RECORD_BYTES);
        from = copy.addRecords(page);
      }
      assertEquals(pages, Math.ceil(indices.length / max));
      assertEquals([...copy.indices()], [...journal.indices()]);
      for (const index of indices) assertEquals(copy.get(index), journal.get(index));
      assertEquals(journal.records(501, max).length, 0);
    }),
  );
});

Deno.test("ChunkJournal.records() has the documented layout", none, () => {
  const page = journalOf([0x102]).records(0, 10);
  assertEquals(page, Uint8Array.of(0, 0, 1, 2, ...digestFor(0x102)));
});

Deno.test("ChunkJournal.addRecords() refuses what is no page", none, () => {
  const page = journalOf([3, 5]).records(0, 10);
  const swapped = Uint8Array.of(...page.subarray(20), ...page.subarray(0, 20));
  const twice = Uint8Array.of(...page.subarray(0, 20), ...page.subarray(0, 20));
  for (const bad of [page.subarray(1), page.subarray(0, 39), swapped, twice]) {
    const error = assertThrows(() => ChunkJournal.fromRecords(bad), TrivetError);
    assertEquals(error.code, "PROTOCOL_ERROR");
  }
  assertEquals(ChunkJournal.fromRecords(page, { chunksMax: 6 }).count, 2);
  assertThrows(() => ChunkJournal.fromRecords(page, { chunksMax: 5 }), TrivetError);
});

Deno.test("ChunkJournal.digestAll() is the digest of the digests in order", none, async () => {
  const digester = await createDigester();
  const all = Uint8Array.of(...digestFor(0), ...digestFor(1), ...digestFor(2));
  assertEquals(journalOf([2, 0, 1]).digestAll(digester, 3), digestOf(digester, all));
  assertEquals(
    new ChunkJournal().digestAll(digester, 0),
    digestOf(digester, new Uint8Array(0)),
  );
  assertThrows(() => journalOf([0, 2]).digestAll(digester, 3), RangeError, "chunk 1");
});
