/**
 * How long a connection lives: silence, the question whether the peer is there, and the end, which
 * both sides must hear of (RFC 9000 §10).
 *
 * @module
 */

import { CloseCode, type DatagramEnd, type DatagramState } from "./types.ts";

/** After so many probe timeouts nothing more comes (RFC 9000 §10.2). */
const LINGER_PROBE_TIMEOUTS = 3;

/** Options of {@linkcode Lifetime}. */
export interface LifetimeOptions {
  /** The time. */
  readonly now: number;
  /** Silence after which to ask. */
  readonly keepaliveMs: number;
  /** Silence after which to give up. */
  readonly idleMs: number;
}

/** See the module. */
export class Lifetime {
  readonly #options: LifetimeOptions;
  #state: DatagramState = "open";
  #end: DatagramEnd | undefined;
  #heardMs: number;
  #askedMs: number;
  #probeTimeoutMs = 0;
  /** Until when late datagrams are to be expected. */
  #closedMs = Infinity;
  /** When to say the end again: nobody acknowledges it. */
  #againMs = Infinity;
  /** Datagrams that came after this side ended the connection. */
  #late = 0;
  #mustSayEnd = false;

  /** The connection is open. */
  constructor(options: LifetimeOptions) {
    this.#options = options;
    this.#heardMs = this.#askedMs = options.now;
  }

  /** See {@linkcode DatagramState}. */
  get state(): DatagramState {
    return this.#state;
  }

  /** Why it is not open any more. */
  get end(): DatagramEnd | undefined {
    return this.#end;
  }

  /** Whether the peer must hear of the end, for the first time or again. */
  get mustSayEnd(): boolean {
    return this.#mustSayEnd;
  }

  /** When something is due next. */
  get dueMs(): number {
    if (this.#state !== "open") return Math.min(this.#closedMs, this.#againMs);
    return Math.min(this.#heardMs + this.#options.idleMs, this.#askDueMs());
  }

  /** A genuine datagram came. */
  heard(now: number): void {
    this.#heardMs = now;
  }

  /** A genuine datagram came after this side ended the connection. */
  heardLate(): void {
    this.#late += 1;
    // Ever more rarely: two sides that both have ended must not keep each other busy.
    this.#mustSayEnd = (this.#late & (this.#late - 1)) === 0;
  }

  /** The peer is told of the end now. */
  saidEnd(now: number): void {
    this.#mustSayEnd = false;
    this.#againMs = now + this.#probeTimeoutMs;
  }

  /** Lets the time after the end run; a call to end comes without the time. */
  linger(now: number): void {
    if (this.#closedMs !== Infinity) return;
    this.#closedMs = now + LINGER_PROBE_TIMEOUTS * this.#probeTimeoutMs;
  }

  /**
   * Ends the connection; the first end counts.
   *
   * @param end Why.
   * @param probeTimeoutMs How long the peer takes to answer, at most as a rule.
   */
  finish(end: DatagramEnd, probeTimeoutMs: number): void {
    if (this.#state !== "open") return;
    this.#end = end;
    this.#probeTimeoutMs = probeTimeoutMs;
    this.#state = end.by === "self" ? "closing" : end.by === "peer" ? "draining" : "closed";
    this.#mustSayEnd = end.by === "self";
  }

  /** Forgets the connection at once. */
  forget(): void {
    this.#state = "closed";
    this.#mustSayEnd = false;
  }

  /**
   * Does what is due.
   *
   * @returns Whether the peer is to be asked now whether it is there.
   */
  timeout(now: number): boolean {
    if (this.#state !== "open") {
      this.linger(now);
      if (this.#closedMs <= now) this.forget();
      else if (this.#againMs <= now) {
        this.#againMs = Infinity;
        this.#mustSayEnd = true;
      }
      return false;
    }
    if (this.#heardMs + this.#options.idleMs <= now) {
      const reason = `Nothing came for ${this.#options.idleMs} ms`;
      this.finish({ by: "idle", code: CloseCode.IDLE, reason }, 0);
      return false;
    }
    if (this.#askDueMs() > now) return false;
    this.#askedMs = now;
    return true;
  }

  #askDueMs(): number {
    return Math.max(this.#heardMs, this.#askedMs) + this.#options.keepaliveMs;
  }
}
