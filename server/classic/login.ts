/**
 * Accounts in the classic netdisk protocol. The password itself arrives, so the server does what a client
 * does elsewhere: it makes the verifier, or the keys to compare with it. Each takes hundreds of milliseconds of
 * another thread, so that few are made at a time.
 *
 * @module
 */

import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import { checkPassword, checkUserName } from "../../lib/auth/credentials.ts";
import { deriveScramKeys } from "../../lib/auth/scram_keys.ts";
import { fakeVerifier, makeVerifier } from "../../lib/auth/verifier.ts";
import { TrivetError } from "../../lib/errors.ts";
import type { Places } from "../../lib/rpc/places.ts";
import type { AuthAttempt, Authority } from "../authenticate.ts";

/** Passwords that are worked on at once. */
export const CLASSIC_LOGINS_AT_ONCE = 2;

/** A name and a password, and what comes with them. */
export interface ClassicCredentials {
  readonly user: string;
  readonly password: string;
  /** Address that they come from, without a port. */
  readonly source: string;
  /** Gives up waiting for the turn. */
  readonly signal: AbortSignal;
  /** The turns. */
  readonly turns: Places;
}

/**
 * Makes an account.
 *
 * @param authority The server's part.
 * @param credentials Of the new account.
 * @throws {TrivetError} `REGISTRATION_CLOSED`, `USER_NAME_INVALID`, `PASSWORD_INVALID`, `USER_EXISTS`.
 */
export async function registerClassic(
  authority: Authority,
  credentials: ClassicCredentials,
): Promise<void> {
  await noted(authority, credentials, "register", async () => {
    const { user: name, password } = credentials;
    if (authority.registration === "closed") {
      throw new TrivetError("REGISTRATION_CLOSED", "This server does not take registrations");
    }
    checkUserName(name);
    checkPassword(password);
    // Before the work is done for nothing; the catalog has the last word.
    if (await authority.catalog.findUser(name) !== null) {
      throw new TrivetError("USER_EXISTS", `The user name "${name}" is taken`);
    }
    const verifier = await inTurn(credentials, () => makeVerifier(password));
    const { defaultQuotaBytes: quotaBytes } = authority;
    await authority.catalog.createUser({ name, verifier, quotaBytes });
    await authority.depot.createHome(name);
  });
}

/**
 * Checks a password.
 *
 * @param authority The server's part.
 * @param credentials Of the account.
 * @returns The account's epoch; see `Catalog.authEpoch`.
 * @throws {TrivetError} `AUTH_FAILED`, with one message for a wrong password and an unknown name;
 * `AUTH_THROTTLED`, `USER_NAME_INVALID`, `PASSWORD_INVALID`.
 */
export async function loginClassic(
  authority: Authority,
  credentials: ClassicCredentials,
): Promise<number> {
  return await noted(authority, credentials, "password", async () => {
    const { user, password, source } = credentials;
    const { throttle, now } = authority;
    checkUserName(user);
    const waitMs = throttle.check(source, user, now());
    if (waitMs > 0) {
      const waitSeconds = Math.ceil(waitMs / 1000);
      throw new TrivetError("AUTH_THROTTLED", `Too many failed logins; wait ${waitSeconds} s`);
    }
    // Both for every name, so that the time taken says nothing about the name.
    const fake = await fakeVerifier(authority.fakeSecret, user);
    // Before the verifier: a password that changes between the two ends this login.
    const authEpoch = await authority.catalog.authEpoch(user) ?? 0;
    const found = await authority.catalog.findVerifier(user);
    const verifier = found ?? fake;
    const keys = await inTurn(credentials, () => deriveScramKeys(password, verifier));
    const isProven = timingSafeEqual(keys.storedKey, verifier.storedKey);
    if (!isProven || found === null) {
      throttle.failed(source, user, now());
      throw new TrivetError("AUTH_FAILED", "Cannot log in: user name or password is wrong");
    }
    throttle.succeeded(source, user, now());
    // Homes may have been removed by hand.
    await authority.depot.createHome(user);
    return authEpoch;
  });
}

async function inTurn<T>(
  { turns, signal }: ClassicCredentials,
  work: () => Promise<T>,
): Promise<T> {
  await turns.take(signal);
  try {
    return await work();
  } finally {
    turns.release();
  }
}

/** Reports how an attempt ended. */
async function noted<T>(
  authority: Authority,
  { user, source }: ClassicCredentials,
  kind: AuthAttempt["kind"],
  attempt: () => Promise<T>,
): Promise<T> {
  const startedMs = performance.now();
  const durationMs = () => performance.now() - startedMs;
  try {
    const result = await attempt();
    authority.onAttempt?.({ kind, user, error: null, source, durationMs: durationMs() });
    return result;
  } catch (error) {
    if (error instanceof TrivetError && error.code !== "CONNECTION_LOST") {
      // A name that is not one may be a password in the wrong place.
      const known = error.code === "USER_NAME_INVALID" ? null : user;
      authority.onAttempt?.({ kind, user: known, error, source, durationMs: durationMs() });
    }
    throw error;
  }
}
