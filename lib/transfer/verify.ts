/**
 * Proves that what a journal claims is what the file holds, a slice at a time.
 *
 * @module
 */

import { chunkLength } from "./chunks.ts";
import { DIGEST_BYTES, type Digester } from "./digest.ts";
import type { ChunkJournal } from "./journal.ts";
import type { SyncSource } from "./source.ts";
import { nextTurn, TURN_BYTES } from "../turn.ts";

/** Bytes that one step reads and digests. */
const VERIFY_SLICE_BYTES = 256 * 1024;

/** Options of {@linkcode verifyChunks}. */
export interface VerifyChunksOptions {
  /** The partial file. */
  readonly source: SyncSource;
  /** What the file is said to hold; loses the chunks that are damaged. */
  readonly journal: ChunkJournal;
  /** Bytes of the file when it is whole. */
  readonly size: number;
  /** Bytes of each chunk but the last. */
  readonly chunkBytes: number;
  /** Computes the digests; nobody else uses it meanwhile. */
  readonly digester: Digester;
  /** Bytes that one step reads and digests. */
  readonly sliceBytes?: number;
}

/**
 * Reads the chunks of a journal again and compares their digests. It can run while chunks are
 * received: one that was overwritten meanwhile is left alone.
 *
 * @returns Yields the bytes of each step; ends with the damaged chunks' numbers, ascending.
 */
export function* verifyChunks(options: VerifyChunksOptions): Generator<number, number[]> {
  const { source, journal, size, chunkBytes, digester } = options;
  const buffer = new Uint8Array(Math.min(options.sliceBytes ?? VERIFY_SLICE_BYTES, chunkBytes));
  const digest = new Uint8Array(DIGEST_BYTES);
  const damaged: number[] = [];
  const end = journal.end;
  for (let index = 0; index < end; index++) {
    const claimed = journal.get(index);
    if (claimed === undefined) continue;
    const length = chunkLength(index, size, chunkBytes);
    let at = 0;
    digester.init();
    while (at < length && journal.matches(index, claimed)) {
      const room = length - at < buffer.length ? buffer.subarray(0, length - at) : buffer;
      const count = source.read(room, index * chunkBytes + at);
      if (count === 0) break;
      digester.update(count === buffer.length ? buffer : buffer.subarray(0, count));
      at += count;
      yield count;
    }
    if (!journal.matches(index, claimed)) continue;
    digester.digestInto(digest, 0);
    if (at === length && length > 0 && journal.matches(index, digest)) continue;
    journal.delete(index);
    damaged.push(index);
  }
  return damaged;
}

/**
 * Runs {@linkcode verifyChunks} to its end and lets others run in between.
 *
 * @param options See {@linkcode verifyChunks}.
 * @param onProgress Told the bytes of each turn.
 * @returns The damaged chunks' numbers, ascending.
 */
export async function verifyAllChunks(
  options: VerifyChunksOptions,
  onProgress?: (bytes: number) => void,
): Promise<number[]> {
  const steps = verifyChunks(options);
  let turnBytes = 0;
  for (;;) {
    const step = steps.next();
    if (step.done !== true) turnBytes += step.value;
    if (turnBytes >= TURN_BYTES || (step.done === true && turnBytes > 0)) {
      onProgress?.(turnBytes);
      turnBytes = 0;
      await nextTurn();
    }
    if (step.done === true) return step.value;
  }
}
