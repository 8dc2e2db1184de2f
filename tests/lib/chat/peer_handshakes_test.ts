import { assert, assertEquals } from "@std/assert";
import {
  ANSWERING_MAX,
  ANSWERING_OF_HOST_MAX,
  ANSWERS_PER_SECOND_MAX,
  PEER_TRY_MS,
} from "../../../lib/chat/peer_handshakes.ts";
import { encodePeerHello, PEER_HELLO_BYTES } from "../../../lib/chat/peer_packets.ts";
import { seeded } from "../../testing/datagram_pair.ts";
import { carry, keyOf, Side } from "./peer_testing.ts";

const none = { permissions: "none" } as const;
const ANN = "192.0.2.1:1";
const BOB = "192.0.2.2:2";
const KEY = keyOf(1);

/** Two who know each other. */
function pair(keyOfBob = KEY): [ann: Side, bob: Side] {
  return [
    new Side(ANN, [{ name: "bob", key: KEY, addresses: [BOB] }]),
    new Side(BOB, [{ name: "ann", key: keyOfBob, addresses: [ANN] }]),
  ];
}

/** A HELLO of somebody who has seen the key's name. */
function helloOf(seed: number, keyId = KEY.id): Uint8Array<ArrayBuffer> {
  const nonce = new Uint8Array(32).fill(seed & 0xff);
  new DataView(nonce.buffer).setUint32(0, seed);
  return encodePeerHello({ nonce, ephemeral: new Uint8Array(32).fill(9), keyId });
}

Deno.test("PeerHandshakes.open() gives both sides the same secrets", none, async () => {
  const [ann, bob] = pair();
  await ann.handshakes.open("bob");
  await carry(ann, bob);
  const [atAnn] = ann.agreed;
  const [atBob] = bob.agreed;
  assert(atAnn !== undefined && atBob !== undefined);
  assertEquals([atAnn.role, atAnn.name, atAnn.remote], ["client", "bob", BOB]);
  assertEquals([atBob.role, atBob.name, atBob.remote], ["server", "ann", ANN]);
  assertEquals(atAnn.connectionId, atBob.connectionId);
  assertEquals(atAnn.secrets.send, atBob.secrets.receive);
  assertEquals(atAnn.secrets.receive, atBob.secrets.send);
  assert(atAnn.secrets.send.some((byte, i) => byte !== atAnn.secrets.receive[i]));
});

Deno.test(
  "PeerHandshakes repeats what is lost, and takes what comes twice once",
  none,
  async () => {
    const [ann, bob] = pair();
    await ann.handshakes.open("bob");
    ann.take();
    await ann.pass(500);
    const [hello] = ann.take();
    assert(hello !== undefined);
    await bob.handshakes.receive(hello.bytes, ANN);
    await bob.handshakes.receive(hello.bytes, ANN);
    const [first, again] = bob.take();
    assertEquals(first, again);
    assert(first !== undefined);
    await ann.handshakes.receive(first.bytes, BOB);
    await ann.handshakes.receive(first.bytes, BOB);
    assertEquals([ann.take().length, ann.agreed.length], [1, 1]);
    await ann.pass(2000);
    const [proof] = ann.take();
    assert(proof !== undefined);
    await bob.handshakes.receive(proof.bytes, ANN);
    await bob.handshakes.receive(proof.bytes, ANN);
    assertEquals(bob.agreed.length, 1);
    ann.handshakes.settle("bob");
    assertEquals([ann.handshakes.nextTimeout(), bob.handshakes.nextTimeout()], [
      undefined,
      undefined,
    ]);
  },
);

Deno.test("PeerHandshakes.open() fails when its time is over, not before", none, async () => {
  const [ann] = pair();
  await ann.handshakes.open("bob");
  await ann.pass(PEER_TRY_MS - 1);
  assertEquals(ann.failed.length, 0);
  await ann.pass(1);
  assertEquals(ann.failed.map(({ code }) => code), ["PEER_UNREACHABLE"]);
  assert(ann.take().length < 12);
  assertEquals(ann.handshakes.nextTimeout(), undefined);
});

Deno.test("PeerHandshakes proves nothing to who has another key", none, async () => {
  const other = { ...keyOf(2), id: KEY.id };
  const [ann, bob] = pair(other);
  await ann.handshakes.open("bob");
  await carry(ann, bob);
  assertEquals([ann.agreed.length, bob.agreed.length], [0, 0]);
  await ann.pass(PEER_TRY_MS);
  assert(ann.failed[0]?.message.includes("did not prove to have the key"));
});

