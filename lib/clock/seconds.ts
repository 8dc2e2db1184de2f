/**
 * Seconds since 1970 as people and the text service write them.
 *
 * @module
 */

/** Digits before the point: 300 million years, and still within those that strftime has. */
const WHOLE_DIGITS_MAX = 16;

/** Digits behind the point that are read; what is smaller than a nanosecond is left out. */
const FRACTION_DIGITS_MAX = 32;

const SECONDS = new RegExp(
  `^([+-]?)(\\d{1,${WHOLE_DIGITS_MAX}})(?:\\.(\\d{0,${FRACTION_DIGITS_MAX}}))?$`,
);
const SECOND_NS = 1_000_000_000n;
const NS_DIGITS = 9;

/**
 * Reads a number of seconds: `1700000000`, `-1.5`, `+0.123456789`. No exponent, no other base, no space.
 *
 * @param text The text.
 * @returns Nanoseconds since 1970, or `undefined` for what is no such number.
 */
export function parseSeconds(text: string): bigint | undefined {
  const parts = SECONDS.exec(text);
  if (parts === null) return undefined;
  const [, sign, whole = "", fraction = ""] = parts;
  const digits = fraction.slice(0, NS_DIGITS).padEnd(NS_DIGITS, "0");
  const ns = BigInt(whole) * SECOND_NS + BigInt(digits);
  return sign === "-" ? -ns : ns;
}
