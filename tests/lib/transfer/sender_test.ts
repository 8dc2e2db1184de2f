import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { decodeData } from "../../../lib/frame/decode.ts";
import { FRAME_DATA_MAX_BYTES, FRAME_HEADER_BYTES } from "../../../lib/frame/frame.ts";
import { type ChunkRange, CHUNKS_MAX } from "../../../lib/transfer/chunks.ts";
import { crc32, createDigester, digestOf } from "../../../lib/transfer/digest.ts";
import { ChunkJournal } from "../../../lib/transfer/journal.ts";
import { ChunkSender } from "../../../lib/transfer/sender.ts";
import type { Source } from "../../../lib/transfer/source.ts";
import { StreamSource } from "../../../lib/transfer/source.ts";
import { MemorySource, patternBytes } from "./memory.ts";

const none = { permissions: "none" } as const;
const CHUNK = 10;

interface Options {
  readonly source: Source;
  readonly size?: number;
  readonly skip?: ChunkJournal;
  readonly only?: ChunkRange[];
  readonly streamChunksMax?: number;
  readonly dataBytes?: number;
}

async function senderOf(options: Options): Promise<ChunkSender> {
  const digester = await createDigester();
  return new ChunkSender({ chunkBytes: CHUNK, requestId: 7, digester, dataBytes: 4, ...options });
}

/** `[offset, length]` of the frames of one stream; their content is checked against `file`. */
async function framesOf(sender: ChunkSender, file: Uint8Array): Promise<[number, number][]> {
  const frames: [number, number][] = [];
  for (let frame = await sender.next(); frame !== null; frame = await sender.next()) {
    const { offset, crc, bytes } = decodeData(frame.subarray(FRAME_HEADER_BYTES));
    assertEquals(bytes, file.subarray(offset, offset + bytes.length));
    assertEquals(crc, crc32(bytes));
    frames.push([offset, bytes.length]);
  }
  return frames;
}

async function journalOf(file: Uint8Array, indices: number[]): Promise<ChunkJournal> {
  const digester = await createDigester();
  const journal = new ChunkJournal();
  for (const index of indices) {
    journal.set(index, digestOf(digester, file.subarray(index * CHUNK, (index + 1) * CHUNK)));
  }
  return journal;
}

Deno.test("ChunkSender.next() cuts frames that never cross a chunk", none, async () => {
  const file = patternBytes(23);
  for (const size of [23, undefined]) {
    for (const readMax of [1, 3, 100]) {
      const sized = size === undefined ? {} : { size };
      const sender = await senderOf({ source: new MemorySource(file, readMax), ...sized });
      const expected = [[0, 4], [4, 4], [8, 2], [10, 4], [14, 4], [18, 2], [20, 3]];
      assertEquals(await framesOf(sender, file), expected as [number, number][]);
      assertEquals(sender.size, 23);
      assertEquals(sender.sentBytes, 23);
      assertEquals(sender.sentChunks, 3);
      assertEquals(
        sender.streamDigests,
        (await journalOf(file, [0, 1, 2])).records(0, 3)
          .filter((_, i) => i % 20 >= 4),
      );
      assertEquals(sender.journal.count, 3);
      assertEquals(await sender.hasNext(), false);
      assertEquals(await sender.next(), null);
    }
  }
});

for (const size of [0, 4, 8, 9, 10, 11, 14, 18, 20]) {
  Deno.test(`ChunkSender.next() finds the end of a stream of ${size} bytes`, none, async () => {
    const file = patternBytes(size);
    const source = new MemorySource(file);
    const reader = new StreamSource({
      read: (buffer) => Promise.resolve(source.read(buffer, position(buffer))),
    });
    let at = 0;
    function position(buffer: Uint8Array): number {
      const before = at;
      at += Math.min(buffer.length, size - at);
      return before;
    }
    const sender = await senderOf({ source: reader });
    const frames = await framesOf(sender, file);
    assertEquals(frames.reduce((sum, [, length]) => sum + length, 0), size);
    assertEquals(sender.sentChunks, Math.ceil(size / CHUNK));
    assertEquals(sender.streamDigests.length, 16 * Math.ceil(size / CHUNK));
    assertEquals(sender.size, size);
    assertEquals(await sender.hasNext(), false);
  });
}

Deno.test("ChunkSender.next() fills one buffer again and again", none, async () => {
  const sender = await senderOf({ source: new MemorySource(patternBytes(50)), size: 50 });
  const first = await sender.next();
  const second = await sender.next();
  assert(first !== null && first.buffer === second?.buffer);
});

Deno.test("ChunkSender.next() carries the request's number", none, async () => {
  const sender = await senderOf({ source: new MemorySource(patternBytes(5)), size: 5 });
  assertEquals((await sender.next())?.[11], 7);
  sender.beginStream(9);
  assertEquals((await sender.next())?.[11], 9);
});

Deno.test("ChunkSender sends only chunks that differ from skip", none, async () => {
  const file = patternBytes(45);
  const skip = await journalOf(file, [0, 1, 3, 4]);
  const changed = file.slice();
  changed[15] = (changed[15] ?? 0) ^ 1;
  const sender = await senderOf({ source: new MemorySource(changed), size: 45, skip });
  assertEquals(await framesOf(sender, changed), [[10, 4], [14, 4], [18, 2], [20, 4], [24, 4], [
    28,
    2,
  ]]);
  assertEquals(sender.verifiedBytes, 25);
  assertEquals(sender.sentBytes, 20);
  assertEquals([...sender.journal.indices()], [0, 1, 2, 3, 4]);
});

