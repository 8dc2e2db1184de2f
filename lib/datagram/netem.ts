/**
 * A link that is made worse on purpose, for trying out what a bad network does: loss, duplication, delay,
 * jitter, reordering, a rate with a bounded queue, corruption. Named after the `netem` of Linux. Without
 * input or output: it takes a datagram and says what arrives of it and when.
 *
 * @module
 */

import { parseBytes, parseDuration, parseInteger, parseRate, usage } from "../term/values.ts";
import { SeededRandom } from "./seeded_random.ts";

/** What a link does to datagrams; what is not named, it does not do. */
export interface NetemOptions {
  /** Datagrams of a hundred that are lost. */
  readonly lossPercent?: number;
  /** Datagrams of a hundred that arrive twice. */
  readonly duplicatePercent?: number;
  /** How long a datagram takes. */
  readonly delayMs?: number;
  /** How far the delay of one datagram lies around that, at most; the order stays. */
  readonly jitterMs?: number;
  /** Datagrams of a hundred that are held back, so that others overtake them. */
  readonly reorderPercent?: number;
  /** Bytes a second that pass. */
  readonly bytesPerSecond?: number;
  /** Bytes that wait for the rate; what comes while they are there is lost. */
  readonly queueBytes?: number;
  /** Datagrams of a hundred in which one bit is turned over. */
  readonly corruptPercent?: number;
  /** The same seed does the same to the same datagrams. */
  readonly seed?: number;
}

/** What arrives. */
export interface NetemDelivery {
  /** When, on the caller's clock. */
  readonly atMs: number;
  /** The datagram; a copy where it was corrupted. */
  readonly bytes: Uint8Array;
}

/** Bytes that always find a place in the queue, unless it is told otherwise. */
const QUEUE_MIN_BYTES = 64 * 1024;

/** What a queue holds otherwise: so much time at its rate. */
const QUEUE_MS = 100;

/** How long a datagram is held back at least so that others overtake it. */
const HOLD_MIN_MS = 10;

/** One direction of a link. */
export class Netem {
  readonly #options: NetemOptions;
  readonly #random: SeededRandom;
  readonly #queueBytes: number;
  /** When the last byte that waits for the rate has passed. */
  #passedAtMs = -Infinity;
  /** When the last datagram that keeps its place arrives. */
  #lastAtMs = -Infinity;

  /**
   * Begins with nothing on the way.
   *
   * @param options What the link does.
   * @param random Where chance comes from; by default from the seed, else from the system.
   */
  constructor(options: NetemOptions, random?: SeededRandom) {
    const { bytesPerSecond = 0, seed = systemSeed() } = options;
    this.#options = options;
    this.#random = random ?? new SeededRandom(seed);
    const queueBytes = Math.max(QUEUE_MIN_BYTES, bytesPerSecond * QUEUE_MS / 1000);
    this.#queueBytes = options.queueBytes ?? queueBytes;
  }

