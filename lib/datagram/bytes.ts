/**
 * Writing and reading the fields of a packet: bytes, and integers of variable length as QUIC has them
 * (RFC 9000 §16), of which only those up to 2^53 − 1 are taken.
 *
 * @module
 */

/** Bytes of the longest integer. */
export const VARINT_MAX_BYTES = 8;

/** A packet that is not one; whoever sent it broke the rules. */
export class PacketError extends Error {
  /** The name of this class. */
  override readonly name = "PacketError";
  /** The same bytes stay wrong. */
  readonly retry = false;
}

/**
 * How many bytes an integer takes.
 *
 * @param value From 0 to 2^53 − 1.
 */
export function varintBytes(value: number): 1 | 2 | 4 | 8 {
  if (value < 0x40) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x4000_0000) return 4;
  return 8;
}

/** Writes into an array that the caller made large enough. */
export class ByteWriter {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #limit: number;
  #length = 0;

  /** Nothing is written yet. */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#limit = bytes.length;
  }

  /** Begins again at the start, with room for `limit` bytes. */
  reset(limit: number): void {
    this.#length = 0;
    this.#limit = Math.min(limit, this.#bytes.length);
  }

  /** How many bytes were written. */
  get length(): number {
    return this.#length;
  }

  /** How many bytes there is room for. */
  get room(): number {
    return this.#limit - this.#length;
  }

  /** A view of what was written. */
  get written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Writes one byte. */
  byte(value: number): void {
    this.#bytes[this.#take(1)] = value;
  }

  /** Writes an integer from 0 to 2^53 − 1. */
  varint(value: number): void {
    const size = varintBytes(value);
    const at = this.#take(size);
    if (size === 1) this.#view.setUint8(at, value);
    else if (size === 2) this.#view.setUint16(at, 0x4000 + value);
    else if (size === 4) this.#view.setUint32(at, 0x8000_0000 + value);
    else {
      this.#view.setUint32(at, 0xc000_0000 + Math.floor(value / 2 ** 32));
      this.#view.setUint32(at + 4, value % 2 ** 32);
    }
  }

  /** Writes bytes. */
  bytes(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#take(bytes.length));
  }

  /** Room for `count` bytes that the caller fills in. */
  space(count: number): Uint8Array<ArrayBuffer> {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }

  #take(count: number): number {
    const at = this.#length;
    if (at + count > this.#limit) throw new RangeError("Cannot write packet: it is full");
    this.#length = at + count;
    return at;
  }
}

/** Reads what a {@linkcode ByteWriter} wrote, or anything else. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  /** Begins at the start. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Reads one byte. @throws {PacketError} At the end. */
  byte(): number {
    return this.#bytes[this.#take(1)] ?? 0;
  }

  /** Reads an integer. @throws {PacketError} At the end, or for an integer above 2^53 − 1. */
  varint(): number {
    const first = this.byte();
    const size = 1 << (first >> 6);
    let value = first & 0x3f;
    if (size > 1) {
      const at = this.#take(size - 1);
      for (let i = 0; i < size - 1; i++) value = value * 256 + (this.#bytes[at + i] ?? 0);
    }
    if (value <= Number.MAX_SAFE_INTEGER) return value;
    throw new PacketError("Cannot read packet: an integer is above 2^53 − 1");
  }

  /**
   * A view of the next bytes.
   *
   * @throws {PacketError} When there are fewer.
   */
  bytes(count: number): Uint8Array {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }

  #take(count: number): number {
    const at = this.#at;
    if (count > this.#bytes.length - at) {
      throw new PacketError(`Cannot read packet: ${count} bytes are needed, ${this.left} are left`);
    }
    this.#at = at + count;
    return at;
  }
}
