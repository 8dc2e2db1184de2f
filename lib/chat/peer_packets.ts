/**
 * The three datagrams by which two peers agree on the secrets of a connection: the exchange
 * `machine-key-1` without a server. docs/protocol.md has them as a picture.
 *
 * @module
 */

import { MACHINE_KEY_ID_BYTES } from "../auth/machine_key.ts";
import { MACHINE_KEY_FIELD_BYTES } from "../auth/machine_key_schedule.ts";
import { CONNECTION_ID_BYTES } from "../datagram/packet.ts";

/** First byte of a HELLO. Neither it nor the next ones begin a text in UTF-8, or another datagram. */
export const PEER_HELLO = 0xd3;
/** First byte of a CHALLENGE. */
export const PEER_CHALLENGE = 0xd4;
/** First byte of a PROOF. */
export const PEER_PROOF = 0xd5;
/** The version that this module speaks; a HELLO of another one gets no answer. */
export const PEER_VERSION = 1;

const FIELD = MACHINE_KEY_FIELD_BYTES;
const HELLO_USED_BYTES = 2 + 2 * FIELD + MACHINE_KEY_ID_BYTES;
/** Bytes of a CHALLENGE. */
export const PEER_CHALLENGE_BYTES: number = 1 + CONNECTION_ID_BYTES + 3 * FIELD;
/** Bytes of a HELLO; filled up, so that whoever names a false sender gains nothing by the answer. */
export const PEER_HELLO_BYTES = 128;
/** Bytes of a PROOF. */
export const PEER_PROOF_BYTES: number = 1 + CONNECTION_ID_BYTES + FIELD;

type Bytes = Uint8Array<ArrayBuffer>;

/** Begins: who, with which key. */
export interface PeerHello {
  /** 32 bytes; the first 8 are the id of the connection to be. */
  readonly nonce: Bytes;
  /** Public X25519 key, 32 bytes. */
  readonly ephemeral: Bytes;
  /** Id of the key, 18 hex digits. */
  readonly keyId: string;
}

/** Answers a HELLO: whoever sends it holds the key. */
export interface PeerChallenge {
  /** 16 hex digits. */
  readonly connectionId: string;
  /** 32 bytes. */
  readonly nonce: Bytes;
  /** Public X25519 key, 32 bytes. */
  readonly ephemeral: Bytes;
  /** 32 bytes. */
  readonly proof: Bytes;
}

/** Ends the exchange: whoever began it holds the key, too. */
export interface PeerProof {
  /** 16 hex digits. */
  readonly connectionId: string;
  /** 32 bytes. */
  readonly proof: Bytes;
}

/** What {@linkcode readPeerPacket} found. */
export type PeerPacket =
  | { readonly kind: "hello" } & PeerHello
  | { readonly kind: "challenge" } & PeerChallenge
  | { readonly kind: "proof" } & PeerProof;

/** The id of the connection that an exchange leads to. */
export function connectionIdFor(nonce: Uint8Array): string {
  return nonce.subarray(0, CONNECTION_ID_BYTES).toHex();
}

/** Writes a HELLO. */
export function encodePeerHello({ nonce, ephemeral, keyId }: PeerHello): Bytes {
  const bytes = new Uint8Array(PEER_HELLO_BYTES);
  bytes.set([PEER_HELLO, PEER_VERSION]);
  bytes.set(nonce, 2);
  bytes.set(ephemeral, 2 + FIELD);
  bytes.set(Uint8Array.fromHex(keyId), 2 + 2 * FIELD);
  return bytes;
}

/** Writes a CHALLENGE. */
export function encodePeerChallenge(challenge: PeerChallenge): Bytes {
  const { connectionId, nonce, ephemeral, proof } = challenge;
  const id = Uint8Array.fromHex(connectionId);
  return new Uint8Array([PEER_CHALLENGE, ...id, ...nonce, ...ephemeral, ...proof]);
}

/** Writes a PROOF. */
export function encodePeerProof({ connectionId, proof }: PeerProof): Bytes {
  return new Uint8Array([PEER_PROOF, ...Uint8Array.fromHex(connectionId), ...proof]);
}

/**
 * Reads a datagram of the exchange. Never throws.
 *
 * @param datagram Whatever came.
 * @returns What it says; `undefined` for anything that is not exactly one of the three.
 */
export function readPeerPacket(datagram: Uint8Array): PeerPacket | undefined {
  const take = (at: number, bytes: number): Bytes =>
    new Uint8Array(datagram.subarray(at, at + bytes));
  const connectionId = connectionIdFor(datagram.subarray(1));
  const first = 1 + CONNECTION_ID_BYTES;
  switch (datagram[0]) {
    case PEER_HELLO: {
      if (datagram.length !== PEER_HELLO_BYTES || datagram[1] !== PEER_VERSION) return undefined;
      if (datagram.subarray(HELLO_USED_BYTES).some((byte) => byte !== 0)) return undefined;
      const keyId = take(2 + 2 * FIELD, MACHINE_KEY_ID_BYTES).toHex();
      return { kind: "hello", nonce: take(2, FIELD), ephemeral: take(2 + FIELD, FIELD), keyId };
    }
    case PEER_CHALLENGE:
      if (datagram.length !== PEER_CHALLENGE_BYTES) return undefined;
      return {
        kind: "challenge",
        connectionId,
        nonce: take(first, FIELD),
        ephemeral: take(first + FIELD, FIELD),
        proof: take(first + 2 * FIELD, FIELD),
      };
    case PEER_PROOF:
      if (datagram.length !== PEER_PROOF_BYTES) return undefined;
      return { kind: "proof", connectionId, proof: take(first, FIELD) };
    default:
      return undefined;
  }
}
