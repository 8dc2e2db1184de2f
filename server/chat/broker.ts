/**
 * The port by which connections hear of what others do: topics that receivers subscribe to, and who is
 * online. An implementation passes the suite in `tests/server/chat/broker_contract.ts`.
 *
 * @module
 */

/** What a receiver is told. */
export type Notice =
  | {
    /** EVENT frames to pass on: one, or some that came together. */
    readonly kind: "event";
    readonly frame: Uint8Array;
    /** Number of the newest change that they tell; 0 for what is not kept. */
    readonly seq: number;
  }
  | {
    /** The user's place in a room changed: they are to hear of it from now on, or no more. */
    readonly kind: "joined" | "left";
    readonly conversation: number;
  };

/** Somebody who is told. */
export interface Receiver {
  /** Takes a notice; it must neither wait nor throw. */
  receive(notice: Notice): void;
}

/** See the module. */
export interface Broker {
  /** From now on the receiver gets what is published on a topic, each notice once, and nothing earlier. */
  subscribe(topic: string, receiver: Receiver): void;
  /** From now on it does not; what was published before has been told. */
  unsubscribe(topic: string, receiver: Receiver): void;
  /** Tells all subscribers of a topic, in the order of the calls, before the next turn of the event loop. */
  publish(topic: string, notice: Notice): void;
  /** A connection of the user begins. @returns Whether it is the only one. */
  arrive(user: string): boolean;
  /** A connection of the user ended. @returns Whether it was the last one. */
  depart(user: string): boolean;
  /** Whether the user has a connection. */
  isOnline(user: string): boolean;
}

/** The topic of all who are in a room. */
export function roomTopic(conversation: number): string {
  return `room:${conversation}`;
}

/** The topic of one user's connections. */
export function userTopic(user: string): string {
  return `user:${user}`;
}
