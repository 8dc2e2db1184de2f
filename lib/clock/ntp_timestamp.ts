/**
 * The two time formats of NTP packets (RFC 5905 §6): 64 bits for an instant, 32 bits for a span. Both
 * are fixed-point numbers, so nothing here goes through a floating-point instant.
 *
 * @module
 */

const SECOND_NS = 1_000_000_000n;
const MASK_32 = 0xffff_ffffn;
const MASK_64 = 0xffff_ffff_ffff_ffffn;

/** Seconds from 1900, where NTP's era 0 begins, to 1970 (RFC 5905 §6, figure 4). */
export const NTP_UNIX_OFFSET_S = 2_208_988_800;

const OFFSET_S = BigInt(NTP_UNIX_OFFSET_S);
/** The largest span that a short format can tell, as its 32 bits. */
const SHORT_MAX = 0xffff_ffff;
const SHORT_UNITS_PER_S = 65_536;

/**
 * An instant as NTP writes it: 32 bits of seconds and 32 bits of a fraction, counted from 1900 and from
 * 2036 and every 2^32 seconds before and after that anew (RFC 5905 §6).
 *
 * @param epochNs Nanoseconds since 1970; may be negative.
 * @returns 64 bits, from which {@linkcode unixNsFromNtp} makes exactly `epochNs` again. 0, which
 * means "unknown" in packets, comes out only for the first instant of an era.
 */
export function ntpFromUnixNs(epochNs: bigint): bigint {
  let seconds = epochNs / SECOND_NS;
  let ns = epochNs % SECOND_NS;
  if (ns < 0n) {
    seconds -= 1n;
    ns += SECOND_NS;
  }
  return ((seconds + OFFSET_S << 32n) + (ns << 32n) / SECOND_NS) & MASK_64;
}

/**
 * The instant that a 64-bit NTP timestamp means. The era is not in the packet: of all instants with
 * these bits, the one next to a known instant is taken (RFC 5905 §6), which is right within 68 years.
 *
 * @param timestamp 64 bits.
 * @param nearNs An instant nearby, such as now, in nanoseconds since 1970.
 * @returns Nanoseconds since 1970, rounded to the nearest.
 */
export function unixNsFromNtp(timestamp: bigint, nearNs: bigint): bigint {
  const near = nearNs / SECOND_NS + OFFSET_S;
  // The low 32 bits of the distance as a signed number lead to the nearest era.
  const seconds = near + BigInt.asIntN(32, (timestamp >> 32n) - near) - OFFSET_S;
  const ns = ((timestamp & MASK_32) * SECOND_NS + 0x8000_0000n) >> 32n;
  return seconds * SECOND_NS + ns;
}

/**
 * A span as NTP's short format writes it: 16 bits of seconds, 16 bits of a fraction (RFC 5905 §6).
 *
 * @param ns Nanoseconds. A negative span becomes 0, one of 65 536 seconds or more the largest there is.
 * @returns 32 bits, rounded up, since spans in packets are bounds of errors.
 */
export function ntpShortFromNs(ns: number): number {
  const units = Math.ceil(ns * SHORT_UNITS_PER_S / Number(SECOND_NS));
  return Math.min(Math.max(units, 0), SHORT_MAX);
}

/**
 * The span that a 32-bit short format means.
 *
 * @param units 32 bits, unsigned.
 * @returns Nanoseconds, not rounded.
 */
export function nsFromNtpShort(units: number): number {
  return units * Number(SECOND_NS) / SHORT_UNITS_PER_S;
}
