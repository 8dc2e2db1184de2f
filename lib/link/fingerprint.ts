/**
 * SHA-256 fingerprints of certificates, written as ssh writes those of its keys.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";

/** Size of a fingerprint. */
export const FINGERPRINT_BYTES = 32;

const PREFIX = "SHA256:";
const BASE64 = /^[A-Za-z0-9+/]{43}=?$/;
const HEX = /^[0-9a-fA-F]{64}$/;
const HEX_WITH_COLONS = /^[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){31}$/;
const OPENSSL_PREFIX = /^sha-?256(?: fingerprint)?=/i;

/**
 * Writes a fingerprint for people.
 *
 * @param sha256 The 32 bytes of the digest
 * @returns `SHA256:` and base64 without padding, 50 characters in all
 */
export function formatFingerprint(sha256: Uint8Array): string {
  if (sha256.length !== FINGERPRINT_BYTES) {
    throw new RangeError(
      `Cannot write fingerprint: it has ${sha256.length} bytes, not ${FINGERPRINT_BYTES}`,
    );
  }
  return PREFIX + sha256.toBase64({ omitPadding: true });
}

/**
 * Reads a fingerprint that a person pasted: the form of {@linkcode formatFingerprint}, or the
 * hexadecimal one of `openssl x509 -fingerprint -sha256` with or without colons and prefix.
 *
 * @param text The fingerprint; white space around it is ignored
 * @returns The 32 bytes of the digest
 * @throws TrivetError `USAGE` when it is neither
 */
export function parseFingerprint(text: string): Uint8Array<ArrayBuffer> {
  const trimmed = text.trim();
  if (trimmed.startsWith(PREFIX)) {
    const digits = trimmed.slice(PREFIX.length);
    if (BASE64.test(digits)) {
      const bytes = decodeBase64(digits.slice(0, 43));
      if (bytes !== undefined) return bytes;
    }
  }
  const hex = trimmed.replace(OPENSSL_PREFIX, "").replace(PREFIX, "");
  if (HEX.test(hex) || HEX_WITH_COLONS.test(hex)) {
    return Uint8Array.fromHex(hex.replaceAll(":", ""));
  }
  throw new TrivetError(
    "USAGE",
    `Cannot read the fingerprint ${JSON.stringify(trimmed.slice(0, 120))}: ` +
      `it is neither "SHA256:" and 43 characters of base64 nor 64 hexadecimal digits`,
  );
}

/**
 * Whether two fingerprints are equal, in a time that does not depend on where they differ.
 */
export function equalFingerprints(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== FINGERPRINT_BYTES || b.length !== FINGERPRINT_BYTES) return false;
  let difference = 0;
  for (let i = 0; i < FINGERPRINT_BYTES; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

/** Strict: 43 digits carry 258 bits, and the last two must be zero, so each digest has one spelling. */
function decodeBase64(digits: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.fromBase64(digits + "=", { lastChunkHandling: "strict" });
  } catch {
    return undefined;
  }
}
