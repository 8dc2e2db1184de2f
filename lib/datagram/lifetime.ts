/**
 * How long a connection lives: silence, the question whether the peer is there, and the end, which
 * both sides must hear of (RFC 9000 §10).
 *
 * @module
 */

import { CloseCode, type DatagramEnd, type DatagramState } from "./types.ts";

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
  #closedMs = Infinity;
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
    if (this.#state !== "open") return this.#closedMs;
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
  saidEnd(): void {
    this.#mustSayEnd = false;
  }

  /**
   * Ends the connection; the first end counts.
   *
   * @param end Why.
   * @param closedMs Until when late datagrams are to be expected.
   */
  finish(end: DatagramEnd, closedMs: number): void {
    if (this.#state !== "open") return;
    this.#end = end;
    this.#closedMs = closedMs;
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
      if (this.#closedMs <= now) this.forget();
      return false;
    }
    if (this.#heardMs + this.#options.idleMs <= now) {
      const reason = `Nothing came for ${this.#options.idleMs} ms`;
      this.finish({ by: "idle", code: CloseCode.IDLE, reason }, now);
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
