/**
 * The digests of a file's chunks, for comparing two copies without moving either; a copy may be made
 * on the way.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { chunkLength } from "./chunks.ts";
import { DIGEST_BYTES, type Digester } from "./digest.ts";
import type { Sink } from "./sink.ts";
import type { SyncSource } from "./source.ts";
import { nextTurn, TURN_BYTES } from "../turn.ts";

/** Bytes that one step reads and digests. */
const DIGEST_SLICE_BYTES = 256 * 1024;

/** Options of {@linkcode readChunks}. */
export interface ReadChunksOptions {
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
  /** Told the digest of each chunk, which is the caller's to copy. */
  readonly onChunk: (index: number, digest: Uint8Array) => void;
  /** Takes a copy of the bytes. */
  readonly sink?: Sink | undefined;
  /** Told, after others have run, how many bytes were read since; may wait and may throw. */
  readonly onTurn?: ((bytes: number) => Promise<void> | void) | undefined;
}

/**
 * Reads chunks in slices, and lets others run in between.
 *
 * @param options See {@linkcode ReadChunksOptions}.
 * @throws {TrivetError} `CHANGED` If the file ends before its size.
 */
export async function readChunks(options: ReadChunksOptions): Promise<void> {
  const { source, size, chunkBytes, from, count, digester, onChunk, sink, onTurn } = options;
  const digest = new Uint8Array(DIGEST_BYTES);
  const buffer = new Uint8Array(Math.min(DIGEST_SLICE_BYTES, chunkBytes));
  let turnBytes = 0;
  for (let index = from; index < from + count; index++) {
    const start = index * chunkBytes;
    const length = chunkLength(index, size, chunkBytes);
    digester.init();
    for (let at = 0; at < length;) {
      const room = buffer.subarray(0, Math.min(buffer.length, length - at));
      const read = source.read(room, start + at);
      if (read === 0) {
        throw new TrivetError(
          "CHANGED",
          `Cannot read the file: it ends at ${start + at} instead of ${size}`,
        );
      }
      const bytes = room.subarray(0, read);
      digester.update(bytes);
      const written = sink?.write(bytes, start + at);
      if (written !== undefined) await written;
      at += read;
      turnBytes += read;
      if (turnBytes < TURN_BYTES) continue;
      await nextTurn();
      await onTurn?.(turnBytes);
      turnBytes = 0;
    }
    digester.digestInto(digest, 0);
    onChunk(index, digest);
  }
  if (turnBytes > 0) await onTurn?.(turnBytes);
}

/** Options of {@linkcode digestChunks}. */
export interface DigestChunksOptions
  extends
    Pick<ReadChunksOptions, "source" | "size" | "chunkBytes" | "from" | "count" | "digester"> {
  /** Ends the work. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The digests of chunks.
 *
 * @param options See {@linkcode DigestChunksOptions}.
 * @returns {@linkcode DIGEST_BYTES} bytes for each chunk, in order.
 * @throws {TrivetError} `CHANGED` If the file ends before its size.
 */
export async function digestChunks(
  { signal, ...options }: DigestChunksOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const digests = new Uint8Array(options.count * DIGEST_BYTES);
  await readChunks({
    ...options,
    onChunk: (index, digest) => digests.set(digest, (index - options.from) * DIGEST_BYTES),
    onTurn: () => signal?.throwIfAborted(),
  });
  return digests;
}
