/**
 * The part of a stream of bytes that is held: bytes come in at any offset above what was dropped, and
 * go out at the bottom. One array that grows and shrinks, so that small messages cost no object each.
 *
 * @module
 */

const CAPACITY_MIN_BYTES = 256;
/** An empty window gives its memory back when it has more. */
const CAPACITY_KEPT_BYTES = 4096;

/** See the module. */
export class ByteWindow {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** Where in the stream the first byte of the array stands. */
  #origin = 0;
  #start = 0;
  #end = 0;

  /** The offset of the first byte that is held. */
  get start(): number {
    return this.#start;
  }

  /** The offset behind the last byte that was written. */
  get end(): number {
    return this.#end;
  }

  /** Writes bytes; those below `start` are left out. */
  write(offset: number, bytes: Uint8Array): void {
    const skip = Math.max(0, this.#start - offset);
    if (skip >= bytes.length) return;
    const end = offset + bytes.length;
    this.#reserve(end);
    const source = skip === 0 ? bytes : bytes.subarray(skip);
    this.#bytes.set(source, offset + skip - this.#origin);
    if (end > this.#end) this.#end = end;
  }

  /** Copies bytes that are held. */
  copy(offset: number, target: Uint8Array): void {
    const at = offset - this.#origin;
    target.set(this.#bytes.subarray(at, at + target.length));
  }

  /** Two bytes that are held, as an integer. */
  uint16(offset: number): number {
    const at = offset - this.#origin;
    return ((this.#bytes[at] ?? 0) << 8) | (this.#bytes[at + 1] ?? 0);
  }

  /** Drops all below an offset. */
  drop(offset: number): void {
    this.#start = offset;
    if (this.#start < this.#end) return;
    this.#end = this.#start;
    this.#origin = this.#start;
    if (this.#bytes.length > CAPACITY_KEPT_BYTES) this.#bytes = new Uint8Array(0);
  }

  #reserve(end: number): void {
    if (end - this.#origin <= this.#bytes.length) return;
    const needed = end - this.#start;
    const held = this.#bytes.subarray(this.#start - this.#origin, this.#end - this.#origin);
    if (needed * 2 <= this.#bytes.length) {
      this.#bytes.copyWithin(0, held.byteOffset, held.byteOffset + held.length);
    } else {
      const grown = new Uint8Array(Math.max(CAPACITY_MIN_BYTES, needed * 2));
      grown.set(held);
      this.#bytes = grown;
    }
    this.#origin = this.#start;
  }
}
