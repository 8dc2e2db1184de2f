/**
 * How a file is cut into chunks: sizes, counts, limits, and ranges of chunk numbers.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";

/** Smallest chunk that {@linkcode chunkBytesFor} chooses, and the chunk of a source of unknown size. */
export const CHUNK_BYTES_MIN = 1024 * 1024;

/** Largest chunk, in bytes. */
export const CHUNK_BYTES_MAX = 16 * 1024 * 1024;

/** Most chunks of one file: bounds a journal to 16 MiB of digests. */
export const CHUNKS_MAX = 2 ** 20;

/** Largest file, in bytes (16 TiB); 1 TiB when the size is not known at the start. */
export const FILE_BYTES_MAX: number = CHUNKS_MAX * CHUNK_BYTES_MAX;

/** Chunks that a file may have before its chunks double. */
const CHUNKS_BEFORE_DOUBLING = 4096;

/** `[first chunk, count]`, as ranges travel. */
export type ChunkRange = [first: number, count: number];

/**
 * The chunk size for a file: 1 MiB while that makes at most 4096 chunks, then doubling to 16 MiB.
 *
 * @param size Bytes of the file; `undefined` when nobody knows yet.
 * @returns Bytes of each chunk but the last.
 * @throws {TrivetError} `FILE_TOO_LARGE` above {@linkcode FILE_BYTES_MAX}.
 */
export function chunkBytesFor(size: number | undefined): number {
  if (size === undefined) return CHUNK_BYTES_MIN;
  if (size > FILE_BYTES_MAX) {
    throw new TrivetError(
      "FILE_TOO_LARGE",
      `Cannot transfer the file: it has ${size} bytes, the limit is ${FILE_BYTES_MAX}`,
      { details: { size_bytes: size, limit_bytes: FILE_BYTES_MAX } },
    );
  }
  let chunkBytes = CHUNK_BYTES_MIN;
  while (chunkBytes < CHUNK_BYTES_MAX && size > chunkBytes * CHUNKS_BEFORE_DOUBLING) {
    chunkBytes *= 2;
  }
  return chunkBytes;
}

/**
 * How many chunks a file has; none when it is empty.
 *
 * @param size Bytes of the file.
 * @param chunkBytes Bytes of each chunk but the last.
 */
export function chunkCount(size: number, chunkBytes: number): number {
  return Math.ceil(size / chunkBytes);
}

/**
 * How many bytes a chunk has.
 *
 * @param index Number of the chunk, from 0.
 * @param size Bytes of the file.
 * @param chunkBytes Bytes of each chunk but the last.
 * @returns 0 when the file ends before the chunk.
 */
export function chunkLength(index: number, size: number, chunkBytes: number): number {
  return Math.max(0, Math.min(chunkBytes, size - index * chunkBytes));
}

/**
 * Joins chunk numbers to ranges.
 *
 * @param indices Chunk numbers, ascending.
 * @param rangesMax Stops before the range that would be one too many; ask for the rest afterwards.
 * @returns Ranges, ascending and apart.
 */
export function toRanges(
  indices: Iterable<number>,
  rangesMax: number = Number.POSITIVE_INFINITY,
): ChunkRange[] {
  const ranges: ChunkRange[] = [];
  let last: ChunkRange | undefined;
  for (const index of indices) {
    if (last !== undefined && index === last[0] + last[1]) {
      last[1] += 1;
      continue;
    }
    if (ranges.length >= rangesMax) break;
    last = [index, 1];
    ranges.push(last);
  }
  return ranges;
}

/** The chunk numbers of `ranges`, in their order. */
export function* rangeIndices(ranges: Iterable<Readonly<ChunkRange>>): Generator<number> {
  for (const [first, count] of ranges) {
    for (let index = first; index < first + count; index++) yield index;
  }
}

/** How many chunks `ranges` cover. */
export function rangesChunkCount(ranges: Iterable<Readonly<ChunkRange>>): number {
  let total = 0;
  for (const [, count] of ranges) total += count;
  return total;
}

/**
 * Checks ranges that a peer asks for: whole numbers, not empty, ascending, apart, inside the file.
 *
 * @param ranges What the peer asks for.
 * @param chunks How many chunks the file has.
 * @throws {TrivetError} `INVALID_REQUEST`.
 */
export function checkRanges(ranges: Iterable<Readonly<ChunkRange>>, chunks: number): void {
  let next = 0;
  for (const [first, count] of ranges) {
    const whole = Number.isSafeInteger(first) && Number.isSafeInteger(count);
    if (!whole || count < 1 || first < next || first + count > chunks) {
      throw new TrivetError(
        "INVALID_REQUEST",
        `Cannot read the chunks ${first}+${count}: ` +
          `a range begins at ${next} or later, has 1 chunk or more and ends by ${chunks}`,
      );
    }
    next = first + count;
  }
}
