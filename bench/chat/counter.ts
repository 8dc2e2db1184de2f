/**
 * Counting messages in what a receiver reads, as cheaply as each protocol allows: nobody is to be
 * measured by what the load can parse.
 *
 * @module
 */

import { FRAME_HEADER_BYTES } from "../../lib/frame/frame.ts";

/** Counts the messages that one receiver got. */
export interface Counter {
  /** Takes the next bytes of the connection; how many messages they complete. */
  push(bytes: Uint8Array): number;
}

const LINE_FEED = 10;
const FRAME_LENGTH_BYTES = 4;

/** Counts lines that begin with a byte; `linesPerMessage` of them, such as a head and its payload, are one. */
export class LineCounter implements Counter {
  readonly #messageStart: number;
  readonly #messageBytes: number;
  /** Bytes of the message under way that have yet to come. */
  #missing = 0;
  #isInOther = false;

  /**
   * Between two messages.
   *
   * @param messageStart First byte of a message; other lines, such as a ping, begin with another one.
   * @param messageBytes Length of each message: the load's all have the same.
   */
  constructor(messageStart: number, messageBytes: number) {
    this.#messageStart = messageStart;
    this.#messageBytes = messageBytes;
  }

  /** See {@linkcode Counter.push}. */
  push(bytes: Uint8Array): number {
    let [at, count] = [0, 0];
    while (at < bytes.length) {
      if (this.#isInOther) {
        const end = bytes.indexOf(LINE_FEED, at);
        if (end < 0) break;
        this.#isInOther = false;
        at = end + 1;
        continue;
      }
      if (this.#missing === 0) {
        if (bytes[at] !== this.#messageStart) {
          this.#isInOther = true;
          continue;
        }
        this.#missing = this.#messageBytes;
      }
      const step = Math.min(this.#missing, bytes.length - at);
      this.#missing -= step;
      at += step;
      if (this.#missing === 0) count += 1;
    }
    return count;
  }
}

/** Counts frames. */
export class FrameCounter implements Counter {
  /** Bytes of the frame under way that have yet to come, once its length is known. */
  #missing = 0;
  #header = 0;
  #length = 0;

  /** See {@linkcode Counter.push}. */
  push(bytes: Uint8Array): number {
    let [at, count] = [0, 0];
    while (at < bytes.length) {
      if (this.#missing > 0) {
        const step = Math.min(this.#missing, bytes.length - at);
        this.#missing -= step;
        at += step;
      } else {
        this.#length = (this.#length << 8 | (bytes[at] ?? 0)) >>> 0;
        this.#header += 1;
        at += 1;
        if (this.#header < FRAME_LENGTH_BYTES) continue;
        this.#missing = this.#length + FRAME_HEADER_BYTES - FRAME_LENGTH_BYTES;
        this.#header = 0;
        this.#length = 0;
      }
      if (this.#missing === 0) count += 1;
    }
    return count;
  }
}
