import { assert, assertEquals } from "@std/assert";
import { EventBatch, type EventNotice, WRITE_MAX_BYTES } from "../../../server/chat/event_batch.ts";
import { LocalBroker } from "../../../server/chat/local_broker.ts";
import { Outbox, OUTBOX_MAX_BYTES } from "../../../server/chat/outbox.ts";
import { MessageRates } from "../../../server/chat/rates.ts";
import { decodeControl } from "../../../lib/frame/decode.ts";
import { FRAME_HEADER_BYTES } from "../../../lib/frame/frame.ts";
import { testBroker } from "./broker_contract.ts";

testBroker("LocalBroker", () => new LocalBroker());

/** A link whose peer reads when the test says so. */
class SlowLink {
  readonly writes: Uint8Array[] = [];
  last: Uint8Array | undefined;
  #reads: (() => void)[] = [];

  send(frame: Uint8Array): Promise<void> {
    this.writes.push(frame);
    return new Promise((resolve) => this.#reads.push(resolve));
  }

  closeAfter(frame: Uint8Array): Promise<void> {
    this.last = frame;
    return Promise.resolve();
  }

  /** The peer reads one write. */
  async read(): Promise<void> {
    this.#reads.shift()?.();
    await turns();
  }
}

/** Lets what is ready go on. */
async function turns(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

/** Events of some bytes, the last of which tells of a change. */
const events = (frame: Uint8Array<ArrayBuffer>, seq: number): EventNotice => ({
  kind: "event",
  frame,
  seq,
});

Deno.test("Outbox.push() writes at once, and joins what comes meanwhile to one write", async () => {
  const link = new SlowLink();
  const outbox = new Outbox(link);
  for (const byte of [1, 2, 3]) outbox.push(events(Uint8Array.of(byte), byte));
  assertEquals(link.writes, [Uint8Array.of(1)]);
  await link.read();
  outbox.push(events(Uint8Array.of(4), 4));
  assertEquals(link.writes, [Uint8Array.of(1), Uint8Array.of(2, 3)]);
  await link.read();
  assertEquals(link.writes[2], Uint8Array.of(4));
  await link.read();
});

Deno.test("EventBatch.take() joins events to writes of at most 64 KiB, in their order", () => {
  const batch = new EventBatch();
  assertEquals(batch.take(), []);
  const sizes = [WRITE_MAX_BYTES - 1, 1, WRITE_MAX_BYTES - 1, 2, WRITE_MAX_BYTES + 5, 3];
  for (const [i, size] of sizes.entries()) {
    assertEquals(batch.add(events(new Uint8Array(size).fill(i), i === 1 ? 0 : i + 1)), i + 1);
  }
  const taken = batch.take().map(({ frame, seq }) => [frame.length, frame[0], frame.at(-1), seq]);
  assertEquals(taken, [
    [WRITE_MAX_BYTES, 0, 1, 1],
    [WRITE_MAX_BYTES - 1, 2, 2, 3],
    [2, 3, 3, 4],
    [WRITE_MAX_BYTES + 5, 4, 4, 5],
    [3, 5, 5, 6],
  ]);
  assertEquals(batch.take(), []);
});

Deno.test("Outbox.push() fills its cap, and cuts what is one byte beyond", async () => {
  const link = new SlowLink();
  const outbox = new Outbox(link, 10);
  outbox.push(events(new Uint8Array(6), 1));
  await turns();
  outbox.push(events(new Uint8Array(4), 2));
  assertEquals(link.last, undefined);
  await link.read();
  outbox.push(events(new Uint8Array(6), 3));
  assertEquals(link.last, undefined);
  outbox.push(events(new Uint8Array(1), 4));
  assert(link.last !== undefined);
  const { head } = decodeControl(link.last.subarray(FRAME_HEADER_BYTES));
  const { code, details } = head as { code: string; details: Record<string, number> };
  assertEquals([code, details["resume_after"]], ["SLOW_READER", 1]);
  const { length } = link.writes;
  outbox.push(events(new Uint8Array(1), 5));
  await link.read();
  assertEquals(link.writes.length, length);
});

Deno.test("Outbox.push() holds 8 MiB by default, and not one byte more", async () => {
  assertEquals(OUTBOX_MAX_BYTES, 8 * 1024 * 1024);
  const link = new SlowLink();
  const outbox = new Outbox(link);
  for (let seq = 1; seq <= 8; seq++) outbox.push(events(new Uint8Array(1024 * 1024), seq));
  await turns();
  assertEquals(link.last, undefined);
  outbox.push(events(new Uint8Array(1), 9));
  assert(link.last !== undefined);
});

Deno.test("Outbox.push() gives outboxes of the same events one buffer, and of others their own", async () => {
  const links = [new SlowLink(), new SlowLink(), new SlowLink()];
  const [first, second, third] = links.map((link) => new Outbox(link));
  const frames = [1, 2, 3].map((byte) => Uint8Array.of(byte));
  for (const [i, frame] of frames.entries()) {
    for (const outbox of [first, second]) outbox?.push(events(frame, i + 1));
    third?.push(events(i === 1 ? Uint8Array.of(9) : frame, i + 1));
  }
  for (const link of links) await link.read();
  const [one, two, other] = links.map(({ writes }) => writes[1]);
  assertEquals(one, Uint8Array.of(2, 3));
  assert(one === two);
  assertEquals(other, Uint8Array.of(9, 3));
});

Deno.test("MessageRates.take() allows a burst, then the rate, each user for themselves", () => {
  const rates = new MessageRates(2);
  const taken = Array.from({ length: 9 }, () => rates.take("ann", 1000));
  assertEquals(taken, [0, 0, 0, 0, 0, 0, 0, 0, 500]);
  assertEquals(rates.take("bob", 1000), 0);
  assertEquals(rates.take("ann", 1499), 1);
  assertEquals(rates.take("ann", 1500), 0);
  assertEquals(rates.take("ann", 1500), 500);
});

Deno.test("MessageRates.take() lets one message of a slow rate go after a pause", () => {
  const rates = new MessageRates(0.1);
  assertEquals(rates.take("ann", 0), 0);
  assertEquals(rates.take("ann", 1), 9999);
  assertEquals(rates.take("ann", 10_000), 0);
});