Deno.test("ChunkSender.hasNext() says that a complete upload needs no stream", none, async () => {
  const file = patternBytes(45);
  const skip = await journalOf(file, [0, 1, 2, 3, 4]);
  const sender = await senderOf({ source: new MemorySource(file), size: 45, skip });
  assertEquals(await sender.hasNext(), false);
  assertEquals(sender.verifiedBytes, 45);
  assertEquals(await sender.next(), null);
});

Deno.test("ChunkSender sends a last chunk that was whole and is short now", none, async () => {
  const file = patternBytes(40);
  const skip = await journalOf(file, [0, 1, 2, 3]);
  const sender = await senderOf({ source: new MemorySource(file.subarray(0, 33)), size: 33, skip });
  assertEquals(await framesOf(sender, file), [[30, 3]]);
});

Deno.test("ChunkSender ends streams at the limit and goes on in the next", none, async () => {
  const file = patternBytes(45);
  const sender = await senderOf({ source: new MemorySource(file), size: 45, streamChunksMax: 2 });
  const streams: number[] = [];
  while (await sender.hasNext()) {
    sender.beginStream(streams.length + 1);
    await framesOf(sender, file);
    streams.push(sender.streamDigests.length / 16);
    assertEquals(await sender.next(), null);
  }
  assertEquals(streams, [2, 2, 1]);
  assertEquals(sender.sentBytes, 45);
});

Deno.test("ChunkSender sends the ranges of only", none, async () => {
  const file = patternBytes(45);
  const sender = await senderOf({
    source: new MemorySource(file),
    size: 45,
    only: [[1, 1], [4, 1]],
    dataBytes: CHUNK,
  });
  assertEquals(await framesOf(sender, file), [[10, 10], [40, 5]]);
});

Deno.test("ChunkSender refuses a range behind the end", none, async () => {
  const sender = await senderOf({
    source: new MemorySource(patternBytes(45)),
    size: 45,
    only: [[5, 1]],
  });
  await assertRejects(() => sender.next(), RangeError);
});

for (
  const [what, size, length] of [
    ["one byte shorter", 45, 44],
    ["a chunk shorter", 45, 30],
    ["empty", 45, 0],
    ["one byte longer", 45, 46],
    ["longer than a whole chunk", 40, 41],
    ["not empty", 0, 1],
  ] as const
) {
  Deno.test(`ChunkSender says that a source that is ${what} has changed`, none, async () => {
    const file = patternBytes(length);
    for (const skip of [undefined, await journalOf(patternBytes(50), [0, 1, 2, 3, 4])]) {
      const held = skip === undefined ? {} : { skip };
      const sender = await senderOf({ source: new MemorySource(file), size, ...held });
      const error = await assertRejects(() => framesOf(sender, file), TrivetError);
      assertEquals(error.code, "CHANGED");
    }
  });
}

Deno.test("ChunkSender refuses a source with more chunks than a file may have", none, async () => {
  const endless: Source = { read: (buffer) => buffer.length };
  const digester = await createDigester();
  const options = { source: endless, chunkBytes: CHUNK, requestId: 1, digester };
  const last = new ChunkSender({ ...options, only: [[CHUNKS_MAX - 1, 1]] });
  assert(await last.next() !== null);
  const beyond = new ChunkSender({ ...options, only: [[CHUNKS_MAX, 1]] });
  const error = await assertRejects(() => beyond.next(), TrivetError);
  assertEquals(error.code, "FILE_TOO_LARGE");
});

Deno.test("ChunkSender takes frames up to the protocol's limit", none, async () => {
  const chunkBytes = 2 * FRAME_DATA_MAX_BYTES;
  const options = { source: new MemorySource(patternBytes(1)), chunkBytes, requestId: 1 };
  const digester = await createDigester();
  new ChunkSender({ ...options, digester, dataBytes: FRAME_DATA_MAX_BYTES });
  for (const dataBytes of [0, FRAME_DATA_MAX_BYTES + 1]) {
    assertThrows(() => new ChunkSender({ ...options, digester, dataBytes }), RangeError);
  }
});

Deno.test("ChunkSender lets timers run while it skips what is held", none, async () => {
  const chunkBytes = 1024 * 1024;
  const file = new Uint8Array(24 * chunkBytes);
  const digester = await createDigester();
  const digest = digestOf(digester, file.subarray(0, chunkBytes));
  const skip = new ChunkJournal();
  for (let index = 0; index < 24; index++) skip.set(index, digest);
  const source = new MemorySource(file);
  const sender = new ChunkSender({
    source,
    size: file.length,
    chunkBytes,
    requestId: 1,
    digester,
    skip,
  });
  let readsAtTimer = 0;
  const timer = new Promise<void>((resolve) => {
    setTimeout(() => {
      readsAtTimer = source.reads;
      resolve();
    }, 0);
  });
  assertEquals(await sender.hasNext(), false);
  const reads = source.reads;
  await timer;
  assert(readsAtTimer < reads, `the timer ran after ${readsAtTimer} of ${reads} reads`);
});
