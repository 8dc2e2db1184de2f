/**
 * The digests of a file's chunks, for comparing two copies without moving either.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { chunkLength } from "./chunks.ts";
import { DIGEST_BYTES, type Digester } from "./digest.ts";
import type { SyncSource } from "./source.ts";
import { nextTurn, TURN_BYTES } from "./turn.ts";

/** Bytes that one step reads and digests. */
const DIGEST_SLICE_BYTES = 256 * 1024;

/** Options of {@linkcode digestChunks}. */
export interface DigestChunksOptions {
  /** The file. */
  readonly source: SyncSource;
  /** Its bytes. */
  readonly size: number;
  /** Bytes of each chunk but the last. */
  readonly chunkBytes: number;
  /** The first chunk. */
  readonly from: number;
  /** How many; none of them behind the end of the file. */
  readonly count: number;
  /** Computes the digests; nobody else uses it meanwhile. */
  readonly digester: Digester;
  /** Ends the work. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads chunks in slices, and lets others run in between.
 *
 * @param options See {@linkcode DigestChunksOptions}.
 * @returns {@linkcode DIGEST_BYTES} bytes for each chunk, in order.
 * @throws {TrivetError} `CHANGED` If the file ends before its size.
 */
export async function digestChunks(
  options: DigestChunksOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { source, size, chunkBytes, from, count, digester, signal } = options;
  const digests = new Uint8Array(count * DIGEST_BYTES);
  const buffer = new Uint8Array(Math.min(DIGEST_SLICE_BYTES, chunkBytes));
  let turnBytes = 0;
  for (let index = from; index < from + count; index++) {
    const length = chunkLength(index, size, chunkBytes);
    digester.init();
    for (let at = 0; at < length;) {
      const room = buffer.subarray(0, Math.min(buffer.length, length - at));
      const read = source.read(room, index * chunkBytes + at);
      if (read === 0) {
        const end = index * chunkBytes + at;
        throw new TrivetError(
          "CHANGED",
          `Cannot read the file: it ends at ${end} instead of ${size}`,
        );
      }
      at += read;
      turnBytes += read;
      digester.update(room.subarray(0, read));
      if (turnBytes < TURN_BYTES) continue;
      turnBytes = 0;
      await nextTurn();
      signal?.throwIfAborted();
    }
    digester.digestInto(digests, (index - from) * DIGEST_BYTES);
  }
  return digests;
}
