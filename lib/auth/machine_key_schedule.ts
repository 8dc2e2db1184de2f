/**
 * The cryptography of the exchange `machine-key-1`, the same for both sides: the transcript, X25519
 * (RFC 7748), and the keys that HKDF-SHA-256 (RFC 5869) makes of them. docs/security.md has it in words,
 * with test vectors.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { MACHINE_KEY_MECHANISM } from "./machine_key.ts";
import { type Bytes, hmacSha256, sha256 } from "./scram_keys.ts";
import { TLS_SERVER_END_POINT } from "./scram_messages.ts";

/** Bytes of a nonce, of an X25519 key, of a proof and of each derived key. */
export const MACHINE_KEY_FIELD_BYTES = 32;
/** Longest exchange, from its first message to its last, in milliseconds. */
export const MACHINE_KEY_TIMEOUT_MS = 10_000;

const LENGTH_BYTES = 4;
const UTF8 = new TextEncoder();

/** PKCS #8 around the 32 bytes of an X25519 private key (RFC 8410 §7). */
const PKCS8_PREFIX = Uint8Array.fromHex("302e020100300506032b656e04220420");

/** What both sides know of the link before the exchange begins; they must agree on all of it. */
export interface MachineKeyLink {
  /** The service of HELLO. */
  readonly service: string;
  /** The mechanisms of WELCOME, in its order: who takes one away on the way is found out. */
  readonly mechanisms: readonly string[];
  /** On a TLS link: `tlsServerEndPoint` of the server's certificate. */
  readonly channelBinding?: Bytes | undefined;
}

/** One side's random values. */
export interface MachineKeyShare {
  /** 32 bytes. */
  readonly nonce: Bytes;
  /** Public X25519 key, 32 bytes. */
  readonly ephemeral: Bytes;
}

/** A share with its private part. */
export interface OwnShare extends MachineKeyShare {
  /** Of `ephemeral`. */
  readonly privateKey: CryptoKey;
}

/** Everything that the proofs are about. */
export interface MachineKeyTranscript extends MachineKeyLink {
  /** Id of the key, 18 hex digits. */
  readonly keyId: string;
  /** The client's share. */
  readonly client: MachineKeyShare;
  /** The server's share. */
  readonly server: MachineKeyShare;
}

/** What an exchange yields, beyond the proof of the peer. */
export interface SessionKeys {
  /** Protects what this side sends. */
  readonly send: Bytes;
  /** Protects what the peer sends. */
  readonly receive: Bytes;
}

/** Keys of one exchange. */
export interface MachineKeys {
  /** Proof of the server. */
  readonly serverProof: Bytes;
  /** Proof of the client. */
  readonly clientProof: Bytes;
  /** Protects what the client sends. */
  readonly clientToServer: Bytes;
  /** Protects what the server sends. */
  readonly serverToClient: Bytes;
}

/** Fixed random values, for tests and test vectors. */
export interface FixedShare {
  /** 32 bytes. */
  readonly nonce: Bytes;
  /** Private X25519 key, 32 bytes. */
  readonly privateKey: Bytes;
}

/** Makes one side's random values; `fixed` replaces them in tests. */
export async function newShare(fixed?: FixedShare): Promise<OwnShare> {
  const pkcs8 = new Uint8Array([...PKCS8_PREFIX, ...(fixed?.privateKey ?? randomField())]);
  const algorithm = { name: "X25519" };
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, algorithm, true, ["deriveBits"]);
  const { x = "" } = await crypto.subtle.exportKey("jwk", key);
  return {
    nonce: fixed?.nonce ?? randomField(),
    ephemeral: Uint8Array.fromBase64(x, { alphabet: "base64url" }),
    privateKey: key,
  };
}

/**
 * SHA-256 over every field: the name of the exchange, the offered mechanisms joined by commas, the
 * service, the kind of channel binding and its data, the id, and both shares. A length of 4 bytes
 * (big-endian) stands before each, so no two lists of fields give the same bytes.
 */
