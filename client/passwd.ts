/**
 * Changes the password of an account.
 *
 * @module
 */

import { hashToken } from "../lib/auth/token.ts";
import { formatVerifier, makeVerifier } from "../lib/auth/verifier.ts";
import { checkNetdiskResponse } from "../lib/netdisk/messages.ts";
import type { Connector } from "./connector.ts";
import { openSession } from "./session.ts";

/** What {@linkcode changePassword} needs. */
export interface PasswordChange {
  /** The account. */
  readonly user: string;
  /** As typed; neither of the two leaves this process. */
  readonly oldPassword: string;
  /** As typed, 8 to 1024 characters. */
  readonly newPassword: string;
  /** Token of a session that goes on; all others end. */
  readonly keepToken?: string | undefined;
  /** Gives up. */
  readonly signal?: AbortSignal;
}

/**
 * Changes a password: proves the old one on a connection of its own, then sends the new verifier.
 *
 * @param connector The server.
 * @param change Whose, from what to what.
 * @returns How many other sessions of the account ended.
 * @throws {TrivetError} `AUTH_FAILED`, `AUTH_THROTTLED`, `PASSWORD_INVALID`, or what connecting throws.
 */
export async function changePassword(
  connector: Connector,
  change: PasswordChange,
): Promise<number> {
  const { user, oldPassword, newPassword, keepToken, signal } = change;
  // Before connecting, since the derivation takes a while.
  const verifier = formatVerifier(await makeVerifier(newPassword));
  const keep = keepToken === undefined ? {} : { keep: await hashToken(keepToken) };
  const { rpc } = await openSession(
    connector,
    { user, password: oldPassword, isOnce: true },
    signal,
  );
  try {
    const { head } = await rpc.call("account.passwd", { verifier, ...keep }, { signal });
    return checkNetdiskResponse("account.passwd", head).ended;
  } finally {
    await rpc.close();
  }
}
