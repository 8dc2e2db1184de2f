/**
 * Messages on their way: one after the other, so that they are stored in the order in which they were
 * written, and each again under its name until the server has said what became of it.
 *
 * @module
 */

import { abortable } from "../abortable.ts";
import type { ChatMessage } from "../chat_types.ts";
import type { Outgoing } from "./actions.ts";

/** Options of {@linkcode Outbox}. */
export interface OutboxOptions {
  /** Sends a message. */
  readonly send: (message: Outgoing) => Promise<ChatMessage>;
  /** Told that the server has stored one. */
  readonly onSent: (clientId: string, message: ChatMessage) => void;
  /** Told that the server refused one, and why. */
  readonly onRefused: (clientId: string, reason: string) => void;
  /** Whether a failure passes. */
  readonly canSendAgain: (error: unknown) => boolean;
  /** Waits before a message is sent again. */
  readonly wait: (signal: AbortSignal) => Promise<void>;
}

/** See the module. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #waiting: Outgoing[] = [];
  #wake = Promise.withResolvers<void>();

  /** Sends nothing until it runs. */
  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Takes a message that is to be sent. */
  push(message: Outgoing): void {
    this.#waiting.push(message);
    this.#wake.resolve();
  }

  /** Sends until the signal ends it, and throws its reason. */
  async run(signal: AbortSignal): Promise<never> {
    for (;;) {
      const message = this.#waiting.shift();
      if (message !== undefined) await this.#deliver(message, signal);
      else {
        await abortable(this.#wake.promise, signal);
        this.#wake = Promise.withResolvers<void>();
      }
    }
  }

  async #deliver(message: Outgoing, signal: AbortSignal): Promise<void> {
    const { send, onSent, onRefused, canSendAgain, wait } = this.#options;
    for (;;) {
      try {
        return onSent(message.clientId, await send(message));
      } catch (error) {
        signal.throwIfAborted();
        if (!canSendAgain(error)) {
          return onRefused(
            message.clientId,
            error instanceof Error ? error.message : String(error),
          );
        }
      }
      await wait(signal);
    }
  }
}
