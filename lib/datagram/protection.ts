/**
 * Datagrams sealed and opened: ChaCha20-Poly1305 (RFC 8439) with a key and an IV that HKDF-SHA-256
 * (RFC 5869) makes of a direction's secret. The nonce is the IV exclusive-or the packet number, as in
 * QUIC (RFC 9001 §5.3); the header is authenticated. `node:crypto`, because it works at once and Web
 * Cryptography does not have this cipher.
 *
 * @module
 */

import {
  CONNECTION_ID_BYTES,
  PACKET_AROUND_BYTES,
  PACKET_DATA,
  PACKET_HEADER_BYTES,
  PACKET_NUMBER_MAX,
  PACKET_RESET,
  PACKET_TAG_BYTES,
  RESET_BYTES,
} from "./packet.ts";
import { DATAGRAM_MAX_BYTES, RESET_TOKEN_BYTES, SECRET_BYTES } from "./types.ts";

// Not by an import statement: a bundle would load the module with every command, for 10 to 30 ms.
const { createCipheriv, createDecipheriv, createHmac, hkdfSync } = await import("node:crypto");

const CIPHER = "chacha20-poly1305";
const OPTIONS = { authTagLength: PACKET_TAG_BYTES };
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const NUMBER_AT = 1 + CONNECTION_ID_BYTES;

interface DirectionKeys {
  readonly key: Uint8Array;
  readonly iv: Uint8Array<ArrayBuffer>;
}

/** Seals the datagrams of one direction; it owns the packet numbers, so none is used twice. */
export class PacketSealer {
  readonly #keys: DirectionKeys;
  readonly #connectionId: Uint8Array;
  #nextNumber: number;

  /**
   * Derives the keys.
   *
   * @param secret 32 bytes.
   * @param connectionId 16 hex digits.
   * @param firstNumber Only tests pass it.
   * @throws {RangeError} For other lengths.
   */
  constructor(secret: Uint8Array, connectionId: string, firstNumber = 0) {
    this.#keys = deriveKeys(secret);
    this.#connectionId = readConnectionId(connectionId);
    this.#nextNumber = firstNumber;
  }

  /** The number of the next packet. */
  get nextNumber(): number {
    return this.#nextNumber;
  }

  /** Whether there are no numbers any more. */
  get isExhausted(): boolean {
    return this.#nextNumber > PACKET_NUMBER_MAX;
  }

