/** What those can do who do not have the secrets: replay, change, forge, and name other addresses. */

import { assert, assertEquals } from "@std/assert";
import type { DatagramConnection } from "../../../lib/datagram/connection.ts";
import { DatagramEndpoint } from "../../../lib/datagram/endpoint.ts";
import { AMPLIFICATION_MAX } from "../../../lib/datagram/path.ts";
import {
  CLIENT_SECRET,
  CONNECTION_ID,
  DatagramPair,
  numbered,
  numberOf,
  seeded,
  SERVER_SECRET,
} from "../../testing/datagram_pair.ts";

const none = { permissions: "none" } as const;
const FUZZED_DATAGRAMS = 50_000;

/** Everything that a datagram of a stranger must leave as it is. */
function visible(connection: DatagramConnection): unknown {
  const { forgedDatagrams: _forged, duplicateDatagrams: _duplicate, ...stats } = connection.stats();
  const { state, end, remote, bufferedBytes, isConfirmed } = connection;
  return { stats, state, end, remote, bufferedBytes, isConfirmed, due: connection.nextTimeout() };
}

/** Some datagrams of a client, real ones. */
function genuine(count: number): Uint8Array[] {
  const pair = new DatagramPair();
  pair.keepsTrace = true;
  for (let i = 0; i < count; i++) pair.client.send(0, numbered(i, 900));
  pair.run(5000);
  return pair.trace.filter(({ to }) => to === "server:1").map(({ bytes }) => bytes);
}

Deno.test("DatagramConnection takes no notice of 50 000 datagrams of strangers", none, () => {
  const random = seeded(7);
  const samples = genuine(20);
  const pair = new DatagramPair();
  pair.run(1000);
  const { server } = pair;
  const before = visible(server);
  for (let i = 0; i < FUZZED_DATAGRAMS; i++) {
    const sample = samples[Math.floor(random() * samples.length)] ?? new Uint8Array(0);
    const bytes = sample.slice(0, random() < 0.3 ? Math.floor(random() * 1400) : undefined);
    // A genuine header more often than not, and a number that was not seen.
    const first = random() < 0.2 ? 0 : Math.min(12, bytes.length);
    const changes = 1 + Math.floor(random() * 8);
    for (let j = 0; j < changes && bytes.length > first; j++) {
      const at = first + Math.floor(random() * (bytes.length - first));
      bytes[at] = ((bytes[at] ?? 0) + 1 + Math.floor(random() * 255)) & 0xff;
    }
    server.receive(bytes, `stranger:${i}`, pair.now);
    if (server.poll(pair.now) !== undefined) throw new Error(`Answered ${bytes.toHex()}`);
  }
  assertEquals(visible(server), before);
  pair.client.send(0, numbered(77));
  pair.until(() => server.isConfirmed && server.read() !== undefined);
});

Deno.test("DatagramConnection drops whatever is changed in one bit", none, () => {
  const [sample] = genuine(1);
  assert(sample !== undefined);
  for (let bit = 0; bit < sample.length * 8; bit++) {
    const server = new DatagramPair().server;
    const bytes = sample.slice();
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    server.receive(bytes, "client:1", 1000);
    assertEquals(server.isConfirmed, false, `bit ${bit}`);
    assertEquals(server.poll(1000), undefined);
  }
});

Deno.test("DatagramConnection takes no datagram twice, from wherever it comes", none, () => {
  const pair = new DatagramPair();
  pair.keepsTrace = true;
  for (let i = 0; i < 10; i++) pair.client.send(0, numbered(i));
  pair.run(2000);
  while (pair.server.read() !== undefined);
  const before = visible(pair.server);
  const replayed = pair.trace.filter(({ to }) => to === "server:1");
  for (const { bytes } of replayed) pair.server.receive(bytes, "stranger:9", pair.now);
  assertEquals(visible(pair.server), before);
  assertEquals(pair.server.stats().duplicateDatagrams, replayed.length);
  assertEquals(pair.server.read(), undefined);
});

