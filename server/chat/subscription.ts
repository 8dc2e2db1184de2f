/**
 * One connection that hears of what happens: in the rooms that its user is in, as long as they are.
 *
 * @module
 */

import type { Link } from "../../lib/link/link.ts";
import { type Notice, type Receiver, roomTopic, userTopic } from "./broker.ts";
import type { ChatContext } from "./context.ts";
import { publish } from "./events.ts";
import { Outbox } from "./outbox.ts";

/** See the module. */
export class Subscription implements Receiver, AsyncDisposable {
  readonly #context: ChatContext;
  readonly #outbox: Outbox;
  readonly #topics = new Set<string>();
  /** Rooms that were left while those that the user is in were being read. */
  readonly #left = new Set<number>();
  #started: Promise<number> | undefined;
  #isOnline = false;
  #isClosed = false;

  /** Hears of nothing yet. */
  constructor(context: ChatContext, link: Pick<Link, "send" | "closeAfter">) {
    this.#context = context;
    this.#outbox = new Outbox(link, context.outboxMaxBytes);
  }

  /**
   * Begins, once.
   *
   * @returns The newest change before the first one that it hears of.
   */
  start(): Promise<number> {
    return this.#started ??= this.#start();
  }

  /** See {@linkcode Receiver.receive}. */
  receive(notice: Notice): void {
    if (notice.kind === "event") return this.#outbox.push(notice);
    if (notice.kind === "joined") {
      this.#left.delete(notice.conversation);
      return this.#add(roomTopic(notice.conversation));
    }
    this.#left.add(notice.conversation);
    const topic = roomTopic(notice.conversation);
    if (this.#topics.delete(topic)) this.#context.broker.unsubscribe(topic, this);
  }

  /** Hears of nothing more; the others are told when the user has gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#outbox.stop();
    await this.#started?.catch(() => {});
    const { broker, user } = this.#context;
    for (const topic of this.#topics) broker.unsubscribe(topic, this);
    this.#topics.clear();
    if (this.#isOnline && broker.depart(user)) await this.#tellPresence(false);
  }

  async #start(): Promise<number> {
    const { broker, catalog, user } = this.#context;
    // Before it hears of anything, for nobody need be told of themselves.
    this.#isOnline = true;
    if (broker.arrive(user)) await this.#tellPresence(true);
    // Then the user's own topic, which tells of rooms that are joined or left while the list is read.
    this.#add(userTopic(user));
    for (const { name, number } of await catalog.joinedBy(user)) {
      if (name !== null && !this.#left.has(number)) this.#add(roomTopic(number));
    }
    // Last: every change behind this number is published to topics that are subscribed to by now.
    const head = await catalog.head();
    this.#outbox.startFrom(head);
    return head;
  }

  #add(topic: string): void {
    if (this.#isClosed) return;
    this.#topics.add(topic);
    this.#context.broker.subscribe(topic, this);
  }

  async #tellPresence(online: boolean): Promise<void> {
    const { broker, catalog, user } = this.#context;
    const conversations = await catalog.joinedBy(user).catch(() => []);
    for (const conversation of conversations) {
      publish(broker, conversation, {
        make: (room) => ({ event: "presence", room, user, online }),
      });
    }
  }
}
