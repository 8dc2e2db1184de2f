/**
 * Stdout for a lot of bytes: where it is a file or a device that never makes a writer wait, writing at
 * once costs a third of writing in turn, which copies the bytes and wakes a thread.
 *
 * @module
 */

import type { OutputSink } from "./output.ts";

/** Bytes that pass before it is looked up what stdout is: what tells it takes 25 ms to load. */
export const STDOUT_LOOK_AFTER_BYTES: number = 4 * 1024 * 1024;

/** See the module. */
export class Stdout implements OutputSink {
  readonly #stream: OutputSink;
  readonly #neverWaits: () => Promise<boolean>;
  #bytes = 0;
  /** Unknown until enough bytes have passed. */
  #isDirect: boolean | undefined;

  /**
   * Writes nothing yet.
   *
   * @param stream The stream, such as `Deno.stdout`.
   * @param neverWaits Says whether it is a file or such a device; asked once.
   */
  constructor(stream: OutputSink, neverWaits: () => Promise<boolean> = stdoutNeverWaits) {
    this.#stream = stream;
    this.#neverWaits = neverWaits;
  }

  /** See {@linkcode OutputSink.write}. */
  async write(bytes: Uint8Array): Promise<number> {
    if (this.#isDirect === true) return this.#stream.writeSync(bytes);
    if (this.#isDirect === undefined && this.#bytes >= STDOUT_LOOK_AFTER_BYTES) {
      this.#isDirect = await this.#neverWaits();
      return await this.write(bytes);
    }
    const count = await this.#stream.write(bytes);
    this.#bytes += count;
    return count;
  }

  /** See {@linkcode OutputSink.writeSync}. */
  writeSync(bytes: Uint8Array): number {
    return this.#stream.writeSync(bytes);
  }

  /** See {@linkcode OutputSink.isTerminal}. */
  isTerminal(): boolean {
    return this.#stream.isTerminal();
  }
}

/**
 * Whether stdout is a regular file or a device such as `/dev/null`. A pipe, a socket or a terminal may
 * make its writer wait, and whoever waits at once leaves the connection's pings unanswered.
 */
export async function stdoutNeverWaits(): Promise<boolean> {
  if (Deno.stdout.isTerminal()) return false;
  const { fstatSync } = await import("node:fs");
  try {
    const stat = fstatSync(1);
    return stat.isFile() || stat.isCharacterDevice();
  } catch {
    return false;
  }
}
