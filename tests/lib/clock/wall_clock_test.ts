import { assert, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { wallClockNs } from "../../../lib/clock/wall_clock.ts";

const MS = 1_000_000n;

Deno.test("wallClockNs() agrees with Date.now()", { permissions: "none" }, () => {
  const before = BigInt(Date.now());
  const ns = wallClockNs();
  const after = BigInt(Date.now());
  assertGreaterOrEqual(ns / MS, before);
  assertLessOrEqual(ns / MS, after);
});

/** The clock of macOS counts microseconds. */
const isCoarse = Deno.build.os === "darwin";
const COARSE = isCoarse ? " (skipped: the clock of this system does not)" : "";

Deno.test(`wallClockNs() tells more than microseconds${COARSE}`, {
  permissions: "none",
  ignore: isCoarse,
}, () => {
  // That a thousand readings all end in 000 has a chance of 10^-3000 with a clock of nanoseconds.
  const readings = Array.from({ length: 1000 }, wallClockNs);
  assert(readings.some((ns) => ns % 1000n !== 0n));
});
