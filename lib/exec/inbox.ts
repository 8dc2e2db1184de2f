/**
 * The reader's end of a stream's window: what has arrived and was not taken yet.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { STREAM_WINDOW_BYTES } from "./stream.ts";

/** Bytes are kept in blocks of this size, so that many small records cost no more than their bytes. */
const BLOCK_BYTES = 64 * 1024;

/** A reader that takes no more than this at once keeps up with a sender that writes now and then. */
const IDLE_MAX_BYTES = 32 * 1024;

/** Behind a full block, the reader is late: then it gets more at once. */
const LATE_BLOCK_BYTES = 256 * 1024;

/** The reader announces what it has taken in steps of this many bytes. */
const ANNOUNCE_BYTES = STREAM_WINDOW_BYTES / 8;

interface Block {
  readonly buffer: Uint8Array<ArrayBuffer>;
  length: number;
}

/** See the module. */
export class StreamInbox {
  readonly #blocks: Block[] = [];
  #received = 0;
  #taken = 0;
  #announced = 0;
  #isEnded = false;
  #arrived = Promise.withResolvers<void>();

  /** How many bytes have arrived in all. */
  get receivedBytes(): number {
    return this.#received;
  }

  /**
   * Takes a record's bytes in; none is the stream's end. They are copied.
   *
   * @param offset Where they stand in the stream.
   * @param bytes The bytes.
   * @throws {TrivetError} `PROTOCOL_ERROR` for a gap, for bytes behind the end or beyond the window.
   */
  push(offset: number, bytes: Uint8Array): void {
    if (offset !== this.#received || this.#isEnded) {
      throw new TrivetError(
        "PROTOCOL_ERROR",
        `Bytes at ${offset} came where those at ${this.#received} belong`,
      );
    }
    if (this.#received - this.#taken + bytes.length > STREAM_WINDOW_BYTES) {
      throw new TrivetError("PROTOCOL_ERROR", "More bytes came than the window allows");
    }
    if (bytes.length === 0) this.#isEnded = true;
    this.#received += bytes.length;
    this.#copy(bytes);
    this.#wake();
  }

  /** Nothing more will arrive; what has arrived can still be taken. */
  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  /**
   * The next bytes, the caller's own.
   *
   * @returns `null` at the stream's end.
   */
  async next(): Promise<Uint8Array<ArrayBuffer> | null> {
    for (;;) {
      const block = this.#blocks.shift();
      if (block !== undefined) return block.buffer.subarray(0, block.length);
      if (this.#isEnded) return null;
      await this.#arrived.promise;
    }
  }

  /**
   * Notes that bytes were passed on. It is time to tell the sender now and then, and always when
   * nothing more is here: the message carries the acknowledgement that the sender's system may wait for
   * before it lets the next few bytes go (Nagle's algorithm, which Deno's TLS cannot turn off), and
   * that this system would keep back for 40 ms.
   *
   * @param count How many.
   * @returns How many in all, when it is time to tell the sender; else `null`.
   */
  take(count: number): number | null {
    this.#taken += count;
    const isIdle = this.#blocks.length === 0 && count < IDLE_MAX_BYTES;
    if (this.#taken - this.#announced < ANNOUNCE_BYTES && !isIdle) return null;
    this.#announced = this.#taken;
    return this.#taken;
  }

  #copy(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      let last = this.#blocks.at(-1);
      if (last === undefined || last.length === last.buffer.length) {
        const size = last === undefined ? BLOCK_BYTES : LATE_BLOCK_BYTES;
        last = { buffer: new Uint8Array(size), length: 0 };
        this.#blocks.push(last);
      }
      const part = bytes.subarray(at, at + last.buffer.length - last.length);
      last.buffer.set(part, last.length);
      last.length += part.length;
      at += part.length;
    }
  }

  #wake(): void {
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers();
  }
}
