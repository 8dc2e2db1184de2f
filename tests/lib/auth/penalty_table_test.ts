import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type PenaltyPolicy, PenaltyTable } from "../../../lib/auth/penalty_table.ts";

const permissions = "none";
const POLICY: PenaltyPolicy = { free: 3, waitMs: 1000, waitMaxMs: 8000, halfLifeMs: 3_600_000 };

function tableWith(failures: Record<string, number>, entriesMax = 100): PenaltyTable {
  const table = new PenaltyTable(POLICY, entriesMax);
  for (const [key, count] of Object.entries(failures)) addMany(table, key, count);
  return table;
}

function addMany(table: PenaltyTable, key: string, count: number, nowMs = 0): void {
  for (let index = 0; index < count; index++) table.add(key, nowMs);
}

for (
  const [failures, penaltyMs] of [
    [0, 0],
    [2, 0],
    [3, 1000],
    [4, 2000],
    [5, 4000],
    [6, 8000],
    [7, 8000],
    [5000, 8000],
  ] as const
) {
  Deno.test(`PenaltyTable.penaltyMs() after ${failures} failures`, { permissions }, () => {
    const table = tableWith({ x: failures });
    assertEquals(table.penaltyMs("x", 0), penaltyMs);
    assertEquals(table.waitMs("x", 0), penaltyMs);
    assertEquals(table.penaltyMs("y", 0), 0);
  });
}

Deno.test("PenaltyTable.waitMs() counts from the last failure", { permissions }, () => {
  const table = tableWith({ x: 4 });
  assertEquals([0, 1, 1999, 2000, 9999].map((now) => table.waitMs("x", now)), [
    2000,
    1999,
    1,
    0,
    0,
  ]);
  table.touch("x", 1500);
  assertEquals(table.waitMs("x", 1500), 2000);
  // A clock that was set back.
  assertEquals(table.waitMs("x", -1_000_000), 2000);
});

Deno.test("PenaltyTable.failures() halves in each half-life", { permissions }, () => {
  const table = tableWith({ x: 16 });
  const hours = [0, 1, 2, 3, 4, 5, 6].map((hour) => table.failures("x", hour * 3_600_000));
  // 0.5 still counts as one.
  assertEquals(hours, [16, 8, 4, 2, 1, 1, 0]);
});

Deno.test("PenaltyTable.forgive() takes one failure back", { permissions }, () => {
  const table = tableWith({ x: 4, y: 1 });
  table.forgive("x", 0);
  assertEquals(table.failures("x", 0), 3);
  table.forgive("x", 3_600_000);
  // Of 3 there are 1.5 left after an hour; one less is 0.5.
  assertEquals(table.failures("x", 3_600_000), 1);
  table.forgive("x", 3_600_000);
  table.forgive("y", 0);
  table.forgive("unknown", 0);
  assertEquals(table.size, 0);
});

Deno.test("PenaltyTable.touch() does not make entries", { permissions }, () => {
  const table = tableWith({});
  table.touch("x", 0);
  assertEquals(table.size, 0);
});

Deno.test("PenaltyTable evicts the fewest failures first, the oldest among equals", {
  permissions,
}, () => {
  const table = tableWith({ many: 9, old: 1, two: 2, young: 1 }, 4);
  const left = () =>
    ["many", "old", "two", "young", "n1", "n2"].filter((k) => table.failures(k, 0));
  table.add("old", 0);
  assertEquals(left(), ["many", "old", "two", "young"]);
  table.add("n1", 0);
  assertEquals(left(), ["many", "old", "two", "n1"]);
  table.add("n2", 0);
  assertEquals(left(), ["many", "old", "two", "n2"]);
});

Deno.test("PenaltyTable evicts forgotten failures before anything", { permissions }, () => {
  const table = tableWith({ stale: 9 }, 2);
  const later = 20 * 3_600_000;
  table.add("fresh", later);
  table.add("new", later);
  assertEquals(["stale", "fresh", "new"].map((key) => table.failures(key, later)), [0, 1, 1]);
});

Deno.test("PenaltyTable keeps a record of many failures through a flood", { permissions }, () => {
  const table = tableWith({ guesser: 30 }, 50);
  for (let index = 0; index < 10_000; index++) table.add(`flood ${index}`, index);
  assertEquals(table.size, 50);
  assertEquals(table.failures("guesser", 10_000), 30);
});

Deno.test(
  "PenaltyTable never holds more than its limit nor waits too long",
  { permissions },
  () => {
    const step = fc.record({
      key: fc.constantFrom("a", "b", "c", "d", "e", "f"),
      action: fc.constantFrom("add", "add", "add", "touch", "forgive", "clear"),
      afterMs: fc.integer({ min: -1000, max: 10_000_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const table = new PenaltyTable(POLICY, 4);
        let nowMs = 0;
        for (const { key, action, afterMs } of steps) {
          nowMs += afterMs;
          if (action === "clear") table.clear(key);
          else table[action as "add" | "touch" | "forgive"](key, nowMs);
          const waitMs = table.waitMs(key, nowMs);
          if (table.size > 4 || waitMs < 0 || waitMs > POLICY.waitMaxMs) return false;
        }
        return true;
      }),
      { numRuns: 1000 },
    );
  },
);
