/**
 * The key schedule of SCRAM-SHA-256 (RFC 5802 §3, RFC 7677): from a password to the keys both sides keep,
 * and from a server certificate to the channel binding. WebCrypto only, nothing is stored here.
 *
 * @module
 */

import { preparePassword } from "./credentials.ts";

/** Bytes of SHA-256 and so of every SCRAM-SHA-256 key, proof and signature. */
export const SCRAM_KEY_BYTES = 32;
/** Default PBKDF2 rounds, and the fewest a client or a server of this project accepts unless told otherwise. */
export const SCRAM_ITERATIONS_DEFAULT = 600_000;
/** Fewest PBKDF2 rounds of any SCRAM-SHA-256 peer (RFC 7677 §4). */
export const SCRAM_ITERATIONS_RFC_MIN = 4096;
/** Most PBKDF2 rounds: about ten seconds of one core, so a hostile peer cannot ask for an hour. */
export const SCRAM_ITERATIONS_MAX = 10_000_000;
/** Fewest bytes of a salt. */
export const SCRAM_SALT_BYTES_MIN = 16;
/** Most bytes of a salt. */
export const SCRAM_SALT_BYTES_MAX = 64;

/** Bytes with a buffer of their own, as WebCrypto wants them. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** The keys of RFC 5802 §3 that a password and a salt lead to. */
export interface ScramKeys {
  /** Proves to the server that the client knows the password; never leaves the client. */
  readonly clientKey: Bytes;
  /** SHA-256 of the client key; the server keeps it. */
  readonly storedKey: Bytes;
  /** Proves to the client that the server holds the verifier; both sides know it. */
  readonly serverKey: Bytes;
}

const UTF8 = new TextEncoder();

/**
 * Derives the SCRAM keys of a password: `SaltedPassword = PBKDF2(password, salt, iterations)`.
 *
 * @param password As typed; prepared here.
 * @param salt Chosen at registration.
 * @param iterations PBKDF2 rounds; the time this takes is proportional.
 * @returns The three keys.
 */
export async function deriveScramKeys(
  password: string,
  { salt, iterations }: { salt: Bytes; iterations: number },
): Promise<ScramKeys> {
  const secret = UTF8.encode(preparePassword(password));
  const key = await crypto.subtle.importKey("raw", secret, "PBKDF2", false, ["deriveBits"]);
  const parameters = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
  const bits = await crypto.subtle.deriveBits(parameters, key, SCRAM_KEY_BYTES * 8);
  const saltedPassword = new Uint8Array(bits);
  const clientKey = await hmacSha256(saltedPassword, "Client Key");
  const serverKey = await hmacSha256(saltedPassword, "Server Key");
  return { clientKey, storedKey: await sha256(clientKey), serverKey };
}

/**
 * Channel binding data of type `tls-server-end-point` (RFC 5929 §4): the hash of the server's certificate.
 * RFC 5929 takes the hash of the certificate's signature algorithm; Trivet always takes SHA-256, which is
 * the same for its own certificates and spares both sides an ASN.1 parser for others.
 *
 * @param certificateDer The certificate in DER, as the TLS handshake carried it.
 * @returns 32 bytes.
 */
export function tlsServerEndPoint(certificateDer: Bytes): Promise<Bytes> {
  return sha256(certificateDer);
}

/** SHA-256 of `data`. */
export async function sha256(data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
}

/** HMAC-SHA-256 of `data` under `key`; a text counts as its UTF-8. */
export async function hmacSha256(key: Bytes, data: string | Bytes): Promise<Bytes> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
  const bytes = typeof data === "string" ? UTF8.encode(data) : data;
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, bytes));
}

/** Exclusive-or of two keys of 32 bytes (RFC 5802 §3, ClientProof). */
export function xorKeys(left: Bytes, right: Bytes): Bytes {
  const result = new Uint8Array(SCRAM_KEY_BYTES);
  for (let index = 0; index < SCRAM_KEY_BYTES; index++) {
    result[index] = (left[index] ?? 0) ^ (right[index] ?? 0);
  }
  return result;
}
