/**
 * The broker of a server that stands alone: everything is in this process.
 *
 * Events that come together are joined before they are told, once for all subscribers of a topic: with
 * many of both, telling each one each event would cost more than writing to all their connections.
 *
 * @module
 */

import type { Broker, Notice, Receiver } from "./broker.ts";
import { EventBatch } from "./event_batch.ts";

/** See the module. */
export class LocalBroker implements Broker {
  readonly #topics = new Map<string, Set<Receiver>>();
  readonly #online = new Map<string, number>();
  /** Events of one topic that have yet to be told. */
  readonly #batch = new EventBatch();
  #batchTopic = "";

  /** See {@linkcode Broker.subscribe}. */
  subscribe(topic: string, receiver: Receiver): void {
    this.#tellBatch();
    const receivers = this.#topics.get(topic);
    if (receivers === undefined) this.#topics.set(topic, new Set([receiver]));
    else receivers.add(receiver);
  }

  /** See {@linkcode Broker.unsubscribe}. */
  unsubscribe(topic: string, receiver: Receiver): void {
    this.#tellBatch();
    const receivers = this.#topics.get(topic);
    if (receivers?.delete(receiver) === true && receivers.size === 0) this.#topics.delete(topic);
  }

  /** See {@linkcode Broker.publish}. */
  publish(topic: string, notice: Notice): void {
    if (topic !== this.#batchTopic || notice.kind !== "event") this.#tellBatch();
    if (!this.#topics.has(topic)) return;
    if (notice.kind !== "event") return this.#tell(topic, notice);
    this.#batchTopic = topic;
    // In a microtask: what one transaction has stored is published one after another until then.
    if (this.#batch.add(notice) === 1) queueMicrotask(() => this.#tellBatch());
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

  #tellBatch(): void {
    for (const notice of this.#batch.take()) this.#tell(this.#batchTopic, notice);
  }

  #tell(topic: string, notice: Notice): void {
    for (const receiver of this.#topics.get(topic) ?? []) receiver.receive(notice);
  }
}
