/**
 * Penalties for failed logins. A good login is never slowed by somebody else's bad ones, as far as the server
 * can tell one from the other:
 *
 * - **Source and account together** carry the main penalty: who guesses alice's password from X waits, and alice
 *   at Y does not notice. This cannot be told from alice who forgot her password, and treats both alike.
 * - **A source** is slowed when it fails for many accounts, since trying one password everywhere fails for each
 *   account only once. The limit is generous, because many people may share an address. Somebody who has
 *   logged in from there before is exempt, so a guesser behind the same router does not slow them.
 * - **An account** that fails from everywhere is guessed at by many machines. A lock would let them lock the owner
 *   out, so there is none: every source from which the account has not logged in lately waits a while before
 *   each attempt, at most 30 seconds, beside the others and not behind them. Sources known to be good wait for nothing. So
 *   the many lose their free attempts, and the owner in a new place loses half a minute.
 *
 * Whatever stands here bounds guessing from few sources and slows it from many; against the latter the length
 * of passwords and 600 000 rounds of PBKDF2 must do the rest. Sessions that go on with a token never come here.
 * All is kept in memory and forgotten at a restart.
 *
 * @module
 */

import { type PenaltyPolicy, PenaltyTable } from "./penalty_table.ts";
import { sourceKey } from "./source_key.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Failures for one account from one source: 5 free, then 1 s doubling to 5 min. */
export const PAIR_POLICY: PenaltyPolicy = {
  free: 5,
  waitMs: SECOND_MS,
  waitMaxMs: 5 * MINUTE_MS,
  halfLifeMs: HOUR_MS,
};
/** Failures from one source for all accounts: 64 free, then 1 s doubling to 5 min. */
export const SOURCE_POLICY: PenaltyPolicy = { ...PAIR_POLICY, free: 64 };
/** Failures for one account from all sources: 100 free, then 1 s doubling to 30 s for strangers. */
export const ACCOUNT_POLICY: PenaltyPolicy = {
  ...PAIR_POLICY,
  free: 100,
  waitMaxMs: 30 * SECOND_MS,
};

/** Most sources, accounts and pairs to remember failures of, each. */
export const THROTTLE_ENTRIES_MAX = 32_768;
/** Most accounts to remember good sources of. */
export const GOOD_ACCOUNTS_MAX = 16_384;
/** Most good sources of one account; the one used longest ago goes. */
export const GOOD_SOURCES_PER_ACCOUNT_MAX = 16;
/** How long a source stays good after the last login from it. */
export const GOOD_SOURCE_MS = 30 * 24 * HOUR_MS;

/** Names are at most 32 characters; anything longer is cut so that keys stay small. */
const ACCOUNT_CHARS_MAX = 64;

/** Options of {@linkcode LoginThrottle}. */
export interface LoginThrottleOptions {
  /** Most sources, accounts and pairs to remember failures of, each; 32 768 by default. */
  readonly entriesMax?: number;
  /** Most accounts to remember good sources of; 16 384 by default. */
  readonly goodAccountsMax?: number;
  /** Failures for one account from one source that cost nothing; 5 by default. */
  readonly pairFree?: number;
}

/**
 * Decides how long a login has to wait. Ask {@linkcode check} before each attempt. When it admits one, that counts
 * as a failure at once, so that a thousand attempts side by side are not a thousand free ones, and an
 * attempt that is broken off counts too. Then report {@linkcode succeeded} or {@linkcode failed}.
 */
export class LoginThrottle {
  readonly #pairs: PenaltyTable;
  readonly #sources: PenaltyTable;
  readonly #accounts: PenaltyTable;
  /** Account → source → time of the last good login; both Maps in the order of that time. */
  readonly #good = new Map<string, Map<string, number>>();
  /** Pair → when a stranger to an account under attack may try once. */
  readonly #appointments = new Map<string, number>();
  readonly #entriesMax: number;
  readonly #goodAccountsMax: number;

