import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { nextTick } from "../../client/clock/next_tick.ts";

Deno.test("nextTick() keeps to the regular times, however late one was", {
  permissions: "none",
}, () => {
  const cases: [last: number, elapsedMs: number, tick: number][] = [
    [0, 0, 1],
    [0, 10, 1],
    [0, 999.9, 1],
    [1, 1000.2, 2],
    [1, 1999, 2],
    // A timer that was a little early is no reason for a second line.
    [1, 999.9, 2],
    // Exactly due now.
    [1, 3000, 3],
    // Times that have passed are left out.
    [1, 3000.1, 4],
    [1, 7500, 8],
  ];
  for (const [last, elapsedMs, tick] of cases) {
    assertEquals(nextTick(last, 1000, elapsedMs), tick, `${last} at ${elapsedMs}`);
  }
});

Deno.test("nextTick() never drifts and never bursts", { permissions: "none" }, () => {
  const delays = fc.array(fc.double({ min: 0, max: 3000, noNaN: true }), { maxLength: 50 });
  fc.assert(fc.property(delays, (delays) => {
    let [tick, nowMs] = [0, 0];
    for (const delayMs of delays) {
      nowMs += delayMs;
      const next = nextTick(tick, 1000, nowMs);
      assertEquals(next > tick, true);
      assertEquals(next * 1000 >= nowMs, true);
      assertEquals(next === tick + 1 || (next - 1) * 1000 < nowMs, true);
      tick = next;
      nowMs = tick * 1000;
    }
  }));
});
