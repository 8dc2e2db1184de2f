import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertLessOrEqual,
} from "@std/assert";
import { ANCHOR_MAX_MS, measurePrecision, StampClock } from "../../../lib/clock/stamp_clock.ts";
import { wallClockNs } from "../../../lib/clock/wall_clock.ts";
import { FakeClock } from "./testing.ts";

const permissions = "none";

Deno.test("StampClock.arrive() reads the wall clock to the nanosecond", { permissions }, () => {
  for (const text of ["2026-11-21T02:45:00.123456789Z", "1969-12-31T23:59:59.999999999Z"]) {
    const fake = new FakeClock(text);
    const clock = fake.stamps();
    clock.arrive();
    assertEquals(clock.epochNs, fake.epochNs);
    assertEquals(clock.nanoseconds, Number(fake.epochNs % 1_000_000_000n + 1_000_000_000n) % 1e9);
  }
});

Deno.test("StampClock goes on over the end of a second", { permissions }, () => {
  const fake = new FakeClock("2026-11-21T02:45:00.999Z");
  const clock = fake.stamps();
  clock.arrive();
  const { seconds } = clock;
  fake.pass(3);
  clock.arrive();
  assertEquals([clock.seconds, clock.nanoseconds], [seconds + 1, 2_000_000]);
  assertEquals(clock.epochNs, fake.epochNs);
});

Deno.test("StampClock.arrive() notices within ten milliseconds that the clock was set", {
  permissions,
}, () => {
  const fake = new FakeClock();
  const clock = fake.stamps();
  clock.arrive();
  fake.epochNs += 3_600_000_000_000n;
  fake.monotonicMs += ANCHOR_MAX_MS - 0.001;
  clock.arrive();
  assertLess(clock.epochNs, fake.epochNs - 3_000_000_000_000n);
  fake.monotonicMs += 0.001;
  clock.arrive();
  assertEquals(clock.epochNs, fake.epochNs);
});

Deno.test("StampClock.leave() is never before arrive(), even when the clock is set back", {
  permissions,
}, () => {
  const fake = new FakeClock();
  const clock = fake.stamps();
  clock.arrive();
  const arrived = clock.epochNs;
  fake.epochNs -= 1_000_000_000n;
  fake.monotonicMs -= 5;
  clock.leave();
  assertEquals(clock.epochNs, arrived);
  fake.monotonicMs += 5 + 2 * ANCHOR_MAX_MS;
  clock.leave();
  assertEquals(clock.epochNs, arrived + BigInt(2 * ANCHOR_MAX_MS) * 1_000_000n);
});

Deno.test("StampClock takes the tightest of its pairs of readings", { permissions }, () => {
  // The process is held up for a second between the first two readings.
  const readings = [0, 1000, 1000.001, 1000.002];
  let epochNs = 0n;
  let count = 0;
  const clock = new StampClock({
    monotonicMs: () => readings[Math.min(count++, readings.length - 1)] ?? 0,
    wallNs: () => epochNs += 1_000_000_000n,
  });
  clock.arrive();
  // The second pair: 2 s at 1000.0005 ms.
  assertLess(Math.abs(Number(clock.epochNs - 2_000_000_000n)), 2000);
});

Deno.test("StampClock agrees with the clock of this machine", { permissions }, () => {
  const clock = new StampClock();
  for (let i = 0; i < 1000; i++) {
    const before = wallClockNs();
    clock.arrive();
    const arrived = clock.epochNs;
    clock.leave();
    const after = wallClockNs();
    assertGreaterOrEqual(clock.epochNs, arrived);
    // The two clocks are read one after the other; somebody may slew one of them meanwhile.
    assertGreaterOrEqual(arrived, before - 2_000_000n);
    assertLessOrEqual(clock.epochNs, after + 2_000_000n);
  }
});

for (
  const [stepMs, precision] of [[1, -9], [0.001, -19], [0.0001, -23], [1e-9, -30], [
    1000,
    -6,
  ]] as const
) {
  Deno.test(`measurePrecision() of a clock with steps of ${stepMs} ms is ${precision}`, {
    permissions,
  }, () => {
    let count = 0;
    assertEquals(measurePrecision(() => Math.floor(count++ / 3) * stepMs), precision);
  });
}

Deno.test(
  "measurePrecision() of this machine is better than a millisecond",
  { permissions },
  () => {
    assert(measurePrecision() <= -10);
  },
);
