/**
 * How many bytes may be under way: NewReno as RFC 9002 §7 has it, so that the connection fills a link
 * and shares it with others.
 *
 * @module
 */

import { DATAGRAM_MAX_BYTES } from "./types.ts";

/** The window at the start (RFC 9002 §7.2). */
export const WINDOW_INITIAL_BYTES: number = 10 * DATAGRAM_MAX_BYTES;
/** The smallest window. */
export const WINDOW_MIN_BYTES: number = 2 * DATAGRAM_MAX_BYTES;
/** The largest; beyond it, more only fills queues on the way. */
export const WINDOW_MAX_BYTES: number = 32 * 1024 * 1024;

/** See the module. */
export class CongestionWindow {
  #windowBytes = WINDOW_INITIAL_BYTES;
  #thresholdBytes = Infinity;
  #inFlightBytes = 0;
  #recoveryStartMs = -Infinity;

  /** How many bytes may be under way. */
  get windowBytes(): number {
    return this.#windowBytes;
  }

  /** How many are. */
  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  /** Whether the window doubles with each round trip. */
  get isSlowStart(): boolean {
    return this.#windowBytes < this.#thresholdBytes;
  }

  /** Whether so many bytes may be sent; of more than fit in a datagram, whether a full one may. */
  hasRoom(bytes: number): boolean {
    return this.#inFlightBytes + Math.min(bytes, DATAGRAM_MAX_BYTES) <= this.#windowBytes;
  }

  /** Notes what was sent. */
  sent(bytes: number): void {
    this.#inFlightBytes += bytes;
  }

  /** Takes out what is not awaited any more, without any conclusion from it. */
  forget(bytes: number): void {
    this.#inFlightBytes -= bytes;
  }

  /**
   * Notes what was acknowledged.
   *
   * @param bytes The size of the datagram.
   * @param sentMs When it was sent.
   * @param isUsed Whether the window was what held the sender back; else it would grow untested.
   */
  acknowledged(bytes: number, { sentMs, isUsed }: { sentMs: number; isUsed: boolean }): void {
    this.#inFlightBytes -= bytes;
    if (!isUsed || sentMs <= this.#recoveryStartMs) return;
    const grownBytes = this.isSlowStart ? bytes : DATAGRAM_MAX_BYTES * bytes / this.#windowBytes;
    this.#windowBytes = Math.min(this.#windowBytes + grownBytes, WINDOW_MAX_BYTES);
  }

  /**
   * Halves the window, once for all that was sent before it was halved (RFC 9002 §7.3.2).
   *
   * @param sentMs When the newest lost datagram was sent.
   * @param now The time.
   */
  lost(sentMs: number, now: number): void {
    if (sentMs <= this.#recoveryStartMs) return;
    this.#recoveryStartMs = now;
    this.#windowBytes = Math.max(this.#windowBytes / 2, WINDOW_MIN_BYTES);
    this.#thresholdBytes = this.#windowBytes;
  }

  /** Nothing came through for long (RFC 9002 §7.6.2). */
  collapse(): void {
    this.#windowBytes = WINDOW_MIN_BYTES;
    this.#recoveryStartMs = -Infinity;
  }

  /** Ends slow start without a loss. */
  leaveSlowStart(): void {
    if (this.isSlowStart) this.#thresholdBytes = this.#windowBytes;
  }

  /** Begins again for another path; what is under way stays under way. */
  reset(): void {
    this.#windowBytes = WINDOW_INITIAL_BYTES;
    this.#thresholdBytes = Infinity;
    this.#recoveryStartMs = -Infinity;
  }
}
