/**
 * Spreads datagrams over the round trip (RFC 9002 §7.7): a burst of a whole window would overrun the
 * queues on the way. The generic cell rate algorithm, so that the moment of the next release is exact.
 *
 * @module
 */

import { WINDOW_INITIAL_BYTES } from "./congestion.ts";
import { GRANULARITY_MS } from "./rtt.ts";

/** Faster than one window a round trip, so that pacing is never what limits (RFC 9002 §7.7). */
const GAIN = 1.25;
/** In slow start the window doubles meanwhile. */
const GAIN_SLOW_START = 2;
/** A burst may stand for so much time: timers come late. */
const BURST_MS = 4;

/** What the rate depends on. */
export interface PacingInput {
  /** The congestion window, in bytes. */
  readonly windowBytes: number;
  /** The smoothed round-trip time. */
  readonly rttMs: number;
  /** Whether the window doubles with each round trip. */
  readonly isSlowStart: boolean;
}

/** See the module. */
export class Pacer {
  /** When all that was sent would have been sent at the rate. */
  #evenMs = -Infinity;

  /**
   * When the next datagram may be sent; it may be in the past.
   *
   * @param input What the rate depends on now.
   */
  releaseMs(input: PacingInput): number {
    const burstMs = Math.max(WINDOW_INITIAL_BYTES / rateOf(input), BURST_MS);
    return this.#evenMs - burstMs;
  }

  /**
   * Notes what was sent.
   *
   * @param bytes How many.
   * @param now The time.
   * @param input What the rate depends on now.
   */
  sent(bytes: number, now: number, input: PacingInput): void {
    this.#evenMs = Math.max(this.#evenMs, now) + bytes / rateOf(input);
  }
}

/** Bytes a millisecond. */
function rateOf({ windowBytes, rttMs, isSlowStart }: PacingInput): number {
  return (isSlowStart ? GAIN_SLOW_START : GAIN) * windowBytes / Math.max(rttMs, GRANULARITY_MS);
}
