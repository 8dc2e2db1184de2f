/**
 * Machine keys: 256 random bits that admit a machine to a server, before any person logs in. This is
 * the key as a text, and what a server keeps of it.
 *
 * A key is `tvk_` and 60 characters of base64url (RFC 4648 §5): an id of 9 bytes, 32 random bytes, and
 * the CRC-32 of both. The id is public; the checksum tells a typo from a revoked key.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { crc32 } from "../frame/crc32.ts";
import { type Bytes, hmacSha256 } from "./scram_keys.ts";

/** The exchange that this version speaks, as WELCOME and AUTH name it. */
export const MACHINE_KEY_MECHANISM = "machine-key-1";
/** What every machine key begins with. */
export const MACHINE_KEY_PREFIX = "tvk_";
/** Characters of a machine key: the prefix and 45 bytes in base64url. */
export const MACHINE_KEY_CHARS = 64;
/** Bytes of a key's id; on the wire and for people they are 18 hex digits. */
export const MACHINE_KEY_ID_BYTES = 9;
/** Random bytes of a key. */
export const MACHINE_KEY_SECRET_BYTES = 32;

/** What an administrator may call a key. */
export const MACHINE_KEY_NAME = /^[a-z0-9][a-z0-9._-]{0,31}$/;

const KEY = /^tvk_([A-Za-z0-9_-]{60})$/;
const ID = /^[0-9a-f]{18}$/;
const CHECKED_BYTES = MACHINE_KEY_ID_BYTES + MACHINE_KEY_SECRET_BYTES;
const CHECKSUM_BYTES = 4;

/** A machine key, taken apart. */
export interface MachineKey {
  /** Names the key, 18 lower-case hex digits. */
  readonly id: string;
  /** 32 bytes. */
  readonly secret: Bytes;
}

/** Options of {@linkcode newMachineKey}. */
export interface NewMachineKeyOptions {
  /** The 9 bytes of the id. Random by default; only tests pass them. */
  readonly id?: Uint8Array;
  /** The 32 secret bytes. Random by default; only tests pass them. */
  readonly secret?: Uint8Array;
}

/**
 * Makes a machine key.
 *
 * @returns The key as a text; show it once and store {@linkcode deriveAuthKey} of it.
 * @throws {RangeError} If `id` or `secret` has another length.
 */
export function newMachineKey(options: NewMachineKeyOptions = {}): string {
  const id = options.id ?? crypto.getRandomValues(new Uint8Array(MACHINE_KEY_ID_BYTES));
  const secret = options.secret ?? crypto.getRandomValues(new Uint8Array(MACHINE_KEY_SECRET_BYTES));
  if (id.length !== MACHINE_KEY_ID_BYTES || secret.length !== MACHINE_KEY_SECRET_BYTES) {
    throw new RangeError(
      `Cannot make a machine key: its parts have ${id.length} and ${secret.length} bytes, ` +
        `${MACHINE_KEY_ID_BYTES} and ${MACHINE_KEY_SECRET_BYTES} are needed`,
    );
  }
  const bytes = new Uint8Array(CHECKED_BYTES + CHECKSUM_BYTES);
  bytes.set(id);
  bytes.set(secret, MACHINE_KEY_ID_BYTES);
  const checksum = crc32(bytes.subarray(0, CHECKED_BYTES));
  new DataView(bytes.buffer).setUint32(CHECKED_BYTES, checksum);
  return MACHINE_KEY_PREFIX + bytes.toBase64({ alphabet: "base64url" });
}

/**
 * Reads a machine key: prefix, length, alphabet, checksum. It says nothing about who takes it.
 *
 * @param text What somebody passed as a key.
 * @returns Its id and its secret.
 * @throws {TrivetError} `KEY_INVALID`; the message never shows any part of the text.
 */
export function parseMachineKey(text: string): MachineKey {
  if (text.length !== MACHINE_KEY_CHARS) {
    throw invalid(`length is ${text.length}, a key has ${MACHINE_KEY_CHARS} characters`);
  }
  const encoded = KEY.exec(text)?.[1];
  if (encoded === undefined) throw invalid(`it is not "${MACHINE_KEY_PREFIX}" and base64url`);
  // 60 characters are always 45 bytes without left-over bits.
  const bytes = Uint8Array.fromBase64(encoded, { alphabet: "base64url" });
  const stated = new DataView(bytes.buffer).getUint32(CHECKED_BYTES);
  if (crc32(bytes.subarray(0, CHECKED_BYTES)) !== stated) {
    throw invalid("its checksum is wrong, so a character was changed or lost");
  }
  const id = bytes.subarray(0, MACHINE_KEY_ID_BYTES).toHex();
  return { id, secret: bytes.slice(MACHINE_KEY_ID_BYTES, CHECKED_BYTES) };
}

/** Whether a text has the form of a key's id. */
export function isMachineKeyId(text: string): boolean {
  return ID.test(text);
}

/**
 * The one secret of the exchange, which both sides have: all that a server keeps. It does not lead
 * back to the key, and is of no use for another version of the exchange.
 *
 * @param key The key.
 * @returns 32 bytes.
 */
export function deriveAuthKey({ id, secret }: MachineKey): Promise<Bytes> {
  return hmacSha256(secret, `trivet ${MACHINE_KEY_MECHANISM} authentication ${id}`);
}

function invalid(problem: string): TrivetError {
  return new TrivetError("KEY_INVALID", `Cannot use the machine key: ${problem}`);
}
