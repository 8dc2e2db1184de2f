import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { CHUNKS_MAX } from "../../../lib/transfer/chunks.ts";
import { crc32, createDigester, digestOf } from "../../../lib/transfer/digest.ts";
import { ChunkJournal } from "../../../lib/transfer/journal.ts";
import { ChunkReceiver } from "../../../lib/transfer/receiver.ts";
import type { Sink } from "../../../lib/transfer/sink.ts";
import { MemorySink, patternBytes } from "./memory.ts";

const none = { permissions: "none" } as const;
const CHUNK = 10;
const SIZE = 35;
const FILE = patternBytes(SIZE);
const digester = await createDigester();

interface Stand {
  readonly receiver: ChunkReceiver;
  readonly journal: ChunkJournal;
  readonly sink: MemorySink;
  readonly noted: number[];
}

async function standOf(
  options: { size?: number; streamChunksMax?: number; isAsync?: boolean; sink?: Sink } = {
    size: SIZE,
  },
): Promise<Stand> {
  const journal = new ChunkJournal();
  const sink = new MemorySink(options.isAsync);
  const noted: number[] = [];
  const receiver = new ChunkReceiver({
    sink,
    chunkBytes: CHUNK,
    journal,
    digester: await createDigester(),
    onChunk: (index, digest) => {
      assert(journal.matches(index, digest));
      noted.push(index);
    },
    ...options,
  });
  return { receiver, journal, sink, noted };
}

/** Gives the bytes `from` to `to` of the file; `damage` breaks their checksum. */
function give(receiver: ChunkReceiver, from: number, to: number, damage = 0): void | Promise<void> {
  const bytes = FILE.subarray(from, to);
  return receiver.accept(from, (crc32(bytes) ^ damage) >>> 0, bytes);
}

function digestsOf(...indices: number[]): Uint8Array {
  return Uint8Array.from(
    indices.flatMap((i) => [...digestOf(digester, FILE.subarray(i * CHUNK, (i + 1) * CHUNK))]),
  );
}

function assertProtocolError(run: () => unknown): void {
  const error = assertThrows(run, TrivetError);
  assertEquals(error.code, "PROTOCOL_ERROR");
}

Deno.test("ChunkReceiver writes chunks and notes their digests", none, async () => {
  for (const isAsync of [false, true]) {
    const { receiver, journal, sink, noted } = await standOf({ size: SIZE, isAsync });
    for (const [from, to] of [[0, 4], [4, 10], [10, 20], [20, 30], [30, 31], [31, 35]] as const) {
      await give(receiver, from, to);
    }
    assertEquals(receiver.finish(digestsOf(0, 1, 2, 3)), []);
    assertEquals(sink.bytes, FILE);
    assertEquals(noted, [0, 1, 2, 3]);
    assert(journal.isComplete(4));
    assertEquals(receiver.receivedBytes, SIZE);
    assertEquals(receiver.endOffset, SIZE);
  }
});

for (const at of [0, 1, 2]) {
  Deno.test(`ChunkReceiver keeps a chunk bad whose frame ${at} of 3 is damaged`, none, async () => {
    const { receiver, journal, noted } = await standOf();
    give(receiver, 0, 10);
    [[10, 13], [13, 16], [16, 20]].forEach(([from = 0, to = 0], i) => {
      give(receiver, from, to, i === at ? 1 : 0);
    });
    give(receiver, 20, 30);
    assertEquals(receiver.finish(digestsOf(0, 1, 2)), [1]);
    assertEquals([...journal.indices()], [0, 2]);
    assertEquals(noted, [0, 2]);
    give(receiver, 10, 20);
    assertEquals(receiver.finish(digestsOf(1)), []);
    assertEquals([...journal.indices()], [0, 1, 2]);
  });
}

Deno.test("ChunkReceiver does not write a frame whose checksum is wrong", none, async () => {
  const { receiver, sink } = await standOf();
  give(receiver, 0, 4);
  give(receiver, 4, 10, 1);
  assertEquals(sink.bytes.length, 4);
});

Deno.test(
  "ChunkReceiver.finish() finds a digest that differs though checksums agree",
  none,
  async () => {
    const { receiver, journal } = await standOf();
    give(receiver, 0, 10);
    give(receiver, 10, 20);
    assertEquals(receiver.finish(digestsOf(0, 2)), [1]);
    assertEquals([...journal.indices()], [0]);
  },
);

Deno.test("ChunkReceiver.finish() trusts no digest of an earlier stream", none, async () => {
  const { receiver, journal } = await standOf();
  give(receiver, 0, 10);
  assertEquals(receiver.finish(digestsOf(0)), []);
  give(receiver, 0, 10, 1);
  assertEquals(receiver.finish(digestsOf(0)), [0]);
  assertEquals(journal.count, 0);
});

Deno.test("ChunkReceiver forgets a chunk as soon as it is overwritten", none, async () => {
  const { receiver, journal } = await standOf();
  give(receiver, 0, 10);
  assertEquals(receiver.finish(digestsOf(0)), []);
  give(receiver, 0, 4);
  assertEquals(journal.has(0), false);
});

