/**
 * A bounded table of failures with growing, decaying penalties: what the login throttle keeps for sources, for
 * accounts and for pairs of both. Pure: the clock is passed in.
 *
 * @module
 */

/** How failures under one key turn into waiting. */
export interface PenaltyPolicy {
  /** Failures that cost nothing. */
  readonly free: number;
  /** Wait after the last free failure; each further one doubles it. */
  readonly waitMs: number;
  /** The longest wait. */
  readonly waitMaxMs: number;
  /** In this time half of the failures are forgotten. */
  readonly halfLifeMs: number;
}

/** Failures under one key. */
interface Entry {
  /** As of `lastMs`; decays from then on, so not a whole number. */
  readonly failures: number;
  /** When the last failure happened. */
  readonly lastMs: number;
}

/** Entries with this many failures, less one, or more are evicted last, oldest first. */
const LEVELS = 16;

/**
 * Counts failures by key. When it is full, the entry that protects least goes: one whose failures are
 * forgotten, else one with the fewest failures, the oldest among equals. So a flood of new keys pushes out its own
 * entries, not the record of somebody who has failed often.
 */
export class PenaltyTable {
  readonly #policy: PenaltyPolicy;
  readonly #entriesMax: number;
  /** Index: number of failures, capped; within a level a Map keeps the order of the last change. */
  readonly #levels: readonly Map<string, Entry>[] = Array.from({ length: LEVELS }, () => new Map());

  /**
   * Makes an empty table.
   *
   * @param policy How failures turn into waiting.
   * @param entriesMax Most keys to remember.
   */
  constructor(policy: PenaltyPolicy, entriesMax: number) {
    this.#policy = policy;
    this.#entriesMax = entriesMax;
  }

  /** Number of keys; never more than the limit. */
  get size(): number {
    return this.#levels.reduce((sum, level) => sum + level.size, 0);
  }

  /** Failures of `key` that are not forgotten, as a whole number. */
  failures(key: string, nowMs: number): number {
    const entry = this.#find(key);
    return entry === undefined ? 0 : Math.round(this.#remaining(entry, nowMs));
  }

  /** How long one has to wait after the last failure of `key`, whenever that was; 0 while they are free. */
  penaltyMs(key: string, nowMs: number): number {
    const { free, waitMs, waitMaxMs } = this.#policy;
    const beyond = this.failures(key, nowMs) - free;
    return beyond < 0 ? 0 : Math.min(waitMaxMs, waitMs * 2 ** beyond);
  }

  /** How long one has to wait from now on; 0 if not at all. */
  waitMs(key: string, nowMs: number): number {
    // A clock that was set back must not lengthen a penalty.
    const lastMs = Math.min(this.#find(key)?.lastMs ?? nowMs, nowMs);
    return Math.max(0, lastMs + this.penaltyMs(key, nowMs) - nowMs);
  }

  /** Adds one failure. */
  add(key: string, nowMs: number): void {
    const entry = this.#take(key);
    const failures = entry === undefined ? 0 : this.#remaining(entry, nowMs);
    if (entry === undefined && this.size >= this.#entriesMax) this.#evict(nowMs);
    this.#put(key, { failures: failures + 1, lastMs: nowMs });
  }

  /** Counts the wait from now on: a failure that was added when the attempt began is confirmed. */
  touch(key: string, nowMs: number): void {
    const entry = this.#take(key);
    if (entry === undefined) return;
    this.#put(key, { failures: this.#remaining(entry, nowMs), lastMs: nowMs });
  }

  /** Takes one failure back. */
  forgive(key: string, nowMs: number): void {
    const entry = this.#take(key);
    if (entry === undefined) return;
    // The time of the last failure stays, so what is taken back is scaled to that time.
    const failures = entry.failures - 1 / this.#decay(entry, nowMs);
    if (failures > 0) this.#put(key, { failures, lastMs: entry.lastMs });
  }

  /** Forgets `key`. */
  clear(key: string): void {
    this.#take(key);
  }

  #decay({ lastMs }: Entry, nowMs: number): number {
    return 2 ** (-Math.max(0, nowMs - lastMs) / this.#policy.halfLifeMs);
  }

  #remaining(entry: Entry, nowMs: number): number {
    return entry.failures * this.#decay(entry, nowMs);
  }

  #find(key: string): Entry | undefined {
    for (const level of this.#levels) {
      const entry = level.get(key);
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  #put(key: string, entry: Entry): void {
    this.#levels[Math.min(Math.round(entry.failures), LEVELS - 1)]?.set(key, entry);
  }

  #take(key: string): Entry | undefined {
    const entry = this.#find(key);
    if (entry !== undefined) { for (const level of this.#levels) level.delete(key); }
    return entry;
  }

  #evict(nowMs: number): void {
    const oldest = this.#levels.flatMap((level) => level.entries().take(1).toArray());
    const forgotten = oldest.find(([, entry]) => this.#remaining(entry, nowMs) < 0.5);
    const victim = forgotten ?? oldest[0];
    if (victim !== undefined) this.clear(victim[0]);
  }
}
