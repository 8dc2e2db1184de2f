/**
 * A connection's stream as a row of bytes, with the reads and writes of a TCP connection: what speaks
 * frames over TCP speaks them over UDP as it is.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { CloseCode, type DatagramPeer, MESSAGE_MAX_BYTES } from "./types.ts";

/** Options of {@linkcode DatagramTransport}. */
export interface DatagramTransportOptions {
  /** The stream, the same on both sides; 0 by default. Messages of others are dropped. */
  readonly stream?: number | undefined;
}

/** See the module. */
export class DatagramTransport implements Disposable {
  readonly #peer: DatagramPeer;
  readonly #stream: number;
  /** What was read of the connection and not yet by the caller. */
  #rest: Uint8Array = new Uint8Array(0);
  #changed = Promise.withResolvers<void>();
  #isClosed = false;

  /**
   * Takes over all messages of a connection.
   *
   * @param peer The connection.
   * @param options Which stream.
   */
  constructor(peer: DatagramPeer, options: DatagramTransportOptions = {}) {
    this.#peer = peer;
    this.#stream = options.stream ?? 0;
  }

  /** Says that something happened to the connection: whoever waits looks again. */
  wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    if (this.#isClosed && this.#peer.bufferedBytes === 0) this.#peer.close();
  }

  /**
   * Reads some bytes.
   *
   * @param target Where to.
   * @returns How many; `null` when the peer has closed the connection.
   * @throws {TrivetError} `CONNECTION_LOST`.
   */
  async read(target: Uint8Array): Promise<number | null> {
    for (;;) {
      if (this.#isClosed) throw lost("it is closed");
      if (this.#rest.length > 0) {
        const count = Math.min(target.length, this.#rest.length);
        target.set(this.#rest.subarray(0, count));
        this.#rest = this.#rest.subarray(count);
        return count;
      }
      const next = this.#peer.read();
      if (next !== undefined) {
        if (next.stream === this.#stream) this.#rest = next.message;
        continue;
      }
      const { end } = this.#peer;
      if (end?.by === "peer" && end.code === CloseCode.DONE) return null;
      if (end !== undefined) throw lost(end.reason);
      await this.#changed.promise;
    }
  }

  /**
   * Writes some bytes, once there is room for them.
   *
   * @param source The bytes; they are copied.
   * @returns How many.
   * @throws {TrivetError} `CONNECTION_LOST`.
   */
  async write(source: Uint8Array): Promise<number> {
    for (;;) {
      const { end } = this.#peer;
      if (this.#isClosed || end !== undefined) throw lost(end?.reason ?? "it is closed");
      const bytes = source.subarray(0, MESSAGE_MAX_BYTES);
      if (this.#peer.writableBytes >= bytes.length) {
        this.#peer.send(this.#stream, bytes);
        return bytes.length;
      }
      await this.#changed.promise;
    }
  }

  /** Closes the connection once all that was written has arrived; reads and writes fail at once. */
  close(): void {
    this.#isClosed = true;
    this.wake();
  }

  /** The same as {@linkcode DatagramTransport.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function lost(reason: string): TrivetError {
  return new TrivetError("CONNECTION_LOST", `The connection was lost: ${reason}`);
}
