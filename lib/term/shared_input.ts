/**
 * One keyboard for several readers in turn. A read that its caller gave up, as a question does at
 * Ctrl-C, cannot be taken back from the system: what it brings goes to the next caller.
 *
 * @module
 */

import type { PromptInput } from "./prompt.ts";

const READ_BYTES = 4096;

/** See the module. */
export class SharedInput implements PromptInput {
  readonly #input: PromptInput;
  #reading: Promise<Uint8Array | null> | undefined;
  #rest: Uint8Array = new Uint8Array();
  #turn = 0;

  /**
   * Reads nothing until it is asked to.
   *
   * @param input The keyboard, which nobody else may read.
   */
  constructor(input: PromptInput) {
    this.#input = input;
  }

  /** See {@linkcode PromptInput.read}; a later call takes over from one that has not ended. */
  async read(buffer: Uint8Array): Promise<number | null> {
    this.#turn += 1;
    const turn = this.#turn;
    if (this.#rest.length === 0) {
      this.#reading ??= this.#next();
      const bytes = await this.#reading;
      if (turn !== this.#turn) return 0;
      this.#reading = undefined;
      if (bytes === null) return null;
      this.#rest = bytes;
    }
    const taken = this.#rest.subarray(0, buffer.length);
    this.#rest = this.#rest.subarray(taken.length);
    buffer.set(taken);
    return taken.length;
  }

  /** See {@linkcode PromptInput.isTerminal}. */
  isTerminal(): boolean {
    return this.#input.isTerminal();
  }

  /** See {@linkcode PromptInput.setRaw}. */
  setRaw(isRaw: boolean): void {
    this.#input.setRaw(isRaw);
  }

  async #next(): Promise<Uint8Array | null> {
    const buffer = new Uint8Array(READ_BYTES);
    const length = await this.#input.read(buffer);
    return length === null ? null : buffer.subarray(0, length);
  }
}
