/**
 * Reads a file chunk by chunk into a journal of digests, a slice at a time; a copy may be made on the
 * way.
 *
 * @module
 */

import { chunkCount, chunkLength } from "./chunks.ts";
import { DIGEST_BYTES, type Digester } from "./digest.ts";
import type { ChunkJournal } from "./journal.ts";
import type { Sink } from "./sink.ts";
import type { SyncSource } from "./source.ts";
import { nextTurn, TURN_BYTES } from "./turn.ts";

/** Bytes that are read at a time: more falls out of the processor's cache before it is digested. */
const SLICE_BYTES = 256 * 1024;

/** Options of {@linkcode readChunks}. */
export interface ReadChunksOptions {
  /** The file. */
  readonly source: SyncSource;
  /** Bytes that it has. */
  readonly sourceBytes: number;
  /** Bytes of the file whose chunks are asked for; those that `sourceBytes` do not fill are left out. */
  readonly size: number;
  /** Bytes of each chunk but the last. */
  readonly chunkBytes: number;
  /** Computes the digests; nobody else uses it meanwhile. */
  readonly digester: Digester;
  /** Takes the digests. */
  readonly journal: ChunkJournal;
  /** Takes a copy. */
  readonly sink?: Sink;
  /** Told of each chunk that is in the journal. */
  readonly onChunk?: (index: number, digest: Uint8Array) => void;
  /** Lets others run; may wait and may throw. Told how many bytes were read since. */
  readonly onTurn?: (bytes: number) => Promise<void> | void;
}

/** Reads the chunks; ends early when the file does. */
export async function readChunks(options: ReadChunksOptions): Promise<void> {
  const { source, sourceBytes, size, chunkBytes, digester, journal, sink, onChunk } = options;
  const buffer = new Uint8Array(SLICE_BYTES);
  const digest = new Uint8Array(DIGEST_BYTES);
  let turnBytes = 0;
  for (let index = 0; index < chunkCount(size, chunkBytes); index++) {
    const start = index * chunkBytes;
    const length = chunkLength(index, size, chunkBytes);
    if (start + length > sourceBytes) break;
    digester.init();
    for (let at = 0; at < length;) {
      const count = source.read(buffer.subarray(0, Math.min(length - at, SLICE_BYTES)), start + at);
      if (count === 0) return;
      const bytes = buffer.subarray(0, count);
      digester.update(bytes);
      sink?.write(bytes, start + at);
      at += count;
      turnBytes += count;
    }
    digester.digestInto(digest, 0);
    journal.set(index, digest);
    onChunk?.(index, digest);
    if (turnBytes < TURN_BYTES) continue;
    await nextTurn();
    await options.onTurn?.(turnBytes);
    turnBytes = 0;
  }
  if (turnBytes > 0) await options.onTurn?.(turnBytes);
}