  /** Makes a throttle that knows nothing yet. */
  constructor(options: LoginThrottleOptions = {}) {
    this.#entriesMax = options.entriesMax ?? THROTTLE_ENTRIES_MAX;
    this.#goodAccountsMax = options.goodAccountsMax ?? GOOD_ACCOUNTS_MAX;
    this.#pairs = new PenaltyTable(
      { ...PAIR_POLICY, free: options.pairFree ?? PAIR_POLICY.free },
      this.#entriesMax,
    );
    this.#sources = new PenaltyTable(SOURCE_POLICY, this.#entriesMax);
    this.#accounts = new PenaltyTable(ACCOUNT_POLICY, this.#entriesMax);
  }

  /** Number of entries in all tables, for tests and metrics. */
  get size(): number {
    const good = this.#good.values().reduce((sum, sources) => sum + sources.size, 0);
    return this.#pairs.size + this.#sources.size + this.#accounts.size +
      this.#appointments.size + good;
  }

  /**
   * Asks whether a login may be tried now. An attempt that has to wait costs nothing further.
   *
   * @param address Where it comes from, without a port; an IPv6 network of 64 bits counts as one source.
   * @param account The name it claims, whether or not there is such an account.
   * @param nowMs The time; any clock that does not jump.
   * @returns 0 if the attempt is admitted, else the milliseconds to wait before asking again.
   */
  check(address: string, account: string, nowMs: number): number {
    const keys = keysOf(address, account);
    const pairWaitMs = this.#pairs.waitMs(keys.pair, nowMs);
    const waitMs = this.#isGood(keys, nowMs) ? pairWaitMs : Math.max(
      pairWaitMs,
      this.#sources.waitMs(keys.source, nowMs),
      this.#strangerWaitMs(keys, nowMs),
    );
    if (waitMs > 0) return Math.ceil(waitMs);
    this.#appointments.delete(keys.pair);
    this.#pairs.add(keys.pair, nowMs);
    this.#sources.add(keys.source, nowMs);
    this.#accounts.add(keys.account, nowMs);
    return 0;
  }

  /**
   * Reports that an admitted attempt failed: the wait counts from now.
   *
   * @param address As for {@linkcode check}.
   * @param account As for {@linkcode check}.
   * @param nowMs As for {@linkcode check}.
   */
  failed(address: string, account: string, nowMs: number): void {
    const keys = keysOf(address, account);
    // Not the account: strangers wait from their own appointment, not from the last failure.
    this.#pairs.touch(keys.pair, nowMs);
    this.#sources.touch(keys.source, nowMs);
  }

  /**
   * Reports that an admitted attempt was a good login: the pair starts afresh and the source is good for this
   * account. The source's other failures stay, or a guesser with an account of their own could clear them.
   *
   * @param address As for {@linkcode check}.
   * @param account As for {@linkcode check}.
   * @param nowMs As for {@linkcode check}.
   */
  succeeded(address: string, account: string, nowMs: number): void {
    const keys = keysOf(address, account);
    this.#pairs.clear(keys.pair);
    this.#sources.forgive(keys.source, nowMs);
    this.#accounts.forgive(keys.account, nowMs);
    const sources = this.#good.get(keys.account) ?? new Map<string, number>();
    putLast(sources, keys.source, nowMs, GOOD_SOURCES_PER_ACCOUNT_MAX);
    putLast(this.#good, keys.account, sources, this.#goodAccountsMax);
  }

  #isGood({ account, source }: Keys, nowMs: number): boolean {
    const lastMs = this.#good.get(account)?.get(source);
    return lastMs !== undefined && nowMs - lastMs < GOOD_SOURCE_MS;
  }

  /** Gives each stranger an appointment of its own, so that no crowd of others can push it back. */
  #strangerWaitMs({ account, pair }: Keys, nowMs: number): number {
    const penaltyMs = this.#accounts.penaltyMs(account, nowMs);
    if (penaltyMs === 0) return 0;
    const appointmentMs = this.#appointments.get(pair);
    if (appointmentMs !== undefined) return Math.max(0, appointmentMs - nowMs);
    putLast(this.#appointments, pair, nowMs + penaltyMs, this.#entriesMax);
    return penaltyMs;
  }
}

/** The keys of one attempt. */
interface Keys {
  readonly source: string;
  readonly account: string;
  readonly pair: string;
}

function keysOf(address: string, name: string): Keys {
  const source = sourceKey(address);
  const account = name.slice(0, ACCOUNT_CHARS_MAX);
  // The length keeps two different pairs from making one key.
  return { source, account, pair: `${source.length} ${source} ${account}` };
}

/** Sets a key as the newest and drops the oldest beyond the limit. */
function putLast<V>(map: Map<string, V>, key: string, value: V, entriesMax: number): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= entriesMax) return;
    map.delete(oldest);
  }
}
