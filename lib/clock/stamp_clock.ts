/**
 * Stamps for datagrams: the clock of this machine, read twice for each of them without allocating. The
 * wall clock costs an object and a BigInt a reading; so it is read now and then, and the cheap monotonic
 * clock says what has passed since. What goes through floating point are spans of milliseconds.
 *
 * @module
 */

import { type WallClock, wallClockNs } from "./wall_clock.ts";

/**
 * The wall clock is read again after this time, so a clock that somebody sets is noticed as fast. What
 * an NTP daemon slews reaches both clocks alike.
 */
export const ANCHOR_MAX_MS = 10;

/** The two readings of an anchor should lie no further apart, or it is tried again. */
const ANCHOR_GAP_MS = 0.005;
const ANCHOR_TRIES = 3;

const NS_PER_MS = 1e6;
const NS_PER_SECOND = 1_000_000_000;
const SECOND_NS = 1_000_000_000n;

/** RFC 5905 §7.3 lets 2^-6 to 2^-30 of a second pass for the precision of a clock of today. */
const PRECISION_MIN = -30;
const PRECISION_MAX = -6;
const PRECISION_READINGS = 2000;

/** Where a {@linkcode StampClock} reads. */
export interface StampClockOptions {
  /** Nanoseconds since 1970 (default: this machine's clock). */
  readonly wallNs?: WallClock;
  /** Milliseconds by a clock that nobody sets (default: `performance.now`). */
  readonly monotonicMs?: () => number;
}

/** See the module. The three fields are the last reading. */
export class StampClock {
  readonly #wallNs: WallClock;
  readonly #monotonicMs: () => number;
  #anchorMs = -Infinity;
  #anchorSeconds = 0;
  #anchorNs = 0;
  #nowMs = 0;
  #seconds = 0;
  #nanoseconds = 0;

  /** Makes a clock; nothing is read yet. */
  constructor(options: StampClockOptions = {}) {
    this.#wallNs = options.wallNs ?? wallClockNs;
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
  }

  /** Whole seconds since 1970. */
  get seconds(): number {
    return this.#seconds;
  }

  /** Nanoseconds since the last whole second, 0 to 999 999 999. */
  get nanoseconds(): number {
    return this.#nanoseconds;
  }

  /** The same moment by the monotonic clock, in milliseconds. */
  get monotonicMs(): number {
    return this.#nowMs;
  }

  /** The reading as nanoseconds since 1970. */
  get epochNs(): bigint {
    return BigInt(this.#seconds) * SECOND_NS + BigInt(this.#nanoseconds);
  }

  /** Reads the clock when something arrives. */
  arrive(): void {
    const nowMs = this.#monotonicMs();
    // A monotonic clock does not go back; should one do so, the anchor is worthless.
    const ageMs = nowMs - this.#anchorMs;
    this.#set(ageMs >= 0 && ageMs < ANCHOR_MAX_MS ? nowMs : this.#anchor(nowMs));
  }

  /** Reads the clock again before the answer leaves: never earlier than {@linkcode arrive}. */
  leave(): void {
    this.#set(Math.max(this.#monotonicMs(), this.#nowMs));
  }

  #set(nowMs: number): void {
    const ns = Math.floor(this.#anchorNs + (nowMs - this.#anchorMs) * NS_PER_MS);
    const carry = Math.floor(ns / NS_PER_SECOND);
    this.#nowMs = nowMs;
    this.#seconds = this.#anchorSeconds + carry;
    this.#nanoseconds = ns - carry * NS_PER_SECOND;
  }

  /** Reads both clocks together; the pair with the least time in between counts. */
  #anchor(nowMs: number): number {
    let bestMs = Infinity;
    let beforeMs = nowMs;
    for (let tries = 0; tries < ANCHOR_TRIES && bestMs > ANCHOR_GAP_MS; tries++) {
      const wallNs = this.#wallNs();
      const afterMs = this.#monotonicMs();
      if (afterMs - beforeMs < bestMs) {
        bestMs = afterMs - beforeMs;
        this.#anchorMs = (beforeMs + afterMs) / 2;
        const seconds = wallNs / SECOND_NS;
        this.#anchorSeconds = Number(seconds);
        this.#anchorNs = Number(wallNs - seconds * SECOND_NS);
      }
      beforeMs = afterMs;
    }
    return beforeMs;
  }
}

/**
 * Measures the precision of a clock: the smallest step between two readings (RFC 5905 §7.3).
 *
 * @param monotonicMs The clock, in milliseconds (default: `performance.now`).
 * @returns The power of two of a second, rounded up; −30 to −6.
 */
export function measurePrecision(monotonicMs: () => number = () => performance.now()): number {
  let leastMs = Infinity;
  let lastMs = monotonicMs();
  for (let i = 0; i < PRECISION_READINGS; i++) {
    const nowMs = monotonicMs();
    if (nowMs > lastMs) leastMs = Math.min(leastMs, nowMs - lastMs);
    lastMs = nowMs;
  }
  const precision = Math.ceil(Math.log2(leastMs / 1000));
  return Math.min(Math.max(precision, PRECISION_MIN), PRECISION_MAX);
}
