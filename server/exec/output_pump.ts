/**
 * Carries one output stream of a command to the client, as fast as the client takes it: a slow one
 * holds the program back.
 *
 * @module
 */

import { recordsRoom, sealRecords } from "../../lib/exec/records.ts";
import { SendWindow } from "../../lib/exec/stream.ts";
import type { ServerCall } from "../../lib/rpc/server.ts";

/** Most bytes of one read: what a pipe of Linux holds. */
const READ_BYTES = 64 * 1024;

/** How much a command may still write. */
export interface OutputBudget {
  leftBytes: number;
  /** Told when it has written more. */
  readonly onExceeded: () => void;
}

/** What {@linkcode OutputPump} needs. */
export interface OutputPumpOptions {
  readonly call: Pick<ServerCall, "id" | "send">;
  readonly stream: "stdout" | "stderr";
  /** Shared by both streams. */
  readonly budget: OutputBudget;
}

/** See the module. */
export class OutputPump {
  /** How much the client takes. */
  readonly window = new SendWindow();
  /** Resolves when the stream has ended, or was cancelled. Never rejects. */
  readonly done: Promise<void>;
  readonly #reader: ReadableStreamBYOBReader;
  readonly #options: OutputPumpOptions;
  #isReading = false;

  /**
   * Begins to carry.
   *
   * @param source The stream.
   * @param options Where it goes, and how much of it.
   */
  constructor(source: ReadableStream<Uint8Array<ArrayBuffer>>, options: OutputPumpOptions) {
    this.#reader = source.getReader({ mode: "byob" });
    this.#options = options;
    // What breaks is the connection, and the call learns of that by itself.
    this.done = this.#run().catch(() => {}).finally(() => this.cancel());
  }

  /** Whether it waits for the program, not for the client. */
  get isReading(): boolean {
    return this.#isReading;
  }

  /** Closes the stream, whoever else holds its other end. */
  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }

  async #run(): Promise<void> {
    const { budget } = this.#options;
    for (;;) {
      await this.window.untilRoom();
      const bytes = await this.#read();
      if (bytes === null) break;
      const allowed = Math.min(bytes.length, budget.leftBytes);
      budget.leftBytes -= allowed;
      if (allowed > 0) await this.#send(bytes.subarray(0, allowed));
      if (allowed < bytes.length) {
        budget.onExceeded();
        return;
      }
    }
    await this.#send(recordsRoom(1).subarray(0, 0));
  }

  async #read(): Promise<Uint8Array<ArrayBuffer> | null> {
    const room = recordsRoom(Math.min(this.window.roomBytes, READ_BYTES));
    this.#isReading = true;
    const { value, done } = await this.#reader.read(room);
    this.#isReading = false;
    return done ? null : value;
  }

  async #send(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const { call, stream } = this.#options;
    const frames = sealRecords(bytes, { id: call.id, stream, offset: this.window.sentBytes });
    this.window.send(bytes.length);
    await call.send(frames);
  }
}