Deno.test(
  "DatagramConnection sends three times as much as it got, until an address is proven",
  none,
  () => {
    const pair = new DatagramPair();
    const first = pair.client.poll(pair.now);
    assert(first !== undefined);
    // Somebody else sends the client's first datagram in the name of a third.
    pair.server.receive(first.bytes, "victim:1", pair.now);
    for (let i = 0; i < 100; i++) pair.server.send(0, numbered(i, 10_000));
    let sent = 0;
    for (let step = 0; step < 1000 && pair.server.state === "open"; step++) {
      for (let out = pair.server.poll(pair.now); out; out = pair.server.poll(pair.now)) {
        assertEquals(out.to, "victim:1");
        sent += out.bytes.length;
      }
      pair.now = pair.server.nextTimeout() ?? pair.now;
      pair.server.timeout(pair.now);
    }
    assert(sent > 0 && sent <= AMPLIFICATION_MAX * first.bytes.length, `${sent} bytes`);
    assertEquals(pair.server.end?.by, "idle");
  },
);

Deno.test("DatagramConnection follows a client that moves, and asks it for a proof", none, () => {
  for (const address of ["client:2", "elsewhere:1"]) {
    const pair = new DatagramPair({ loss: 0.1, seed: 4 });
    let next = 0;
    let sent = 0;
    const read = () => {
      for (let got = pair.client.read(); got; got = pair.client.read()) {
        assertEquals(numberOf(got.message), next++);
      }
    };
    pair.until(() => {
      while (sent < 400 && pair.server.bufferedBytes < 50_000) {
        pair.server.send(0, numbered(sent++, 500));
      }
      read();
      if (next > 100) pair.clientAddress = address;
      return next === 400;
    });
    assertEquals(pair.server.remote, address);
    pair.until(() => pair.server.isProven);
  }
});

Deno.test(
  "DatagramConnection is not led away by datagrams that somebody else sends on",
  none,
  () => {
    const pair = new DatagramPair();
    pair.client.send(0, numbered(0));
    pair.run(1000);
    assertEquals(pair.server.isProven, true);
    pair.client.send(0, numbered(1));
    const stolen = pair.client.poll(pair.now);
    assert(stolen !== undefined);
    pair.server.receive(stolen.bytes, "victim:1", pair.now);
    assertEquals(pair.server.remote, "victim:1");
    // The client's next datagram brings it back at once; without one, the missing proof does.
    pair.client.send(0, numbered(2));
    pair.until(() => pair.server.remote === "client:1");
    assertEquals(pair.server.isProven, true);
    pair.isCut = true;
    pair.client.send(0, numbered(3));
    const again = pair.client.poll(pair.now);
    assert(again !== undefined);
    pair.server.receive(again.bytes, "victim:1", pair.now);
    pair.until(() => pair.server.remote === "client:1", 5000);
  },
);

const RESET_SECRET = new Uint8Array(32).fill(5);

Deno.test(
  "DatagramEndpoint answers strangers with less than they sent, or not at all",
  none,
  () => {
    const random = seeded(11);
    const endpoint = new DatagramEndpoint({ resetSecret: RESET_SECRET });
    endpoint.open({
      role: "server",
      secrets: { send: SERVER_SECRET, receive: CLIENT_SECRET },
      connectionId: CONNECTION_ID,
      now: 0,
    });
    const samples = genuine(5);
    let resets = 0;
    for (let i = 0; i < FUZZED_DATAGRAMS; i++) {
      const sample = samples[i % samples.length] ?? new Uint8Array(0);
      const bytes = random() < 0.5
        ? sample.slice(0, Math.floor(random() * sample.length))
        : Uint8Array.from({ length: Math.floor(random() * 1400) }, () => random() * 256);
      if (random() < 0.3) bytes[0] = random() < 0.5 ? 0xd1 : 0xd2;
      if (random() < 0.5 && bytes.length > 8) bytes[1 + Math.floor(random() * 8)] = 0xee;
      endpoint.receive(bytes, "stranger:1", i);
      const answer = endpoint.poll(i);
      if (answer === undefined) continue;
      resets += 1;
      assertEquals(answer.bytes[0], 0xd2);
      assert(answer.bytes.length < bytes.length);
      assertEquals(endpoint.poll(i), undefined);
    }
    assert(resets > 100, `${resets} resets`);
    assertEquals(endpoint.size, 1);
    assertEquals(endpoint.get(CONNECTION_ID)?.isConfirmed, false);
  },
);
