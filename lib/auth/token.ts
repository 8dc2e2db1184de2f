/**
 * Tokens: 256 random bits that stand for a login. The server stores only their SHA-256, which is enough,
 * since nobody can guess 256 bits; a password hash would cost time for nothing.
 *
 * A token is `tvt_` and 48 characters of base64url (RFC 4648 §5): 32 random bytes and their CRC-32. The prefix lets
 * secret scanners and log filters find a leaked one; the checksum tells a typo from a revoked token.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { crc32 } from "../frame/crc32.ts";
import { type Bytes, sha256 } from "./scram_keys.ts";

/** What every token begins with. */
export const TOKEN_PREFIX = "tvt_";
/** Random bytes of a token. */
export const TOKEN_SECRET_BYTES = 32;
/** Characters of a token: the prefix and 36 bytes in base64url. */
export const TOKEN_CHARS = 52;

const CHECKSUM_BYTES = 4;
const TOKEN = /^tvt_([A-Za-z0-9_-]{48})$/;

/** Options of {@linkcode newToken}. */
export interface NewTokenOptions {
  /** The 32 secret bytes. Random by default; only tests pass them. */
  readonly secret?: Uint8Array;
}

/**
 * Makes a token.
 *
 * @returns The token; show it to its owner once and store {@linkcode hashToken} of it.
 * @throws {RangeError} If `secret` is not 32 bytes.
 */
export function newToken(options: NewTokenOptions = {}): string {
  const secret = options.secret ?? crypto.getRandomValues(new Uint8Array(TOKEN_SECRET_BYTES));
  if (secret.length !== TOKEN_SECRET_BYTES) {
    throw new RangeError(
      `Cannot make a token: the secret has ${secret.length} bytes, ${TOKEN_SECRET_BYTES} are needed`,
    );
  }
  const bytes = new Uint8Array(TOKEN_SECRET_BYTES + CHECKSUM_BYTES);
  bytes.set(secret);
  new DataView(bytes.buffer).setUint32(TOKEN_SECRET_BYTES, crc32(secret));
  return TOKEN_PREFIX + bytes.toBase64({ alphabet: "base64url" });
}

/**
 * Checks the form of a token: prefix, length, alphabet, checksum. It says nothing about who may use it.
 *
 * @param text What somebody passed as a token.
 * @returns The token itself.
 * @throws {TrivetError} `TOKEN_INVALID`; the message never shows any part of the text.
 */
export function parseToken(text: string): string {
  if (text.length !== TOKEN_CHARS) {
    throw invalid(`length is ${text.length}, a token has ${TOKEN_CHARS} characters`);
  }
  const encoded = TOKEN.exec(text)?.[1];
  if (encoded === undefined) throw invalid(`it is not "${TOKEN_PREFIX}" and base64url`);
  const bytes = decode(encoded);
  const stated = new DataView(bytes.buffer).getUint32(TOKEN_SECRET_BYTES);
  if (crc32(bytes.subarray(0, TOKEN_SECRET_BYTES)) !== stated) {
    throw invalid("its checksum is wrong, so a character was changed or lost");
  }
  return text;
}

/**
 * The form in which the server stores and looks up a token: SHA-256 of its text, 64 lower-case hex digits. A look-up
 * by this hash in an index needs no constant-time comparison: what its time reveals is the hash of a guess.
 *
 * @param token A token.
 * @throws {TrivetError} `TOKEN_INVALID`.
 */
export async function hashToken(token: string): Promise<string> {
  const digest = await sha256(new TextEncoder().encode(parseToken(token)));
  return digest.toHex();
}

/** Decodes 48 characters, which are always 36 bytes without left-over bits. */
function decode(encoded: string): Bytes {
  return Uint8Array.fromBase64(encoded, { alphabet: "base64url" });
}

function invalid(problem: string): TrivetError {
  return new TrivetError("TOKEN_INVALID", `Cannot use the token: ${problem}`);
}
