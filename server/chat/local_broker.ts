/**
 * The broker of a server that stands alone: everything is in this process.
 *
 * @module
 */

import type { Broker, Notice, Receiver } from "./broker.ts";

/** See the module. */
export class LocalBroker implements Broker {
  readonly #topics = new Map<string, Set<Receiver>>();
  readonly #online = new Map<string, number>();

  /** See {@linkcode Broker.subscribe}. */
  subscribe(topic: string, receiver: Receiver): void {
    const receivers = this.#topics.get(topic);
    if (receivers === undefined) this.#topics.set(topic, new Set([receiver]));
    else receivers.add(receiver);
  }

  /** See {@linkcode Broker.unsubscribe}. */
  unsubscribe(topic: string, receiver: Receiver): void {
    const receivers = this.#topics.get(topic);
    if (receivers?.delete(receiver) === true && receivers.size === 0) this.#topics.delete(topic);
  }

  /** See {@linkcode Broker.publish}. */
  publish(topic: string, notice: Notice): void {
    const receivers = this.#topics.get(topic);
    if (receivers === undefined) return;
    for (const receiver of receivers) receiver.receive(notice);
  }

  /** See {@linkcode Broker.arrive}. */
  arrive(user: string): boolean {
    const count = this.#online.get(user) ?? 0;
    this.#online.set(user, count + 1);
    return count === 0;
  }

  /** See {@linkcode Broker.depart}. */
  depart(user: string): boolean {
    const count = this.#online.get(user) ?? 0;
    if (count > 1) this.#online.set(user, count - 1);
    else this.#online.delete(user);
    return count === 1;
  }

  /** See {@linkcode Broker.isOnline}. */
  isOnline(user: string): boolean {
    return this.#online.has(user);
  }
}
