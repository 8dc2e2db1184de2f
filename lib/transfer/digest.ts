/**
 * The one digest engine of transfers: XXH3-128 for chunks, CRC-32 for DATA frames. Neither is a
 * secret's friend: they find accidents, and TLS is what keeps an attacker's hands off the bytes.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { Xxh3 } from "./xxh3.ts";

export { crc32 } from "../frame/crc32.ts";

/** Name of the chunk digest, as journals and answers carry it. */
export const DIGEST_ALGORITHM = "xxh3-128";

/** Size of a chunk digest. */
export const DIGEST_BYTES = 16;

const HEX_DIGITS = "0123456789abcdef";
const HEX_PATTERN = /^(?:[0-9a-f]{2})*$/;

/** Computes one XXH3-128 at a time; whoever computes several in turns needs several of these. */
export interface Digester {
  /** Begins a digest, and drops one that has begun. */
  init(): void;
  /** Adds bytes. */
  update(bytes: Uint8Array): void;
  /** Ends the digest and writes its {@linkcode DIGEST_BYTES} bytes to `target` from `at` on. */
  digestInto(target: Uint8Array, at: number): void;
}

/**
 * Makes a digester (one small WebAssembly instance, compiled once in a process).
 *
 * @returns A digester whose first digest has begun.
 */
export function createDigester(): Promise<Digester> {
  return Promise.resolve(new Xxh3());
}

/**
 * The XXH3-128 of some bytes.
 *
 * @param digester Used for this digest; what it had begun is dropped.
 * @param bytes The bytes, for instance all chunk digests of a file in order.
 * @returns {@linkcode DIGEST_BYTES} bytes.
 */
export function digestOf(digester: Digester, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const digest = new Uint8Array(DIGEST_BYTES);
  digester.init();
  digester.update(bytes);
  digester.digestInto(digest, 0);
  return digest;
}

let shared: Digester | undefined;

/**
 * The XXH3-128 of bytes that are there as a whole, by the one digester that all callers share: it is
 * never left in the middle.
 *
 * @param bytes The bytes.
 * @returns {@linkcode DIGEST_BYTES} bytes.
 */
export function digestOfWhole(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  shared ??= new Xxh3();
  return digestOf(shared, bytes);
}

/** Whether the digests at `a[aAt…]` and `b[bAt…]` are the same. */
export function digestsEqual(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): boolean {
  for (let i = 0; i < DIGEST_BYTES; i++) {
    if (a[aAt + i] !== b[bAt + i]) return false;
  }
  return true;
}

/** Bytes as lower-case hex digits. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX_DIGITS.charAt(byte >>> 4) + HEX_DIGITS.charAt(byte & 15);
  return text;
}

/**
 * Lower-case hex digits as bytes.
 *
 * @throws {TrivetError} `INVALID_REQUEST` If `text` is anything else.
 */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  if (!HEX_PATTERN.test(text)) {
    throw new TrivetError("INVALID_REQUEST", "Cannot read the digest: it is not lower-case hex");
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}
