/**
 * The clock of this machine in whole nanoseconds. `Date.now()` has milliseconds only, and a
 * floating-point number of nanoseconds since 1970 is wrong by 128 of them.
 *
 * @module
 */

/** A source of the time: nanoseconds since 1970. */
export type WallClock = () => bigint;

/**
 * Reads the clock of this machine.
 *
 * @returns Nanoseconds since 1970, without leap seconds.
 */
export function wallClockNs(): bigint {
  return Temporal.Now.instant().epochNanoseconds;
}