Deno.test("PeerHandshakes is not fooled by its own datagrams sent back", none, async () => {
  const [ann] = pair();
  await ann.handshakes.open("bob");
  for (let round = 0; round < 4; round++) {
    for (const { bytes } of ann.take()) await ann.handshakes.receive(bytes, BOB);
  }
  assertEquals([ann.agreed.length, ann.handshakes.answering], [0, 0]);
});

Deno.test("PeerHandshakes comes to one connection when both begin at once", none, async () => {
  for (let i = 0; i < 8; i++) {
    const [ann, bob] = pair();
    await Promise.all([ann.handshakes.open("bob"), bob.handshakes.open("ann")]);
    await carry(ann, bob);
    assertEquals([ann.agreed.length, bob.agreed.length], [1, 1]);
    assertEquals(ann.agreed[0]?.connectionId, bob.agreed[0]?.connectionId);
  }
});

Deno.test("PeerHandshakes tells those who share a key by their addresses", none, async () => {
  const [ann] = pair();
  const cat = { name: "cat", key: KEY, addresses: ["192.0.2.3:3"] };
  const bob = new Side(BOB, [cat, { name: "ann", key: KEY, addresses: [ANN] }]);
  await ann.handshakes.open("bob");
  const [hello] = ann.take();
  assert(hello !== undefined);
  await bob.handshakes.receive(hello.bytes, "192.0.2.9:9");
  assertEquals(bob.sent.length, 0);
  await bob.handshakes.receive(hello.bytes, ANN);
  await carry(ann, bob);
  assertEquals(bob.agreed[0]?.name, "ann");
});

Deno.test(
  "PeerHandshakes never answers at greater length, nor who names no key",
  none,
  async () => {
    const [, bob] = pair();
    await bob.handshakes.receive(helloOf(1, keyOf(3).id), ANN);
    assertEquals([bob.sent.length, bob.handshakes.answering], [0, 0]);
    await bob.handshakes.receive(helloOf(1), ANN);
    const [answer] = bob.take();
    assert(answer !== undefined && answer.bytes.length <= PEER_HELLO_BYTES);
  },
);

Deno.test("PeerHandshakes bounds what strangers leave behind", none, async () => {
  const [, bob] = pair();
  let seed = 0;
  for (let i = 0; i <= ANSWERING_OF_HOST_MAX; i++) {
    assertEquals(bob.handshakes.answering, i);
    await bob.handshakes.receive(helloOf(seed++), `192.0.2.7:${i + 1}`);
  }
  assertEquals(bob.handshakes.answering, ANSWERING_OF_HOST_MAX);
  const flood = async () => {
    for (let i = 0; i < 200; i++) {
      await bob.handshakes.receive(helloOf(seed++), `198.51.100.${i}:1`);
    }
  };
  await flood();
  assertEquals(bob.handshakes.answering, ANSWERS_PER_SECOND_MAX);
  bob.now += 1000;
  await flood();
  assertEquals(bob.handshakes.answering, ANSWERING_MAX);
  await bob.pass(PEER_TRY_MS);
  assertEquals(bob.handshakes.answering, 0);
});

Deno.test(
  "PeerHandshakes.receive() takes no notice of 50 000 datagrams of noise",
  none,
  async () => {
    const [ann, bob] = pair();
    await ann.handshakes.open("bob");
    const genuine = ann.take().map(({ bytes }) => bytes);
    await bob.handshakes.receive(genuine[0] ?? new Uint8Array(0), ANN);
    genuine.push(...bob.take().map(({ bytes }) => bytes));
    const { address: _address, ...fresh } = { ...pair()[1] };
    assertEquals(fresh.agreed.length, 0);
    const random = seeded(11);
    for (let i = 0; i < 50_000; i++) {
      const sample = genuine[i % genuine.length] ?? new Uint8Array(0);
      const length = random() < 0.5 ? sample.length : Math.floor(random() * 300);
      const bytes = new Uint8Array(length);
      bytes.set(sample.subarray(0, length));
      for (let flips = 1 + Math.floor(random() * 4); flips > 0 && length > 0; flips--) {
        // Not in the key's name: who knows it is another matter.
        bytes[Math.floor(random() * Math.min(length, 66))] = Math.floor(random() * 256);
      }
      if (i % 3 === 0) bytes.fill(0xaa, 66, 75);
      await bob.handshakes.receive(bytes, "198.51.100.1:1");
      await ann.handshakes.receive(bytes, "198.51.100.1:1");
    }
    assertEquals([ann.agreed.length, bob.agreed.length], [0, 0]);
    assert(bob.handshakes.answering <= 1 + ANSWERING_OF_HOST_MAX);
  },
);
