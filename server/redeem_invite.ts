/**
 * Registration with an invite, where registration is closed.
 *
 * @module
 */

import { hashInvite } from "../lib/auth/invite.ts";
import { TrivetError } from "../lib/errors.ts";
import type { Authority, Guest } from "./authenticate.ts";
import { requireTurn } from "./login_turn.ts";
import type { NewUser } from "./store/catalog.ts";

/** Failed invites are counted under this name, which no account can have. */
const INVITE_ACCOUNT = "invite:";

/**
 * Makes an account with an invite; guessing one is slowed as guessing a password is.
 *
 * @param authority The server's part.
 * @param guest Who registers.
 * @param request The code, and the account without the invite's quota.
 * @throws {TrivetError} `INVITE_INVALID`, `AUTH_THROTTLED` or `USER_EXISTS`.
 */
export async function redeemInvite(
  authority: Authority,
  guest: Guest,
  { code, newUser }: { readonly code: string; readonly newUser: NewUser },
): Promise<void> {
  const { catalog, now, throttle } = authority;
  requireTurn(authority, guest, INVITE_ACCOUNT);
  const hash = await hashInvite(code);
  try {
    if (await catalog.redeemInvite(hash, newUser) === null) {
      // One answer for all: it must not tell who guesses that a code was ever good.
      throw new TrivetError("INVITE_INVALID", "The invite is unknown, used up or has ended");
    }
    throttle.succeeded(guest.source, INVITE_ACCOUNT, now());
  } catch (error) {
    const code = error instanceof TrivetError ? error.code : null;
    if (code === "INVITE_INVALID") throttle.failed(guest.source, INVITE_ACCOUNT, now());
    if (code === "USER_EXISTS") throttle.succeeded(guest.source, INVITE_ACCOUNT, now());
    throw error;
  }
}
