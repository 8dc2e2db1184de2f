/**
 * What a transfer costs in CPU, in memory: each engine alone, then sender and receiver together at
 * several sizes of a DATA frame. Divide 64 MiB by the time for bytes a second.
 *
 * @module
 */

import { decodeData } from "../lib/frame/decode.ts";
import { FRAME_HEADER_BYTES } from "../lib/frame/frame.ts";
import { CHUNK_BYTES_MIN } from "../lib/transfer/chunks.ts";
import { crc32, createDigester } from "../lib/transfer/digest.ts";
import { ChunkJournal } from "../lib/transfer/journal.ts";
import { ChunkReceiver } from "../lib/transfer/receiver.ts";
import { ChunkSender } from "../lib/transfer/sender.ts";
import type { Sink } from "../lib/transfer/sink.ts";
import type { SyncSource } from "../lib/transfer/source.ts";

const KIB = 1024;
const FILE_BYTES = 64 * 1024 * KIB;
const FRAME_SIZES = [64 * KIB, 256 * KIB, 1024 * KIB];

const content = new Uint8Array(CHUNK_BYTES_MIN);
for (let at = 0; at < content.length; at += 65536) {
  crypto.getRandomValues(content.subarray(at, at + 65536));
}

/** Gives the same bytes again and again: one copy, as from a file's cache. */
const source: SyncSource = {
  read(buffer: Uint8Array, offset: number): number {
    const at = offset % CHUNK_BYTES_MIN;
    buffer.set(content.subarray(at, at + buffer.length));
    return buffer.length;
  },
};

const endingSource: SyncSource = {
  read: (buffer, offset) => offset >= FILE_BYTES ? 0 : source.read(buffer, offset),
};

/** One copy, as into a file's cache. */
const target = new Uint8Array(CHUNK_BYTES_MIN);
const sink: Sink = {
  write(bytes: Uint8Array, offset: number): void {
    target.set(bytes, offset % CHUNK_BYTES_MIN);
  },
};

Deno.bench("memory copy, 64 MiB", { group: "engines" }, () => {
  for (let i = 0; i < FILE_BYTES / content.length; i++) target.set(content);
});

for (const size of FRAME_SIZES) {
  const piece = content.subarray(0, size);
  const digester = await createDigester();
  const digest = new Uint8Array(16);

  Deno.bench(`CRC-32, 64 MiB by ${size / KIB} KiB`, { group: "engines" }, () => {
    for (let i = 0; i < FILE_BYTES / size; i++) crc32(piece);
  });

  Deno.bench(`XXH3-128, 64 MiB by ${size / KIB} KiB`, { group: "engines" }, () => {
    digester.init();
    for (let i = 0; i < FILE_BYTES / size; i++) digester.update(piece);
    digester.digestInto(digest, 0);
  });
}

for (const dataBytes of FRAME_SIZES) {
  const [sending, receiving] = [await createDigester(), await createDigester()];
  const newSender = (): ChunkSender =>
    new ChunkSender({
      source: endingSource,
      size: FILE_BYTES,
      chunkBytes: CHUNK_BYTES_MIN,
      requestId: 1,
      digester: sending,
      dataBytes,
    });

  Deno.bench(`sender, 64 MiB by ${dataBytes / KIB} KiB`, { group: "sender" }, async () => {
    const sender = newSender();
    while (await sender.next() !== null);
  });

  Deno.bench(`sender + receiver, 64 MiB by ${dataBytes / KIB} KiB`, { group: "both" }, async () => {
    const sender = newSender();
    const journal = new ChunkJournal();
    const receiver = new ChunkReceiver({
      sink,
      size: FILE_BYTES,
      chunkBytes: CHUNK_BYTES_MIN,
      journal,
      digester: receiving,
    });
    for (let frame = await sender.next(); frame !== null; frame = await sender.next()) {
      const { offset, crc, bytes } = decodeData(frame.subarray(FRAME_HEADER_BYTES));
      const written = receiver.accept(offset, crc, bytes);
      if (written !== undefined) await written;
    }
    if (receiver.finish(sender.streamDigests).length > 0) throw new Error("Chunks arrived damaged");
  });
}
