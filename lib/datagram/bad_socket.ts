/**
 * A socket whose outgoing datagrams fare as on a bad network, for trying out what that does.
 *
 * @module
 */

import { Netem, type NetemOptions } from "./netem.ts";

/** The part of a `DatagramSocket` that is made worse. */
export interface DatagramSender {
  /** Sends a datagram. */
  send(bytes: Uint8Array, to: string): Promise<unknown>;
}

/** Longest wait for what is still on its way when the socket is about to be closed. */
const DRAIN_MAX_MS = 1000;

/** See the module. */
export class BadSocket {
  readonly #socket: DatagramSender;
  readonly #netem: Netem;
  readonly #late = new Set<ReturnType<typeof setTimeout>>();
  #onLate: () => void = () => {};

  /**
   * Nothing is on its way yet.
   *
   * @param socket Where to; it stays the caller's.
   * @param options What happens on the way.
   */
  constructor(socket: DatagramSender, options: NetemOptions) {
    this.#socket = socket;
    this.#netem = new Netem(options);
  }

  /**
   * Sends what arrives of a datagram, when it does. Never rejects.
   *
   * @param bytes The datagram, which must stay as it is.
   * @param to Where to.
   */
  send(bytes: Uint8Array, to: string): void {
    const now = performance.now();
    for (const delivery of this.#netem.pass(bytes, now)) {
      const deliver = () => void this.#socket.send(delivery.bytes, to).catch(() => {});
      const waitMs = delivery.atMs - now;
      if (waitMs <= 0) {
        deliver();
        continue;
      }
      const timer = setTimeout(() => {
        this.#late.delete(timer);
        deliver();
        this.#onLate();
      }, waitMs);
      this.#late.add(timer);
    }
  }

  /** Waits a second at most until everything has arrived; what has not by then is lost. */
  async drain(): Promise<void> {
    if (this.#late.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, DRAIN_MAX_MS);
      this.#onLate = () => {
        if (this.#late.size === 0) resolve();
      };
      await promise;
      clearTimeout(timer);
    }
    for (const timer of this.#late) clearTimeout(timer);
    this.#late.clear();
  }
}
