/**
 * What happened in a simulation, as one digest: the same seed gives the same one. On demand also as text.
 *
 * @module
 */

import { createHash, type Hash } from "node:crypto";
import type { VirtualClock } from "./virtual_clock.ts";

/** Takes a line of text. */
export type PrintLine = (line: string) => void;

/** See the module. */
export class Trace {
  readonly #hash: Hash = createHash("sha256");
  readonly #clock: VirtualClock;
  readonly #print: PrintLine | undefined;
  #pending = "";

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
    const line = `${this.#clock.nowMs.toFixed(3)} ${what}`;
    this.#print?.(line);
    this.#pending += `${line}\n`;
    if (this.#pending.length < 16_384) return;
    this.#hash.update(this.#pending);
    this.#pending = "";
  }

  /** The digest of all lines so far, in 16 hexadecimal digits. */
  digest(): string {
    this.#hash.update(this.#pending);
    this.#pending = "";
    return this.#hash.copy().digest("hex").slice(0, 16);
  }
}
