/**
 * Carries one output stream of a command to the client, as fast as the client takes it: a slow one
 * holds the program back.
 *
 * @module
 */

import {
  sealStreamFrame,
  SendWindow,
  STREAM_DATA_MAX_BYTES,
  STREAM_FRAME_BYTES_AT,
} from "../../lib/exec/stream.ts";
import type { ServerCall } from "../../lib/rpc/server.ts";

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
      const frame = await this.#read();
      if (frame === null) break;
      const length = frame.length - STREAM_FRAME_BYTES_AT;
      const allowed = Math.min(length, budget.leftBytes);
      budget.leftBytes -= allowed;
      if (allowed > 0) await this.#send(frame.subarray(0, STREAM_FRAME_BYTES_AT + allowed));
      if (allowed < length) {
        budget.onExceeded();
        return;
      }
    }
    await this.#send(new Uint8Array(STREAM_FRAME_BYTES_AT));
  }

  /** Reads into a buffer that has room for what stands in front, so that nothing is copied. */
  async #read(): Promise<Uint8Array<ArrayBuffer> | null> {
    const size = Math.min(this.window.roomBytes, STREAM_DATA_MAX_BYTES);
    const room = new Uint8Array(STREAM_FRAME_BYTES_AT + size).subarray(STREAM_FRAME_BYTES_AT);
    this.#isReading = true;
    const { value, done } = await this.#reader.read(room);
    this.#isReading = false;
    return done ? null : new Uint8Array(value.buffer, 0, STREAM_FRAME_BYTES_AT + value.length);
  }

  async #send(frame: Uint8Array): Promise<void> {
    const { call, stream } = this.#options;
    sealStreamFrame(frame, { id: call.id, stream, offset: this.window.sentBytes });
    this.window.send(frame.length - STREAM_FRAME_BYTES_AT);
    await call.send(frame);
  }
}
