/**
 * What both ends of a call share: the handler of DATA, and the promise of a message that may be
 * failed before anybody waits for it.
 *
 * @module
 */

import type { DataPayload } from "../frame/decode.ts";
import type { Message } from "./messages.ts";

/** Takes one DATA payload; its bytes are valid until it returns, or its promise settles. */
export type DataHandler = (data: DataPayload) => void | Promise<void>;

/** A message to come. */
export class Pending {
  readonly promise: Promise<Message>;
  readonly #resolve: (message: Message) => void;
  readonly #reject: (reason: unknown) => void;
  #settled = false;

  constructor() {
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    // Whoever never waits for this message must not end the process with an unhandled rejection.
    promise.catch(() => {});
    this.promise = promise;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Whether the message came or failed. */
  get isSettled(): boolean {
    return this.#settled;
  }

  /** The message came. */
  resolve(message: Message): void {
    this.#settled = true;
    this.#resolve(message);
  }

  /** The message will not come. */
  reject(reason: unknown): void {
    this.#settled = true;
    this.#reject(reason);
  }
}
