import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ByteWindow } from "../../../lib/datagram/byte_window.ts";
import { Deadlines } from "../../../lib/datagram/deadlines.ts";
import { RangeSet } from "../../../lib/datagram/range_set.ts";

const none = { permissions: "none" } as const;

Deno.test("RangeSet holds what a plain set holds", none, () => {
  const step = fc.tuple(fc.boolean(), fc.nat({ max: 40 }), fc.nat({ max: 12 }));
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 40 }),
      fc.nat({ max: 50 }),
      fc.nat({ max: 50 }),
      (steps, a, b) => {
        const ranges = new RangeSet();
        const plain = new Set<number>();
        for (const [adds, start, length] of steps) {
          if (adds) ranges.add(start, start + length);
          else ranges.remove(start, start + length);
          for (let i = start; i < start + length; i++) adds ? plain.add(i) : plain.delete(i);
        }
        const listed = [...ranges];
        assertEquals(
          listed.flatMap(({ start, end }) => span(start, end)),
          [...plain].sort((x, y) => x - y),
        );
        for (const [i, { start, end }] of listed.entries()) {
          assertEquals(start < end && start > (listed[i - 1]?.end ?? -1), true);
        }
        assertEquals([ranges.size, ranges.first, ranges.last], [
          listed.length,
          listed[0],
          listed.at(-1),
        ]);
        assertEquals(ranges.newest(3), listed.toReversed().slice(0, 3));
        const between = span(a, b);
        assertEquals(ranges.has(a), plain.has(a));
        assertEquals(ranges.covers(a, b), between.every((value) => plain.has(value)));
        assertEquals(ranges.overlaps(a, b), between.some((value) => plain.has(value)));
      },
    ),
    { numRuns: 2000 },
  );
});

function span(start: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);
}

Deno.test("ByteWindow gives back what was written above what was dropped", none, () => {
  const step = fc.tuple(fc.nat({ max: 3000 }), fc.nat({ max: 600 }), fc.nat({ max: 500 }));
  fc.assert(fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
    const window = new ByteWindow();
    const plain = new Uint8Array(40_000);
    const known = new RangeSet();
    for (const [ahead, length, dropped] of steps) {
      const offset = Math.max(0, window.start + ahead - 300);
      const bytes = Uint8Array.from({ length }, (_, i) => (offset + i) * 7);
      window.write(offset, bytes);
      plain.set(bytes, offset);
      known.add(offset, offset + length);
      for (const { start, end } of known) {
        const from = Math.max(start, window.start);
        if (from >= end) continue;
        const copy = new Uint8Array(end - from);
        window.copy(from, copy);
        assertEquals(copy, plain.slice(from, end));
      }
      window.drop(Math.min(window.end, window.start + dropped));
    }
  }));
});

Deno.test("Deadlines gives the keys in the order of their last times", none, () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: 20 }), fc.nat({ max: 1000 })), { maxLength: 400 }),
      (sets) => {
        const deadlines = new Deadlines<number>();
        const plain = new Map<number, number>();
        for (const [key, atMs] of sets) {
          deadlines.set(key, atMs);
          plain.set(key, atMs);
        }
        deadlines.delete(3);
        plain.delete(3);
        const times: number[] = [];
        for (let next = deadlines.nextMs; next !== undefined; next = deadlines.nextMs) {
          assertEquals(deadlines.takeDue(next - 1), undefined);
          const key = deadlines.takeDue(next) ?? -1;
          assertEquals(plain.get(key), next);
          plain.delete(key);
          times.push(next);
        }
        assertEquals(plain.size, 0);
        assertEquals(times, times.toSorted((a, b) => a - b));
      },
    ),
  );
});
