/**
 * When an idle link is pinged and when it is given up, as a value: the owner has the clock and the
 * timer.
 *
 * @module
 */

/** An idle link is pinged after this long. */
export const PING_AFTER_MS = 30_000;

/** A link from which nothing came for this long is closed. */
export const CLOSE_AFTER_MS = 90_000;

/** Options of {@linkcode Keepalive}. */
export interface KeepaliveOptions {
  /** Silence before a ping, in milliseconds. */
  readonly pingAfterMs?: number;
  /** Silence before the link is closed, in milliseconds. */
  readonly closeAfterMs?: number;
}

/** What to do now, and when to ask again. */
export interface KeepaliveStep {
  /** `ping` the peer, `close` the link, or do nothing. */
  readonly action: "none" | "ping" | "close";
  /** When to ask again, in milliseconds from now; 0 after `close`. */
  readonly waitMs: number;
}

/** Decides for one link. */
export class Keepalive {
  readonly #pingAfterMs: number;
  readonly #closeAfterMs: number;
  /** The silence that was pinged already, by its first moment. */
  #pingedSilenceMs: number | null = null;
  /** When this side was last seen to hold the link back. */
  #heldAtMs = -Infinity;

  constructor(options: KeepaliveOptions = {}) {
    this.#pingAfterMs = options.pingAfterMs ?? PING_AFTER_MS;
    this.#closeAfterMs = options.closeAfterMs ?? CLOSE_AFTER_MS;
  }

  /**
   * Decides at `nowMs` for a link whose last bytes came at `lastReceivedMs` (both of one clock).
   */
  step(nowMs: number, lastReceivedMs: number): KeepaliveStep {
    const silenceMs = nowMs - Math.max(lastReceivedMs, this.#heldAtMs);
    if (silenceMs >= this.#closeAfterMs) return { action: "close", waitMs: 0 };
    if (silenceMs < this.#pingAfterMs) {
      return { action: "none", waitMs: this.#pingAfterMs - silenceMs };
    }
    const waitMs = this.#closeAfterMs - silenceMs;
    if (this.#pingedSilenceMs === lastReceivedMs) return { action: "none", waitMs };
    this.#pingedSilenceMs = lastReceivedMs;
    return { action: "ping", waitMs };
  }

  /**
   * Decides at `nowMs` while this side does not read, because what came last is still being worked
   * on: the peer's silence means nothing then, but it must hear that this side lives.
   */
  stepHeld(nowMs: number): KeepaliveStep {
    this.#heldAtMs = nowMs;
    return { action: "ping", waitMs: this.#pingAfterMs };
  }
}
