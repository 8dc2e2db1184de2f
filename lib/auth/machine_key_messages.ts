/**
 * The messages of the exchange `machine-key-1`, as they stand in AUTH frames: binary fields are
 * canonical base64 of exactly 32 bytes.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { decodeBase64 } from "./base64.ts";
import { isMachineKeyId } from "./machine_key.ts";
import { MACHINE_KEY_FIELD_BYTES, type MachineKeyShare } from "./machine_key_schedule.ts";
import type { Bytes } from "./scram_keys.ts";

/** What the client says first. */
export interface MachineKeyHello {
  /** The exchange: `machine-key-1`. */
  readonly mechanism: string;
  /** Which key, 18 hex digits. */
  readonly keyId: string;
  /** The client's, in base64. */
  readonly nonce: string;
  /** The client's public X25519 key, in base64. */
  readonly ephemeral: string;
}

/** What the server answers: its proof comes first. */
export interface MachineKeyChallenge {
  /** The server's, in base64. */
  readonly nonce: string;
  /** The server's public X25519 key, in base64. */
  readonly ephemeral: string;
  /** That the server holds the key, in base64. */
  readonly proof: string;
}

/**
 * Reads one field.
 *
 * @throws {TrivetError} `PROTOCOL_ERROR` when it is not 32 bytes in canonical base64.
 */
export function readField(text: string, name: string): Bytes {
  const bytes = decodeBase64(text);
  if (bytes?.length === MACHINE_KEY_FIELD_BYTES) return bytes;
  const problem = bytes === undefined
    ? "is not canonical base64"
    : `has ${bytes.length} bytes, ${MACHINE_KEY_FIELD_BYTES} are needed`;
  throw new TrivetError("PROTOCOL_ERROR", `Cannot read the key exchange: "${name}" ${problem}`);
}

/**
 * Reads a side's share.
 *
 * @throws {TrivetError} `PROTOCOL_ERROR`.
 */
export function readShare(
  message: { readonly nonce: string; readonly ephemeral: string },
): MachineKeyShare {
  return {
    nonce: readField(message.nonce, "nonce"),
    ephemeral: readField(message.ephemeral, "ephemeral"),
  };
}

/**
 * Reads the id of a key.
 *
 * @throws {TrivetError} `PROTOCOL_ERROR`.
 */
export function readKeyId(text: string): string {
  if (isMachineKeyId(text)) return text;
  throw new TrivetError(
    "PROTOCOL_ERROR",
    'Cannot read the key exchange: "keyId" is no id of a key',
  );
}
