/**
 * What every `Broker` must do. An implementation's test file calls `testBroker` with a way to make one.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { Broker, Notice, Receiver } from "../../../server/chat/broker.ts";

/** Notes what it is told. */
class Listener implements Receiver {
  /** The one byte of each event, and the conversations of others below 0. */
  readonly seqs: number[] = [];
  /** The newest change after each notice of events. */
  readonly newest: number[] = [];

  receive(notice: Notice): void {
    if (notice.kind !== "event") return void this.seqs.push(-notice.conversation);
    this.seqs.push(...notice.frame);
    this.newest.push(notice.seq);
  }
}

const event = (seq: number): Notice => ({ kind: "event", frame: Uint8Array.of(seq), seq });

/** Until then events are told. */
const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

/** Registers the suite. */
export function testBroker(name: string, make: () => Broker): void {
  const test = (behaviour: string, work: (broker: Broker) => void | Promise<void>) =>
    Deno.test(`${name} ${behaviour}`, () => work(make()));

  test("publish() tells the subscribers of a topic, in order, and nobody else", async (broker) => {
    const [one, two, other] = [new Listener(), new Listener(), new Listener()];
    broker.subscribe("a", one);
    broker.subscribe("a", two);
    broker.subscribe("b", other);
    for (const seq of [1, 2, 3]) broker.publish("a", event(seq));
    broker.publish("a", { kind: "left", conversation: 7 });
    broker.publish("c", event(4));
    broker.publish("b", event(5));
    broker.publish("a", event(6));
    await turn();
    assertEquals([one.seqs, two.seqs, other.seqs], [[1, 2, 3, -7, 6], [1, 2, 3, -7, 6], [5]]);
  });
  test("publish() keeps the order of topics that one receiver hears of", async (broker) => {
    const both = new Listener();
    for (const topic of ["a", "b"]) broker.subscribe(topic, both);
    for (const seq of [1, 2, 3, 4, 5, 6]) broker.publish(seq % 3 === 0 ? "b" : "a", event(seq));
    await turn();
    assertEquals(both.seqs, [1, 2, 3, 4, 5, 6]);
    assertEquals(both.newest.at(-1), 6);
    assertEquals(both.newest, both.newest.toSorted());
  });
  test("subscribe() twice is once, and unsubscribe() ends it", async (broker) => {
    const listener = new Listener();
    broker.publish("a", event(9));
    broker.subscribe("a", listener);
    broker.subscribe("a", listener);
    broker.publish("a", event(1));
    broker.unsubscribe("a", listener);
    broker.unsubscribe("a", listener);
    broker.publish("a", event(2));
    await turn();
    assertEquals(listener.seqs, [1]);
  });
  test("publish() goes on when a receiver ends its own subscription meanwhile", async (broker) => {
    const last = new Listener();
    const first: Receiver = { receive: () => broker.unsubscribe("a", first) };
    broker.subscribe("a", first);
    broker.subscribe("a", last);
    broker.publish("a", event(1));
    await turn();
    broker.publish("a", event(2));
    await turn();
    assertEquals(last.seqs, [1, 2]);
  });
  test("somebody is online from the first arrival to the last departure", (broker) => {
    assertEquals(broker.isOnline("ann"), false);
    assertEquals([broker.arrive("ann"), broker.arrive("ann")], [true, false]);
    assertEquals([broker.depart("ann"), broker.isOnline("ann")], [false, true]);
    assertEquals([broker.depart("ann"), broker.isOnline("ann")], [true, false]);
    assertEquals(broker.depart("ann"), false);
  });
}
