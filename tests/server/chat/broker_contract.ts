/**
 * What every `Broker` must do. An implementation's test file calls `testBroker` with a way to make one.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { Broker, Notice, Receiver } from "../../../server/chat/broker.ts";

/** Notes what it is told. */
class Listener implements Receiver {
  readonly seqs: number[] = [];

  receive(notice: Notice): void {
    this.seqs.push(notice.kind === "event" ? notice.seq : -notice.conversation);
  }
}

const event = (seq: number): Notice => ({ kind: "event", frame: new Uint8Array(), seq });

/** Registers the suite. */
export function testBroker(name: string, make: () => Broker): void {
  const test = (behaviour: string, work: (broker: Broker) => void) =>
    Deno.test(`${name} ${behaviour}`, () => work(make()));

  test("publish() tells the subscribers of a topic, in order, and nobody else", (broker) => {
    const [one, two, other] = [new Listener(), new Listener(), new Listener()];
    broker.subscribe("a", one);
    broker.subscribe("a", two);
    broker.subscribe("b", other);
    for (const seq of [1, 2, 3]) broker.publish("a", event(seq));
    broker.publish("a", { kind: "left", conversation: 7 });
    broker.publish("c", event(4));
    assertEquals([one.seqs, two.seqs, other.seqs], [[1, 2, 3, -7], [1, 2, 3, -7], []]);
  });
  test("subscribe() twice is once, and unsubscribe() ends it", (broker) => {
    const listener = new Listener();
    broker.subscribe("a", listener);
    broker.subscribe("a", listener);
    broker.publish("a", event(1));
    broker.unsubscribe("a", listener);
    broker.unsubscribe("a", listener);
    broker.publish("a", event(2));
    assertEquals(listener.seqs, [1]);
  });
  test("publish() goes on when a receiver ends its own subscription meanwhile", (broker) => {
    const last = new Listener();
    const first: Receiver = { receive: () => broker.unsubscribe("a", first) };
    broker.subscribe("a", first);
    broker.subscribe("a", last);
    broker.publish("a", event(1));
    broker.publish("a", event(2));
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
