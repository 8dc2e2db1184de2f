import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { TrivetError } from "../../../lib/errors.ts";
import {
  checkRanges,
  CHUNK_BYTES_MAX,
  CHUNK_BYTES_MIN,
  chunkBytesFor,
  chunkCount,
  chunkLength,
  CHUNKS_MAX,
  FILE_BYTES_MAX,
  rangeIndices,
  rangesChunkCount,
  toRanges,
} from "../../../lib/transfer/chunks.ts";

const none = { permissions: "none" } as const;
const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

for (
  const [size, expected] of [
    [undefined, MIB],
    [0, MIB],
    [1, MIB],
    [4 * GIB, MIB],
    [4 * GIB + 1, 2 * MIB],
    [8 * GIB, 2 * MIB],
    [8 * GIB + 1, 4 * MIB],
    [16 * GIB + 1, 8 * MIB],
    [32 * GIB, 8 * MIB],
    [32 * GIB + 1, 16 * MIB],
    [FILE_BYTES_MAX, 16 * MIB],
  ] as const
) {
  Deno.test(`chunkBytesFor() of ${size} is ${expected}`, none, () => {
    assertEquals(chunkBytesFor(size), expected);
  });
}

Deno.test("chunkBytesFor() refuses one byte above the limit", none, () => {
  const error = assertThrows(() => chunkBytesFor(FILE_BYTES_MAX + 1), TrivetError);
  assertEquals(error.code, "FILE_TOO_LARGE");
  assertEquals(error.details.limit_bytes, FILE_BYTES_MAX);
});

Deno.test("chunkBytesFor() never makes more chunks than a journal holds", none, () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: FILE_BYTES_MAX }), (size) => {
    const chunkBytes = chunkBytesFor(size);
    const count = chunkCount(size, chunkBytes);
    return chunkBytes >= CHUNK_BYTES_MIN && chunkBytes <= CHUNK_BYTES_MAX && count <= CHUNKS_MAX &&
      (chunkBytes === CHUNK_BYTES_MAX || count <= 4096);
  }));
});

Deno.test("chunkCount() and chunkLength() cover each byte once", none, () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.integer({ min: 1, max: 50 }), (size, chunkBytes) => {
      const count = chunkCount(size, chunkBytes);
      let sum = 0;
      for (let index = 0; index < count; index++) {
        const length = chunkLength(index, size, chunkBytes);
        if (length < 1 || length > chunkBytes) return false;
        sum += length;
      }
      return sum === size && chunkLength(count, size, chunkBytes) === 0;
    }),
  );
});

Deno.test("toRanges() and rangeIndices() are each other's inverse", none, () => {
  fc.assert(fc.property(fc.uniqueArray(fc.nat(200)), (numbers) => {
    const sorted = numbers.toSorted((a, b) => a - b);
    const ranges = toRanges(sorted);
    checkRanges(ranges, 201);
    assertEquals([...rangeIndices(ranges)], sorted);
    assertEquals(rangesChunkCount(ranges), sorted.length);
    for (let i = 1; i < ranges.length; i++) {
      const [first = 0, count = 0] = ranges[i - 1] ?? [];
      if ((ranges[i]?.[0] ?? 0) <= first + count) return false;
    }
    return true;
  }));
});

Deno.test("toRanges() stops at the limit and keeps the last range whole", none, () => {
  assertEquals(toRanges([1, 3, 4, 6], 2), [[1, 1], [3, 2]]);
  assertEquals(toRanges([1, 3, 4, 6], 3), [[1, 1], [3, 2], [6, 1]]);
  assertEquals(toRanges([], 3), []);
});

Deno.test("checkRanges() takes the whole file and no ranges", none, () => {
  checkRanges([[0, 10]], 10);
  checkRanges([], 0);
  checkRanges([[0, 3], [3, 7]], 10);
});

for (
  const [why, ranges] of [
    ["one chunk beyond the file", [[0, 11]]],
    ["an empty range", [[3, 0]]],
    ["descending ranges", [[5, 1], [3, 1]]],
    ["overlapping ranges", [[3, 3], [5, 1]]],
    ["a negative chunk", [[-1, 2]]],
    ["a fraction", [[0.5, 1]]],
    ["a count beyond all numbers", [[1, Number.MAX_VALUE]]],
  ] as [string, [number, number][]][]
) {
  Deno.test(`checkRanges() refuses ${why}`, none, () => {
    const error = assertThrows(() => checkRanges(ranges, 10), TrivetError);
    assertEquals(error.code, "INVALID_REQUEST");
  });
}
