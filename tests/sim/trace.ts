/**
 * What happened in a simulation, as one digest: the same seed gives the same one. On demand also as text.
 *
 * @module
 */

import { crc32 } from "../../lib/frame/crc32.ts";
import type { VirtualClock } from "./virtual_clock.ts";

/** Takes a line of text. */
export type PrintLine = (line: string) => void;

/** Bytes on their way, for the trace. */
export interface TracedBytes {
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
  /** How often they will arrive. */
  readonly copies: number;
}

const encoder = new TextEncoder();

/** See the module. */
export class Trace {
  readonly #clock: VirtualClock;
  readonly #print: PrintLine | undefined;
  #low = 0x811c9dc5;
  #high = 0x01000193;

  /**
   * Empty.
   *
   * @param clock Dates the lines.
   * @param print Takes each line as it comes.
   */
  constructor(clock: VirtualClock, print?: PrintLine) {
    this.#clock = clock;
    this.#print = print;
  }

  /** Adds a line. */
  add(what: string): void {
    this.#mix(crc32(encoder.encode(what)));
    this.#mix(this.#clock.nowMs * 1000);
    this.#print?.(`${this.#clock.nowMs.toFixed(3)} ${what}`);
  }

  /** Adds bytes that are sent; cheaper than a line, for there are many. */
  addBytes({ from, to, bytes, copies }: TracedBytes): void {
    const sum = crc32(bytes);
    this.#mix(sum);
    this.#mix(bytes.length * 4 + copies);
    this.#mix(this.#clock.nowMs * 1000);
    if (this.#print === undefined) return;
    const what = `${from} > ${to} ${bytes.length} ${sum.toString(16).padStart(8, "0")}`;
    this.#print(`${this.#clock.nowMs.toFixed(3)} ${what}${copies === 1 ? "" : ` x${copies}`}`);
  }

  /** The digest of everything so far, in 16 hexadecimal digits. */
  digest(): string {
    return [this.#high, this.#low].map((part) => (part >>> 0).toString(16).padStart(8, "0")).join(
      "",
    );
  }

  /** Two sums with different factors, each step of which can be undone: no difference gets lost. */
  #mix(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193);
    this.#high = Math.imul(((this.#high << 13) | (this.#high >>> 19)) ^ value, 0x85ebca6b);
  }
}