  /**
   * Makes a datagram.
   *
   * @param frames What it says.
   * @returns The whole datagram.
   * @throws {RangeError} When the packet numbers are used up, or there are too many bytes.
   */
  seal(frames: Uint8Array): Uint8Array<ArrayBuffer> {
    const length = PACKET_AROUND_BYTES + frames.length;
    if (this.isExhausted) throw new RangeError("Cannot seal datagram: no packet number is left");
    if (length > DATAGRAM_MAX_BYTES) {
      throw new RangeError(
        `Cannot seal datagram: ${length} bytes, ${DATAGRAM_MAX_BYTES} are allowed`,
      );
    }
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    const datagram = new Uint8Array(length);
    datagram[0] = PACKET_DATA;
    datagram.set(this.#connectionId, 1);
    writeNumber(datagram, number);
    const cipher = createCipheriv(CIPHER, this.#keys.key, nonceOf(this.#keys.iv, number), OPTIONS);
    cipher.setAAD(datagram.subarray(0, PACKET_HEADER_BYTES), { plaintextLength: frames.length });
    datagram.set(cipher.update(frames), PACKET_HEADER_BYTES);
    cipher.final();
    datagram.set(cipher.getAuthTag(), length - PACKET_TAG_BYTES);
    return datagram;
  }
}

/** What was in a datagram. */
export interface OpenedPacket {
  /** Its packet number. */
  readonly number: number;
  /** Its frames. */
  readonly frames: Uint8Array;
}

/** Opens the datagrams of one direction. It keeps nothing of what it sees. */
export class PacketOpener {
  readonly #keys: DirectionKeys;
  readonly #connectionId: Uint8Array;

  /**
   * Derives the keys.
   *
   * @param secret 32 bytes.
   * @param connectionId 16 hex digits.
   * @throws {RangeError} For other lengths.
   */
  constructor(secret: Uint8Array, connectionId: string) {
    this.#keys = deriveKeys(secret);
    this.#connectionId = readConnectionId(connectionId);
  }

  /**
   * The packet number of a datagram, which nothing proves yet.
   *
   * @returns `undefined` when it cannot be a datagram of this connection.
   */
  numberOf(datagram: Uint8Array): number | undefined {
    if (datagram.length < PACKET_AROUND_BYTES || datagram.length > DATAGRAM_MAX_BYTES) {
      return undefined;
    }
    if (datagram[0] !== PACKET_DATA) return undefined;
    for (let i = 0; i < CONNECTION_ID_BYTES; i++) {
      if (datagram[1 + i] !== this.#connectionId[i]) return undefined;
    }
    const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
    const number = view.getUint32(NUMBER_AT) * 2 ** 32 + view.getUint32(NUMBER_AT + 4);
    return number <= PACKET_NUMBER_MAX ? number : undefined;
  }

  /**
   * Decrypts a datagram.
   *
   * @param datagram The datagram.
   * @param number From {@linkcode PacketOpener.numberOf}.
   * @returns Its frames, or `undefined` when anything about it is not genuine.
   */
  open(datagram: Uint8Array, number: number): Uint8Array | undefined {
    const tagAt = datagram.length - PACKET_TAG_BYTES;
    const { key, iv } = this.#keys;
    try {
      const decipher = createDecipheriv(CIPHER, key, nonceOf(iv, number), OPTIONS);
      const plaintextLength = tagAt - PACKET_HEADER_BYTES;
      decipher.setAAD(datagram.subarray(0, PACKET_HEADER_BYTES), { plaintextLength });
      decipher.setAuthTag(datagram.subarray(tagAt));
      const frames = decipher.update(datagram.subarray(PACKET_HEADER_BYTES, tagAt));
      decipher.final();
      return frames;
    } catch {
      return undefined;
    }
  }
}

/**
 * The token that a server sends for a connection that it does not have any more. It can be computed
 * again after a restart.
 *
 * @param resetSecret 32 bytes that only the server knows.
 * @param connectionId 16 hex digits.
 * @returns 16 bytes.
 */
export function deriveResetToken(
  resetSecret: Uint8Array,
  connectionId: string,
): Uint8Array<ArrayBuffer> {
  const hmac = createHmac("sha256", resetSecret).update("trivet datagram-1 reset")
    .update(readConnectionId(connectionId));
  return new Uint8Array(hmac.digest()).slice(0, RESET_TOKEN_BYTES);
}

/** Makes a reset. */
export function encodeReset(connectionId: string, token: Uint8Array): Uint8Array<ArrayBuffer> {
  const datagram = new Uint8Array(RESET_BYTES);
  datagram[0] = PACKET_RESET;
  datagram.set(readConnectionId(connectionId), 1);
  datagram.set(token, 1 + CONNECTION_ID_BYTES);
  return datagram;
}

/** The token of a reset; `undefined` when it is none. */
export function resetTokenOf(datagram: Uint8Array): Uint8Array | undefined {
  const isReset = datagram[0] === PACKET_RESET && datagram.length === RESET_BYTES;
  return isReset ? datagram.subarray(1 + CONNECTION_ID_BYTES) : undefined;
}

function deriveKeys(secret: Uint8Array): DirectionKeys {
  if (secret.length !== SECRET_BYTES) {
    throw new RangeError(
      `Cannot derive keys: the secret has ${secret.length} bytes, ${SECRET_BYTES} are needed`,
    );
  }
  const derive = (purpose: string, length: number): Uint8Array<ArrayBuffer> =>
    new Uint8Array(hkdfSync("sha256", secret, "", `trivet datagram-1 ${purpose}`, length));
  return { key: derive("key", KEY_BYTES), iv: derive("iv", NONCE_BYTES) };
}

function readConnectionId(connectionId: string): Uint8Array {
  if (/^[0-9a-f]{16}$/.test(connectionId)) return Uint8Array.fromHex(connectionId);
  throw new RangeError("A connection id is 16 lower-case hex digits");
}

function writeNumber(datagram: Uint8Array, number: number): void {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
  view.setUint32(NUMBER_AT, Math.floor(number / 2 ** 32));
  view.setUint32(NUMBER_AT + 4, number % 2 ** 32);
}

function nonceOf(iv: Uint8Array<ArrayBuffer>, number: number): Uint8Array {
  const nonce = iv.slice();
  const view = new DataView(nonce.buffer);
  view.setUint32(4, view.getUint32(4) ^ Math.floor(number / 2 ** 32));
  view.setUint32(8, view.getUint32(8) ^ (number % 2 ** 32));
  return nonce;
}
