/**
 * Numbers as an option takes them, written so that reading them again gives the same number.
 *
 * @module
 */

const SIZE_LETTERS = ["", "K", "M", "G", "T", "P"] as const;

const DURATION_UNITS = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "m"],
  [1000, "s"],
] as const;

/**
 * A number of bytes in the largest unit that divides it.
 *
 * @param bytes Whole bytes, not negative.
 * @returns Such as `10G`, `1536M`, `1000`.
 */
export function exactBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value > 0 && value % 1024 === 0 && unit < SIZE_LETTERS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value}${SIZE_LETTERS[unit]}`;
}

/**
 * A duration in the largest unit that divides it.
 *
 * @param duration_ms Whole milliseconds, not negative.
 * @returns Such as `30d`, `90s`, `1500ms`.
 */
export function exactDuration(duration_ms: number): string {
  const [unit_ms, name] = duration_ms === 0
    ? [1, "ms"]
    : DURATION_UNITS.find(([unit_ms]) => duration_ms % unit_ms === 0) ?? [1, "ms"];
  return `${duration_ms / unit_ms}${name}`;
}
