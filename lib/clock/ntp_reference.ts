/**
 * Where a server's time comes from, as its replies tell it.
 *
 * @module
 */

import { NtpLeap } from "./ntp_packet.ts";

/** Stratum of a clock that nobody vouches for: far enough down that anything better is preferred. */
export const LOCAL_STRATUM = 10;

/** Reference id of a clock that is its own reference (RFC 5905 §7.3, figure 12). */
export const LOCAL_ID = "LOCL";

/** A clock that is its own reference counts as read anew after this time, as ntpd's does. */
export const LOCAL_REFRESH_MS = 64_000;

/** The reference of a server's clock. */
export interface NtpReference {
  /** A value of `NtpLeap`. */
  readonly leap: number;
  /** 1 to 15. */
  readonly stratum: number;
  /** Four bytes. */
  readonly referenceId: Uint8Array;
  /** Delay of the way to the reference clock, there and back, in nanoseconds. */
  readonly rootDelayNs: number;
  /** What the clock may be wrong by, besides the delay, at `asOfMs`; it grows from then on. */
  readonly rootDispersionNs: number;
  /** When the clock was last set, as an NTP timestamp. */
  readonly referenceTimestamp: bigint;
  /** The moment of `rootDispersionNs`, by a monotonic clock, in milliseconds. */
  readonly asOfMs: number;
}

/**
 * The clock of this machine as its own reference. Stratum and name say that nobody vouches for it; all
 * that is known of its error is what reading it costs.
 *
 * @param precision Its precision, as the power of two of a second.
 * @param referenceTimestamp Now, as an NTP timestamp.
 * @param asOfMs Now, by the monotonic clock.
 */
export function localReference(
  precision: number,
  { referenceTimestamp, asOfMs }: Pick<NtpReference, "referenceTimestamp" | "asOfMs">,
): NtpReference {
  return {
    leap: NtpLeap.NONE,
    stratum: LOCAL_STRATUM,
    referenceId: new TextEncoder().encode(LOCAL_ID),
    rootDelayNs: 0,
    rootDispersionNs: 2 ** precision * 1e9,
    referenceTimestamp,
    asOfMs,
  };
}
