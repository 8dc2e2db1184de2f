/**
 * Goes on by itself after a lost connection, for a bounded time.
 *
 * @module
 */

import { type ErrorCode, TrivetError } from "../lib/errors.ts";

/** Tries without progress before a transfer is given up. */
export const TRIES_MAX = 5;

/** Time from the first failure without progress before a transfer is given up, in milliseconds. */
export const STALLED_MAX_MS = 60_000;

/** First wait before another try; each next one is twice as long. */
const WAIT_FIRST_MS = 500;

/** Longest wait before another try. */
const WAIT_MAX_MS = 15_000;

/** What another connection can mend. */
const MENDABLE: ReadonlySet<ErrorCode> = new Set([
  "UNREACHABLE",
  "TIMEOUT",
  "CONNECTION_LOST",
  "SERVER_BUSY",
  "TOO_MANY_CONNECTIONS",
  "SHUTTING_DOWN",
  "UPLOAD_NOT_FOUND",
  // Once a connection has worked, its peer is a Trivet server, and only the wire can have damaged what
  // it said: the checksums cover the bytes of files, not the frames around them.
  "PROTOCOL_ERROR",
]);

/** Options of {@linkcode retrying}. */
export interface RetryOptions {
  /** A number that grows with progress: whenever it did, counting begins anew. */
  readonly progress: () => number;
  /** Whether another try is worth it at all, such as once a connection was there. */
  readonly canRetry: (error: TrivetError) => boolean;
  /** Told before each wait. */
  readonly onRetry?: (error: TrivetError, waitMs: number) => void;
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
  /** The clock, in milliseconds. */
  readonly now?: () => number;
  /** Waits; tests pass their own. */
  readonly wait?: (waitMs: number, signal?: AbortSignal) => Promise<void>;
  /** A number from 0 to 1, which spreads the tries of many clients. */
  readonly random?: () => number;
}

/** Whether another connection can mend this failure. */
export function isMendable(error: unknown): error is TrivetError {
  return error instanceof TrivetError && MENDABLE.has(error.code);
}

/**
 * Tries until it works, until it fails for a reason that stays, or until there was no progress in
 * {@linkcode TRIES_MAX} tries or {@linkcode STALLED_MAX_MS}.
 *
 * @param attempt One try.
 * @param options When to go on.
 * @returns What the try returned.
 * @throws What the last try threw.
 */
export async function retrying<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { progress, signal, now = () => performance.now(), wait = sleep } = options;
  const random = options.random ?? Math.random;
  let tries = 0;
  let reached = progress();
  let sinceMs = 0;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      if (!isMendable(error) || !options.canRetry(error)) throw error;
      if (progress() > reached) {
        reached = progress();
        tries = 0;
      }
      if (tries === 0) sinceMs = now();
      tries += 1;
      const base = Math.min(WAIT_FIRST_MS * 2 ** (tries - 1), WAIT_MAX_MS);
      const waitMs = Math.round(base * (0.75 + random() / 2));
      if (tries >= TRIES_MAX || now() - sinceMs + waitMs > STALLED_MAX_MS) throw error;
      options.onRetry?.(error, waitMs);
      await wait(waitMs, signal);
    }
  }
}

/**
 * Waits.
 *
 * @throws The signal's reason.
 */
export function sleep(waitMs: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  if (signal?.aborted) return Promise.reject(signal.reason);
  const onAbort = () => {
    clearTimeout(timer);
    reject(signal?.reason);
  };
  const timer = setTimeout(() => {
    signal?.removeEventListener("abort", onAbort);
    resolve();
  }, waitMs);
  signal?.addEventListener("abort", onAbort, { once: true });
  return promise;
}