for (
  const [why, frames] of [
    ["a gap inside a chunk", [[0, 4], [5, 10]]],
    ["a frame twice", [[0, 4], [0, 4]]],
    ["an overlap", [[0, 4], [3, 10]]],
    ["a missing tail of a chunk", [[0, 4], [10, 20]]],
    ["a missing head of a chunk", [[14, 20]]],
    ["a frame across two chunks", [[0, 11]]],
    ["a chunk twice in a stream", [[0, 10], [0, 10]]],
    ["descending chunks", [[10, 20], [0, 10]]],
    ["an empty frame at a chunk's start", [[0, 0]]],
    ["an empty frame inside a chunk", [[0, 4], [4, 4]]],
  ] as [string, [number, number][]][]
) {
  Deno.test(`ChunkReceiver.accept() refuses ${why}`, none, async () => {
    for (const damage of [0, 1]) {
      const { receiver } = await standOf();
      const last = frames.at(-1) ?? [0, 0];
      for (const [from, to] of frames.slice(0, -1)) give(receiver, from, to, damage);
      assertProtocolError(() => give(receiver, last[0], last[1], damage));
    }
  });
}

Deno.test("ChunkReceiver.accept() refuses bytes behind the end", none, async () => {
  for (const [offset, length] of [[30, 6], [40, 1], [2 ** 52 - 2 ** 52 % CHUNK, 1]] as const) {
    const { receiver } = await standOf();
    const bytes = new Uint8Array(length);
    assertProtocolError(() => receiver.accept(offset, crc32(bytes), bytes));
  }
});

Deno.test("ChunkReceiver.accept() refuses everything of an empty file", none, async () => {
  const { receiver } = await standOf({ size: 0 });
  assertProtocolError(() => give(receiver, 0, 1));
  const other = await standOf({ size: 0 });
  assertEquals(other.receiver.finish(new Uint8Array(0)), []);
});

Deno.test("ChunkReceiver.finish() refuses too few and too many digests", none, async () => {
  for (const digests of [digestsOf(0), digestsOf(0, 1, 2), digestsOf(0, 1).subarray(1)]) {
    const { receiver } = await standOf();
    give(receiver, 0, 10);
    give(receiver, 10, 20);
    assertProtocolError(() => receiver.finish(digests));
  }
});

Deno.test("ChunkReceiver.finish() refuses a stream that ends inside a chunk", none, async () => {
  const { receiver } = await standOf();
  give(receiver, 0, 4);
  assertProtocolError(() => receiver.finish(digestsOf(0)));
});

Deno.test("ChunkReceiver.accept() takes as many chunks a stream as allowed", none, async () => {
  const { receiver } = await standOf({ size: SIZE, streamChunksMax: 2 });
  give(receiver, 0, 10);
  give(receiver, 10, 20);
  assertEquals(receiver.finish(digestsOf(0, 1)), []);
  give(receiver, 0, 10);
  give(receiver, 10, 20);
  assertProtocolError(() => give(receiver, 20, 30));
});

Deno.test("ChunkReceiver takes the last short chunk of a file of unknown size", none, async () => {
  const { receiver, journal, noted } = await standOf({});
  for (const [from, to] of [[0, 10], [10, 20], [20, 30], [30, 32], [32, 35]] as const) {
    give(receiver, from, to);
  }
  assertEquals(noted, [0, 1, 2]);
  assertEquals(receiver.finish(digestsOf(0, 1, 2, 3)), []);
  assertEquals(receiver.endOffset, SIZE);
  assert(journal.isComplete(4));
});

Deno.test(
  "ChunkReceiver refuses chunks behind the last of a file of unknown size",
  none,
  async () => {
    const { receiver } = await standOf({});
    give(receiver, 0, 4);
    assertEquals(receiver.finish(digestOf(digester, FILE.subarray(0, 4))), []);
    assertProtocolError(() => give(receiver, 10, 20));
  },
);

Deno.test("ChunkReceiver refuses a short chunk that is not the last", none, async () => {
  const { receiver } = await standOf({});
  give(receiver, 0, 10);
  give(receiver, 10, 20);
  assertEquals(receiver.finish(digestsOf(0, 1)), []);
  give(receiver, 0, 4);
  assertProtocolError(() => receiver.finish(digestsOf(0)));
});

Deno.test("ChunkReceiver bounds a file of unknown size", none, async () => {
  const bytes = Uint8Array.of(1);
  const { receiver } = await standOf({});
  await receiver.accept((CHUNKS_MAX - 1) * CHUNK, 0, bytes);
  const other = await standOf({});
  const beyond = assertThrows(
    () => other.receiver.accept(CHUNKS_MAX * CHUNK, 0, bytes),
    TrivetError,
  );
  assertEquals(beyond.code, "FILE_TOO_LARGE");
});

for (const isAsync of [false, true]) {
  const kind = isAsync ? "later" : "at once";
  Deno.test(`ChunkReceiver notes no chunk whose write fails ${kind}`, none, async () => {
    const sink: Sink = {
      write: (bytes, offset) => {
        if (offset === 0) return;
        assertEquals(bytes.length, 6);
        const full = new TrivetError("DISK_FULL", "Cannot write the file: the disk is full");
        if (isAsync) return Promise.reject(full);
        throw full;
      },
    };
    const { receiver, journal, noted } = await standOf({ sink });
    await give(receiver, 0, 4);
    const error = await assertRejects(async () => await give(receiver, 4, 10), TrivetError);
    assertEquals(error.code, "DISK_FULL");
    const digests = digestOf(digester, FILE.subarray(0, 10));
    assertEquals(receiver.finish(digests), [0]);
    assertEquals(journal.count, 0);
    assertEquals(noted, []);
  });
}