  /**
   * Sends a datagram.
   *
   * @param datagram Its bytes, which must stay as they are.
   * @param nowMs The time, on a clock that never goes back.
   * @returns What arrives of it: nothing, once, or twice.
   */
  pass(datagram: Uint8Array, nowMs: number): NetemDelivery[] {
    const { lossPercent = 0, duplicatePercent = 0 } = this.#options;
    if (this.#random.chance(lossPercent)) return [];
    const count = this.#random.chance(duplicatePercent) ? 2 : 1;
    const deliveries: NetemDelivery[] = [];
    for (let i = 0; i < count; i++) {
      const passedAtMs = this.#queue(datagram.length, nowMs);
      if (passedAtMs === undefined) continue;
      deliveries.push({ atMs: this.#arrival(passedAtMs), bytes: this.#corrupted(datagram) });
    }
    return deliveries;
  }

  /** When so many bytes have passed at the rate; nothing when the queue is full. */
  #queue(bytes: number, nowMs: number): number | undefined {
    const { bytesPerSecond } = this.#options;
    if (bytesPerSecond === undefined) return nowMs;
    const waitMs = Math.max(0, this.#passedAtMs - nowMs);
    if (waitMs * bytesPerSecond / 1000 + bytes > this.#queueBytes) return undefined;
    this.#passedAtMs = nowMs + waitMs + bytes * 1000 / bytesPerSecond;
    return this.#passedAtMs;
  }

  #arrival(passedAtMs: number): number {
    const { delayMs = 0, jitterMs = 0, reorderPercent = 0 } = this.#options;
    const offsetMs = jitterMs === 0 ? 0 : this.#random.between(-jitterMs, jitterMs);
    const atMs = passedAtMs + Math.max(0, delayMs + offsetMs);
    if (this.#random.chance(reorderPercent)) {
      return atMs + this.#random.between(0, Math.max(HOLD_MIN_MS, delayMs));
    }
    this.#lastAtMs = Math.max(this.#lastAtMs, atMs);
    return this.#lastAtMs;
  }

  #corrupted(datagram: Uint8Array): Uint8Array {
    const { corruptPercent = 0 } = this.#options;
    if (datagram.length === 0 || !this.#random.chance(corruptPercent)) return datagram;
    const copy = datagram.slice();
    const at = this.#random.below(copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << this.#random.below(8));
    return copy;
  }
}

type Reader = (text: string) => number | undefined;

const PERCENT = /^(\d+(?:\.\d+)?)%?$/;
const BITS = /^(\d+(?:\.\d+)?)([kmg])bit$/i;
const BIT_UNITS: Readonly<Record<string, number>> = { k: 1e3, m: 1e6, g: 1e9 };

/** Each word with what it sets, how it is read, and what an error says is needed. */
const WORDS: Readonly<Record<string, readonly [keyof NetemOptions, Reader, string]>> = {
  loss: ["lossPercent", readPercent, "a percentage from 0 to 100"],
  dup: ["duplicatePercent", readPercent, "a percentage from 0 to 100"],
  delay: ["delayMs", parseDuration, "a duration such as 50ms"],
  jitter: ["jitterMs", parseDuration, "a duration such as 10ms"],
  reorder: ["reorderPercent", readPercent, "a percentage from 0 to 100"],
  rate: ["bytesPerSecond", readRate, "bytes a second such as 500K, or bits such as 10mbit"],
  queue: ["queueBytes", readPositive(parseBytes), "a size such as 64K"],
  corrupt: ["corruptPercent", readPercent, "a percentage from 0 to 100"],
  seed: ["seed", parseInteger, "a whole number"],
};

/**
 * Reads what a link is to do: `loss=20,dup=5,delay=50ms,jitter=10ms,reorder=5,rate=1M,corrupt=1`, and
 * `queue=` and `seed=`.
 *
 * @param text What was typed.
 * @param label What an error message calls it.
 * @throws {TrivetError} `USAGE` when it does not say that.
 */
export function parseNetem(text: string, label = "Option --netem"): NetemOptions {
  const options: { -readonly [K in keyof NetemOptions]: NetemOptions[K] } = {};
  for (const part of text.split(",")) {
    const equals = part.indexOf("=");
    const word = part.slice(0, Math.max(0, equals)).trim();
    const entry = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
    if (entry === undefined) {
      const words = Object.keys(WORDS).map((each) => `${each}=`).join(", ");
      throw usage(`${label} needs pairs of ${words}, got "${part.trim()}"`);
    }
    const [key, read, needs] = entry;
    if (options[key] !== undefined) throw usage(`${label} has "${word}=" twice`);
    const value = read(part.slice(equals + 1).trim());
    if (value === undefined) {
      throw usage(`${label} needs ${needs} as ${word}=, got "${part.trim()}"`);
    }
    options[key] = value;
  }
  return options;
}

function readPercent(text: string): number | undefined {
  const value = Number(PERCENT.exec(text)?.[1] ?? Number.NaN);
  return value >= 0 && value <= 100 ? value : undefined;
}

function readRate(text: string): number | undefined {
  const bits = BITS.exec(text);
  if (bits === null) return readPositive(parseRate)(text);
  const rate = Number(bits[1]) * (BIT_UNITS[bits[2]?.toLowerCase() ?? ""] ?? Number.NaN) / 8;
  return rate > 0 ? rate : undefined;
}

function readPositive(read: Reader): Reader {
  return (text) => {
    const value = read(text);
    return value !== undefined && value > 0 ? value : undefined;
  };
}

function systemSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}
