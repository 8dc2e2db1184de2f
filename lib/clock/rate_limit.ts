/**
 * How many datagrams of one source are answered. Each source has a token bucket; beyond it, one in
 * four is still answered at random, as chrony does, so that somebody who forges a victim's address can
 * slow the victim down but never cut it off.
 *
 * @module
 */

import { sourceKey } from "../auth/source_key.ts";

/** Answers a second for one source, in the long run. */
export const ANSWERS_PER_SECOND = 100;

/** Answers that a source may get at once. */
export const ANSWERS_BURST = 200;

/** Most addresses to remember. */
export const SOURCES_MAX = 16_384;

/** Of the datagrams beyond the limit, this share is answered (chrony.conf, `leak 2`). */
export const LEAK_SHARE = 0.25;

/** And this share is refused, where the protocol has a word for that (chrony.conf, `kod 2`). */
export const REFUSE_SHARE = 0.25;

/** What to do with a datagram. */
export type Verdict = "answer" | "refuse" | "drop";

/** Options of {@linkcode RateLimit}. */
export interface RateLimitOptions {
  /** Answers a second for one source; 0 is no limit (default: 100). */
  readonly perSecond?: number;
  /** Answers that a source may get at once (default: 200). */
  readonly burst?: number;
  /** Most addresses to remember (default: 16 384). */
  readonly sourcesMax?: number;
  /** Chooses whom to answer beyond the limit, 0 to 1 (default: `Math.random`). */
  readonly random?: () => number;
}

/** What a source has left. */
interface Bucket {
  tokens: number;
  /** When that was reckoned. */
  atMs: number;
}

/**
 * Counts datagrams by source. Addresses are kept in two generations: what was not heard of for a
 * whole generation is forgotten and starts with a full bucket, should it come again.
 */
export class RateLimit {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #generationMax: number;
  readonly #random: () => number;
  /** Whoever asked last often asks again; a comparison is cheaper than a look into the table. */
  #lastAddress = "";
  #lastBucket: Bucket | undefined;
  #young = new Map<string, Bucket>();
  #old = new Map<string, Bucket>();

  /** Makes a limit that has heard of nobody. */
  constructor(options: RateLimitOptions = {}) {
    const { perSecond = ANSWERS_PER_SECOND, burst = ANSWERS_BURST } = options;
    this.#perMs = perSecond === 0 ? Infinity : perSecond / 1000;
    this.#burst = Math.max(burst, 1);
    this.#generationMax = Math.max(Math.floor((options.sourcesMax ?? SOURCES_MAX) / 2), 1);
    this.#random = options.random ?? Math.random;
  }

  /** Number of addresses that are remembered; never more than the limit. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /**
   * Counts a datagram.
   *
   * @param address Where it comes from; an IPv6 network of 64 bits counts as one source.
   * @param nowMs The time. A clock that is set forward fills buckets, one that is set back empties none.
   * @returns What to do. `refuse` is `drop` for a protocol that cannot refuse.
   */
  check(address: string, nowMs: number): Verdict {
    if (this.#perMs === Infinity) return "answer";
    const bucket = this.#bucketOf(address, nowMs);
    const passedMs = Math.max(nowMs - bucket.atMs, 0);
    const tokens = Math.min(bucket.tokens + passedMs * this.#perMs, this.#burst);
    bucket.atMs = nowMs;
    if (tokens >= 1) {
      bucket.tokens = tokens - 1;
      return "answer";
    }
    bucket.tokens = tokens;
    const chance = this.#random();
    return chance < LEAK_SHARE ? "answer" : chance < LEAK_SHARE + REFUSE_SHARE ? "refuse" : "drop";
  }

  #bucketOf(address: string, nowMs: number): Bucket {
    const last = this.#lastBucket;
    if (last !== undefined && this.#lastAddress === address) return last;
    const bucket = this.#young.get(address) ?? this.#enter(address, nowMs);
    this.#lastAddress = address;
    this.#lastBucket = bucket;
    return bucket;
  }

  /** Finds or makes the bucket of an address that is not in the young generation. */
  #enter(address: string, nowMs: number): Bucket {
    let bucket = this.#old.get(address);
    if (bucket === undefined && address.includes(":")) bucket = this.#enterNetwork(address, nowMs);
    bucket ??= { tokens: this.#burst, atMs: nowMs };
    this.#put(address, bucket);
    return bucket;
  }

  /** Addresses of one IPv6 network share the bucket of the network; so do both forms of IPv4. */
  #enterNetwork(address: string, nowMs: number): Bucket {
    const key = sourceKey(address);
    const bucket = this.#young.get(key) ?? this.#old.get(key) ??
      { tokens: this.#burst, atMs: nowMs };
    this.#put(key, bucket);
    return bucket;
  }

  #put(key: string, bucket: Bucket): void {
    this.#old.delete(key);
    if (this.#young.size >= this.#generationMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, bucket);
  }
}
