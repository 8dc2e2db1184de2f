/**
 * Invites: codes that let somebody make an account where registration is closed. Like tokens they are
 * random and stored hashed; they are shorter, since somebody may have to type one.
 *
 * @module
 */

import { sha256 } from "./scram_keys.ts";

/** What every invite begins with. */
export const INVITE_PREFIX = "tvi_";
/** Random bytes of an invite. */
export const INVITE_SECRET_BYTES = 16;

/**
 * Makes an invite.
 *
 * @returns The code; show it once and store {@linkcode hashInvite} of it.
 */
export function newInvite(): string {
  const secret = crypto.getRandomValues(new Uint8Array(INVITE_SECRET_BYTES));
  return INVITE_PREFIX + secret.toBase64({ alphabet: "base64url", omitPadding: true });
}

/**
 * The form in which the server stores and looks up an invite: SHA-256 of its text. Any text has one, so
 * that a malformed code is refused like an unknown one.
 *
 * @param code What somebody passed as a code.
 * @returns 32 bytes.
 */
export async function hashInvite(code: string): Promise<Uint8Array<ArrayBuffer>> {
  return await sha256(new TextEncoder().encode(code));
}
