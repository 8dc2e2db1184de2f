/**
 * The round-trip time, estimated as RFC 9002 §5 says.
 *
 * @module
 */

/** Assumed before the first sample (RFC 9002 §6.2.2). */
export const RTT_INITIAL_MS = 333;
/** Finest time that timers are trusted with (RFC 9002 §6.1.2). */
export const GRANULARITY_MS = 1;
/** Longest that an acknowledgement waits for company; both sides know it. */
export const ACK_DELAY_MAX_MS = 10;

/** See the module. */
export class RoundTripTime {
  #latestMs = RTT_INITIAL_MS;
  #smoothedMs = RTT_INITIAL_MS;
  #deviationMs = RTT_INITIAL_MS / 2;
  #minMs = Infinity;

  /** Whether there was a sample. */
  get isKnown(): boolean {
    return this.#minMs !== Infinity;
  }

  /** The smoothed round-trip time. */
  get smoothedMs(): number {
    return this.#smoothedMs;
  }

  /** The smoothed deviation from it. */
  get deviationMs(): number {
    return this.#deviationMs;
  }

  /** The smallest sample; what is assumed while there is none. */
  get minMs(): number {
    return this.isKnown ? this.#minMs : RTT_INITIAL_MS;
  }

  /** How much later than a packet sent after it a packet may be acknowledged (RFC 9002 §6.1.2). */
  get lossDelayMs(): number {
    return Math.max(9 / 8 * Math.max(this.#latestMs, this.#smoothedMs), GRANULARITY_MS);
  }

  /** How long to wait for an acknowledgement before asking (RFC 9002 §6.2.1). */
  get probeTimeoutMs(): number {
    return this.#smoothedMs + Math.max(4 * this.#deviationMs, GRANULARITY_MS) + ACK_DELAY_MAX_MS;
  }

  /**
   * Takes a sample.
   *
   * @param sampleMs From sending to the acknowledgement.
   * @param ackDelayMs How long the peer says that it waited.
   */
  sample(sampleMs: number, ackDelayMs: number): void {
    this.#latestMs = sampleMs;
    if (!this.isKnown) {
      this.#minMs = sampleMs;
      this.#smoothedMs = sampleMs;
      this.#deviationMs = sampleMs / 2;
      return;
    }
    this.#minMs = Math.min(this.#minMs, sampleMs);
    const delayMs = Math.min(ackDelayMs, ACK_DELAY_MAX_MS);
    // A delay that would make it smaller than ever seen is not believed.
    const adjustedMs = sampleMs >= this.#minMs + delayMs ? sampleMs - delayMs : sampleMs;
    this.#deviationMs = 3 / 4 * this.#deviationMs +
      1 / 4 * Math.abs(this.#smoothedMs - adjustedMs);
    this.#smoothedMs = 7 / 8 * this.#smoothedMs + 1 / 8 * adjustedMs;
  }

  /** Forgets everything: another path has another time. */
  reset(): void {
    this.#latestMs = this.#smoothedMs = RTT_INITIAL_MS;
    this.#deviationMs = RTT_INITIAL_MS / 2;
    this.#minMs = Infinity;
  }
}