export function transcriptHash(transcript: MachineKeyTranscript): Promise<Bytes> {
  const { channelBinding, client, server } = transcript;
  return sha256(joinFields([
    UTF8.encode(`trivet ${MACHINE_KEY_MECHANISM}`),
    UTF8.encode(transcript.mechanisms.join(",")),
    UTF8.encode(transcript.service),
    UTF8.encode(channelBinding === undefined ? "none" : TLS_SERVER_END_POINT),
    channelBinding ?? new Uint8Array(0),
    Uint8Array.fromHex(transcript.keyId),
    client.nonce,
    client.ephemeral,
    server.nonce,
    server.ephemeral,
  ]));
}

/**
 * The shared secret of two X25519 keys.
 *
 * @throws {TrivetError} `PROTOCOL_ERROR` for a public key that makes it all zero (RFC 7748 §6.1).
 */
export async function agree(privateKey: CryptoKey, ephemeral: Bytes): Promise<Bytes> {
  const peer = await crypto.subtle.importKey("raw", ephemeral, { name: "X25519" }, false, []);
  const algorithm = { name: "X25519", public: peer };
  try {
    return new Uint8Array(
      await crypto.subtle.deriveBits(algorithm, privateKey, MACHINE_KEY_FIELD_BYTES * 8),
    );
  } catch (cause) {
    // Web Cryptography refuses the all-zero secret itself.
    throw new TrivetError("PROTOCOL_ERROR", "The X25519 key of the peer is of low order", {
      cause,
    });
  }
}

/** What {@linkcode deriveMachineKeys} needs. */
export interface MachineKeySecrets {
  /** `deriveAuthKey` of the machine key. */
  readonly authKey: Bytes;
  /** From {@linkcode agree}. */
  readonly shared: Bytes;
  /** From {@linkcode transcriptHash}. */
  readonly transcript: Bytes;
}

/** Derives the four keys, one for each purpose and direction: a proof sent back proves nothing. */
export async function deriveMachineKeys(
  { authKey, shared, transcript }: MachineKeySecrets,
): Promise<MachineKeys> {
  const secret = new Uint8Array([...authKey, ...shared]);
  const material = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const derive = async (purpose: string): Promise<Bytes> => {
    const info = UTF8.encode(`trivet ${MACHINE_KEY_MECHANISM} ${purpose}`);
    const algorithm = { name: "HKDF", hash: "SHA-256", salt: transcript, info };
    return new Uint8Array(
      await crypto.subtle.deriveBits(algorithm, material, MACHINE_KEY_FIELD_BYTES * 8),
    );
  };
  return {
    serverProof: await derive("server proof"),
    clientProof: await derive("client proof"),
    clientToServer: await derive("client to server"),
    serverToClient: await derive("server to client"),
  };
}

/** The server's proof: it holds the key, and this exchange is the one it sees. */
export function proveServer(keys: MachineKeys, transcript: Bytes): Promise<Bytes> {
  return hmacSha256(keys.serverProof, transcript);
}

/** The client's proof, which covers the server's. */
export function proveClient(
  keys: MachineKeys,
  said: { readonly transcript: Bytes; readonly serverProof: Bytes },
): Promise<Bytes> {
  return hmacSha256(keys.clientProof, joinFields([said.transcript, said.serverProof]));
}

function joinFields(fields: readonly Bytes[]): Bytes {
  const length = fields.reduce((sum, field) => sum + LENGTH_BYTES + field.length, 0);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const field of fields) {
    view.setUint32(at, field.length);
    bytes.set(field, at + LENGTH_BYTES);
    at += LENGTH_BYTES + field.length;
  }
  return bytes;
}

function randomField(): Bytes {
  return crypto.getRandomValues(new Uint8Array(MACHINE_KEY_FIELD_BYTES));
}
