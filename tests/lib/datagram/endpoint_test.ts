import { assert, assertEquals, assertThrows } from "@std/assert";
import { DatagramConnection } from "../../../lib/datagram/connection.ts";
import { DatagramEndpoint, RESETS_PER_SECOND_MAX } from "../../../lib/datagram/endpoint.ts";
import { CLIENT_SECRET, numbered, numberOf, SERVER_SECRET } from "../../testing/datagram_pair.ts";

const none = { permissions: "none" } as const;
const RESET_SECRET = new Uint8Array(32).fill(5);
const AT_SERVER = { send: SERVER_SECRET, receive: CLIENT_SECRET };
const AT_CLIENT = { send: CLIENT_SECRET, receive: SERVER_SECRET };

function idOf(number: number): string {
  return number.toString(16).padStart(16, "0");
}

/** A client of the endpoint, at an address that is its id. */
function openClient(connectionId: string, endpoint: DatagramEndpoint): DatagramConnection {
  return new DatagramConnection({
    role: "client",
    secrets: AT_CLIENT,
    connectionId,
    now: 0,
    remote: "server",
    resetToken: endpoint.resetToken(connectionId),
  });
}

/** Carries all datagrams both ways until nobody has any. */
function settle(
  endpoint: DatagramEndpoint,
  clients: readonly DatagramConnection[],
  now: number,
): void {
  for (let moved = true; moved;) {
    moved = false;
    for (const client of clients) {
      for (let out = client.poll(now); out; out = client.poll(now)) {
        endpoint.receive(out.bytes, client.connectionId, now);
        moved = true;
      }
    }
    for (let out = endpoint.poll(now); out; out = endpoint.poll(now)) {
      clients.find(({ connectionId }) => connectionId === out.to)?.receive(
        out.bytes,
        "server",
        now,
      );
      moved = true;
    }
  }
}

Deno.test("DatagramEndpoint keeps many connections apart", none, () => {
  const endpoint = new DatagramEndpoint({ resetSecret: RESET_SECRET });
  const clients = Array.from({ length: 50 }, (_, i) => {
    endpoint.open({ role: "server", secrets: AT_SERVER, connectionId: idOf(i), now: 0 });
    return openClient(idOf(i), endpoint);
  });
  assertEquals(endpoint.size, 50);
  for (const [i, client] of clients.entries()) client.send(0, numbered(i));
  settle(endpoint, clients, 0);
  const seen = new Set<string>();
  for (let next = endpoint.nextChanged(); next; next = endpoint.nextChanged()) {
    assertEquals(idOf(numberOf(next.read()?.message ?? numbered(99))), next.connectionId);
    seen.add(next.connectionId);
    next.send(3, numbered(7));
  }
  assertEquals(seen.size, 50);
  settle(endpoint, clients, 1);
  for (const client of clients) assertEquals(numberOf(client.read()?.message ?? numbered(99)), 7);
});

Deno.test("DatagramEndpoint names each connection that ended once and forgets it", none, () => {
  const endpoint = new DatagramEndpoint({ resetSecret: RESET_SECRET });
  endpoint.open({ role: "server", secrets: AT_SERVER, connectionId: idOf(1), now: 0 });
  const client = openClient(idOf(1), endpoint);
  settle(endpoint, [client], 0);
  client.close(16, "done");
  settle(endpoint, [client], 1);
  const ended = endpoint.nextChanged();
  assertEquals(ended?.end, { by: "peer", code: 16, reason: "done" });
  assertEquals(endpoint.nextChanged(), undefined);
  for (let due = endpoint.nextTimeout(); due !== undefined; due = endpoint.nextTimeout()) {
    endpoint.timeout(due);
    assertEquals(endpoint.poll(due), undefined);
  }
  assertEquals(endpoint.nextChanged()?.state, "closed");
  assertEquals(endpoint.size, 0);
  assertEquals(endpoint.get(idOf(1)), undefined);
});

Deno.test("DatagramEndpoint closes what is silent, each at its time", none, () => {
  const endpoint = new DatagramEndpoint({ resetSecret: RESET_SECRET });
  for (let i = 0; i < 200; i++) {
    endpoint.open({ role: "server", secrets: AT_SERVER, connectionId: idOf(i), now: i * 10 });
  }
  const ended: number[] = [];
  endpoint.poll(2000);
  for (let due = endpoint.nextTimeout(); due !== undefined; due = endpoint.nextTimeout()) {
    endpoint.timeout(due);
    assertEquals(endpoint.poll(due), undefined);
    for (let next = endpoint.nextChanged(); next; next = endpoint.nextChanged()) {
      assertEquals(due, 45_000 + 10 * Number.parseInt(next.connectionId, 16));
      ended.push(due);
    }
  }
  assertEquals(ended.length, 200);
  assertEquals(endpoint.size, 0);
});

Deno.test("DatagramEndpoint tells the client of a connection that it lost", none, () => {
  const before = new DatagramEndpoint({ resetSecret: RESET_SECRET });
  before.open({ role: "server", secrets: AT_SERVER, connectionId: idOf(1), now: 0 });
  const client = openClient(idOf(1), before);
  settle(before, [client], 0);
  // A restart: only the secret was kept.
  const after = new DatagramEndpoint({ resetSecret: RESET_SECRET });
  client.send(0, numbered(1));
  settle(after, [client], 1);
  assertEquals(client.end?.by, "reset");
  assertEquals(client.state, "closed");
  assertEquals(after.size, 0);
});

Deno.test("DatagramConnection believes no reset with another token", none, () => {
  const endpoint = new DatagramEndpoint({ resetSecret: RESET_SECRET });
  const stranger = new DatagramEndpoint({ resetSecret: new Uint8Array(32).fill(6) });
  const client = openClient(idOf(1), endpoint);
  settle(stranger, [client], 0);
  assertEquals(client.state, "open");
});

Deno.test("DatagramEndpoint sends so many resets a second and no more", none, () => {
  const endpoint = new DatagramEndpoint({ resetSecret: RESET_SECRET });
  const out = openClient(idOf(1), endpoint).poll(0);
  assert(out !== undefined);
  let resets = 0;
  for (const second of [5, 6]) {
    for (let i = 0; i < RESETS_PER_SECOND_MAX + 1; i++) {
      endpoint.receive(out.bytes, "stranger", second * 1000 + i);
      if (endpoint.poll(second * 1000 + i) !== undefined) resets += 1;
    }
    assertEquals(resets, RESETS_PER_SECOND_MAX * (second - 4));
  }
});

Deno.test(
  "DatagramEndpoint.open() refuses an id that is taken, and one connection too many",
  none,
  () => {
    const endpoint = new DatagramEndpoint({ resetSecret: RESET_SECRET, connectionsMax: 2 });
    const open = (number: number) =>
      endpoint.open({ role: "server", secrets: AT_SERVER, connectionId: idOf(number), now: 0 });
    open(1);
    assertThrows(() => open(1), RangeError, "is there already");
    open(2);
    assertThrows(() => open(3), RangeError, "there are 2 already");
    assertThrows(() => new DatagramEndpoint({ resetSecret: new Uint8Array(31) }), RangeError);
  },
);
