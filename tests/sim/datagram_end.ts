/**
 * One end of a datagram connection as a stream of bytes, over which the RPC layer runs as over TCP.
 *
 * @module
 */

import { CloseCode, type DatagramPeer, MESSAGE_MAX_BYTES } from "../../lib/datagram/types.ts";
import type { Transport } from "../../lib/link/link.ts";

/** The stream that carries everything, so that it arrives in the order in which it was sent. */
const STREAM = 1;

/** See the module. */
export class DatagramEnd implements Transport {
  readonly #peer: DatagramPeer;
  readonly #pump: () => void;
  #left: Uint8Array | undefined;
  #isClosed = false;
  #isLost = false;
  #changed = Promise.withResolvers<void>();

  /** @param pump Sends what there is to send. */
  constructor(peer: DatagramPeer, pump: () => void) {
    this.#peer = peer;
    this.#pump = pump;
  }

  /** See {@linkcode Transport.read}. */
  async read(target: Uint8Array): Promise<number | null> {
    for (;;) {
      if (this.#isClosed) throw new Deno.errors.Interrupted("operation canceled");
      const bytes = this.#left ?? this.#take();
      if (bytes !== undefined) {
        const count = Math.min(bytes.length, target.length);
        target.set(bytes.subarray(0, count));
        this.#left = count < bytes.length ? bytes.subarray(count) : undefined;
        return count;
      }
      if (this.#isLost || this.#peer.state !== "open") {
        const { by, code } = this.#peer.end ?? {};
        if (by === "peer" && code === CloseCode.DONE) return null;
        throw new Deno.errors.ConnectionReset("connection reset by peer");
      }
      await this.#changed.promise;
    }
  }

  /** See {@linkcode Transport.write}. */
  async write(source: Uint8Array): Promise<number> {
    while (this.#isOpen() && this.#peer.writableBytes === 0) await this.#changed.promise;
    if (this.#isClosed) throw new Deno.errors.Interrupted("operation canceled");
    if (!this.#isOpen()) throw new Deno.errors.BrokenPipe("broken pipe");
    const count = Math.min(source.length, this.#peer.writableBytes, MESSAGE_MAX_BYTES);
    this.#peer.send(STREAM, source.subarray(0, count));
    this.#pump();
    return count;
  }

  /** See {@linkcode Transport.close}. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#peer.close();
    this.#pump();
    this.tell();
  }

  /** The host is gone, and nothing can be said any more. */
  lose(): void {
    this.#isLost = true;
    this.tell();
  }

  /** Something may have changed: whoever waits looks again. */
  tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  #isOpen(): boolean {
    return !this.#isClosed && !this.#isLost && this.#peer.state === "open";
  }

  #take(): Uint8Array | undefined {
    for (;;) {
      const message = this.#peer.read()?.message;
      if (message === undefined) return undefined;
      this.#pump();
      if (message.length > 0) return message;
    }
  }
}
