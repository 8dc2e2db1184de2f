/**
 * Limits how fast something goes, sans-IO: told the time and an amount, it says how long to wait.
 *
 * @module
 */

/** What may go at once after a pause, as time at the full rate. */
const BURST_MS = 250;

/** Options of {@linkcode TokenBucket}. */
export interface TokenBucketOptions {
  /** Time at the full rate that may be saved up in a pause (default 250 ms). */
  readonly burstMs?: number;
}

/**
 * A token bucket that may go into debt: an amount larger than the bucket passes too, and whatever
 * comes behind it waits until the debt is paid. So the mean never exceeds the rate by more than one
 * burst.
 */
export class TokenBucket {
  readonly #msPerByte: number;
  readonly #burstMs: number;
  /** When the bucket is full again; in the future while there is a debt. */
  #fullAtMs = -Infinity;

  /**
   * Begins full.
   *
   * @param bytesPerSecond The rate, above 0.
   * @param options How much may be saved up.
   * @throws {RangeError} If the rate is not above 0.
   */
  constructor(bytesPerSecond: number, options: TokenBucketOptions = {}) {
    if (!(bytesPerSecond > 0)) {
      throw new RangeError(`Cannot limit the rate to ${bytesPerSecond} bytes per second`);
    }
    this.#msPerByte = 1000 / bytesPerSecond;
    this.#burstMs = options.burstMs ?? BURST_MS;
  }

  /**
   * Takes some bytes out.
   *
   * @param bytes How many go now.
   * @param nowMs The time, on a clock that never goes back.
   * @returns How long to wait, in milliseconds, before these bytes go.
   */
  take(bytes: number, nowMs: number): number {
    const begun = Math.max(this.#fullAtMs, nowMs - this.#burstMs);
    this.#fullAtMs = begun + bytes * this.#msPerByte;
    return Math.max(0, this.#fullAtMs - nowMs);
  }
}
