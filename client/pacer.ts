/**
 * Holds a transfer to a rate: a token bucket with a clock and a sleep.
 *
 * @module
 */

import { DATA_SEND_BYTES } from "../lib/transfer/sender.ts";
import { sleep } from "./retry.ts";
import { TokenBucket } from "../lib/transfer/token_bucket.ts";

/** Frames of a limited transfer carry at least this much. */
const DATA_BYTES_MIN = 4096;

/** Frames a second of a slow transfer, so that it goes evenly. */
const FRAMES_PER_SECOND = 20;

/** See the module. */
export class Pacer {
  /** Bytes of one DATA frame at this rate. */
  readonly dataBytes: number;
  readonly #bucket: TokenBucket;

  /**
   * Begins without a debt.
   *
   * @param bytesPerSecond The rate, above 0.
   */
  constructor(bytesPerSecond: number) {
    this.#bucket = new TokenBucket(bytesPerSecond);
    const even = Math.floor(bytesPerSecond / FRAMES_PER_SECOND);
    this.dataBytes = Math.min(DATA_SEND_BYTES, Math.max(DATA_BYTES_MIN, even));
  }

  /**
   * Waits until some bytes may go.
   *
   * @returns Nothing when they may go at once.
   * @throws The signal's reason.
   */
  pass(bytes: number, signal?: AbortSignal): void | Promise<void> {
    const waitMs = this.#bucket.take(bytes, performance.now());
    if (waitMs >= 1) return sleep(waitMs, signal);
  }
}
