/** Sender and receiver against each other: whatever happens on the way, the file arrives. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { FRAME_HEADER_BYTES } from "../../../lib/frame/frame.ts";
import { chunkCount, type ChunkRange, toRanges } from "../../../lib/transfer/chunks.ts";
import { createDigester, digestOf } from "../../../lib/transfer/digest.ts";
import { ChunkJournal } from "../../../lib/transfer/journal.ts";
import { ChunkReceiver } from "../../../lib/transfer/receiver.ts";
import { ChunkSender } from "../../../lib/transfer/sender.ts";
import { verifyAllChunks } from "../../../lib/transfer/verify.ts";
import { MemorySink, MemorySource, patternBytes, pumpStream } from "./memory.ts";

const none = { permissions: "none" } as const;
const RUNS = 400;
/** Behind the offset, which the checksum does not cover: a bit of the checksum or of the data. */
const HARM_AT = FRAME_HEADER_BYTES + 8;

const plan = fc.record({
  size: fc.nat(400),
  chunkBytes: fc.integer({ min: 1, max: 60 }),
  dataBytes: fc.integer({ min: 1, max: 60 }),
  readMax: fc.integer({ min: 1, max: 100 }),
  streamChunksMax: fc.integer({ min: 1, max: 20 }),
  isSizeKnown: fc.boolean(),
  isAsync: fc.boolean(),
  /** Chunks that the receiver holds, and bytes of its partial that are not the source's. */
  held: fc.array(fc.nat(400), { maxLength: 30 }),
  wrongBytes: fc.array(fc.nat(400), { maxLength: 4 }),
  damagedBytes: fc.array(fc.nat(400), { maxLength: 4 }),
  /** Number of the frame and the bit that is flipped in it. */
  flips: fc.array(fc.tuple(fc.nat(40), fc.nat(600)), { maxLength: 6 }),
});

type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never;

const flipByte = (bytes: Uint8Array, at: number): void => {
  if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ 0x40;
};

/** The receiver's side as an interrupted transfer of an older source left it, then damaged. */
async function partialOf(file: Uint8Array, p: Plan): Promise<[MemorySink, ChunkJournal]> {
  const digester = await createDigester();
  const sink = new MemorySink(p.isAsync);
  const journal = new ChunkJournal();
  if (!p.isSizeKnown) return [sink, journal];
  sink.bytes = file.slice();
  for (const at of p.wrongBytes) flipByte(sink.bytes, at);
  for (const index of p.held) {
    if (index >= chunkCount(p.size, p.chunkBytes)) continue;
    const chunk = sink.bytes.subarray(index * p.chunkBytes, (index + 1) * p.chunkBytes);
    journal.set(index, digestOf(digester, chunk));
  }
  for (const at of p.damagedBytes) flipByte(sink.bytes, at);
  return [sink, journal];
}

/** Chunks of the partial that are not the source's, or not in the journal: what must be sent. */
function differing(file: Uint8Array, sink: MemorySink, journal: ChunkJournal, p: Plan): number[] {
  const chunks: number[] = [];
  for (let index = 0; index < chunkCount(p.size, p.chunkBytes); index++) {
    const [from, to] = [index * p.chunkBytes, (index + 1) * p.chunkBytes];
    const isSame = file.subarray(from, to).every((byte, i) => byte === sink.bytes[from + i]);
    if (!isSame || !journal.has(index)) chunks.push(index);
  }
  return chunks;
}

async function transfer(p: Plan): Promise<void> {
  const file = patternBytes(p.size);
  const [sink, journal] = await partialOf(file, p);
  const sized = p.isSizeKnown ? { size: p.size } : {};
  const { chunkBytes } = p;
  const digester = await createDigester();
  if (p.isSizeKnown) {
    const source = new MemorySource(sink.bytes, p.readMax);
    await verifyAllChunks({ source, journal, size: p.size, chunkBytes, digester });
  }
  const mustSend = differing(file, sink, journal, p);
  const receiver = new ChunkReceiver({ sink, ...sized, chunkBytes, journal, digester });

  const local = new ChunkJournal();
  const source = new MemorySource(file, p.readMax);
  const base = {
    source,
    chunkBytes,
    requestId: 1,
    digester: await createDigester(),
    journal: local,
    dataBytes: p.dataBytes,
    streamChunksMax: p.streamChunksMax,
  };
  const skip = ChunkJournal.fromRecords(journal.records(0, 1000));
  let frames = 0;
  const harmed = new Set<number>();
  const harm = (frame: Uint8Array): void => {
    for (const [number, bit] of p.flips) {
      if (number !== frames) continue;
      const at = HARM_AT + (bit >>> 3) % (frame.length - HARM_AT);
      const [before, mask] = [frame[at] ?? 0, 1 << (bit & 7)];
      frame[at] = before ^ mask;
      harmed.add(new DataView(frame.buffer).getUint32(FRAME_HEADER_BYTES + 4));
    }
    frames += 1;
  };

  const sender = new ChunkSender({ ...base, ...sized, skip });
  let bad: number[] = [];
  while (await sender.hasNext()) {
    sender.beginStream(1);
    bad.push(...await pumpStream(sender, receiver, harm));
  }
  assertEquals(sender.sentChunks, mustSend.length);
  assertEquals(sender.verifiedBytes + sender.sentBytes, p.size);
  const harmedChunks = new Set([...harmed].map((offset) => Math.floor(offset / chunkBytes)));
  assert(bad.every((index) => harmedChunks.has(index)));

  for (let round = 0; bad.length > 0; round++) {
    assert(round < 40);
    const only: ChunkRange[] = toRanges(bad);
    const again = new ChunkSender({ ...base, size: p.size, only });
    const expected = bad.length;
    bad = [];
    while (await again.hasNext()) {
      again.beginStream(1);
      bad.push(...await pumpStream(again, receiver, harm));
    }
    assertEquals(again.sentChunks, expected);
  }
  const chunks = chunkCount(p.size, chunkBytes);
  assertEquals(sink.bytes, file);
  assert(journal.isComplete(chunks));
  assertEquals(journal.digestAll(digester, chunks), local.digestAll(digester, chunks));
}

Deno.test("ChunkSender and ChunkReceiver carry any file over any damage", none, async () => {
  await fc.assert(fc.asyncProperty(plan, transfer), { numRuns: RUNS });
});
