import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { Connections, DIRECT_MIN_BYTES, type OpenDirect } from "../../client/connections.ts";
import { TrivetError } from "../../lib/errors.ts";
import type { RpcClient } from "../../lib/rpc/client.ts";
import { ScriptedServer } from "./testing.ts";

function makeConnections(
  server: ScriptedServer,
): { connections: Connections; first: RpcClient; opened: RpcClient[] } {
  const first = server.connect();
  const opened: RpcClient[] = [];
  const connections = new Connections(first, () => {
    const rpc = server.connect();
    opened.push(rpc);
    return Promise.resolve(rpc);
  });
  return { connections, first, opened };
}

const echo = () => Promise.resolve({ head: {} });

Deno.test("Connections.borrow() lends the only connection while nobody needs it", async () => {
  await using server = new ScriptedServer(echo);
  const { connections, first, opened } = makeConnections(server);
  const lent = await connections.borrow();
  assertStrictEquals(lent, first);
  await connections.giveBack(lent);
  assertStrictEquals(await connections.borrow(), first);
  assertEquals(opened.length, 0);
  await connections.close();
});

Deno.test("Connections.use() has a connection of its own beside a transfer", async () => {
  await using server = new ScriptedServer(echo);
  const { connections, first, opened } = makeConnections(server);
  const lent = await connections.borrow();
  await Promise.all([1, 2, 3].map(() => connections.use((rpc) => rpc.call("stat", {}))));
  assertEquals(opened.length, 1);
  await connections.giveBack(lent);
  await connections.use((rpc) => rpc.call("stat", {}));
  // The next transfer has what this one leaves.
  assertStrictEquals(await connections.borrow(undefined, 1), first);
  assertEquals(opened.length, 1);
  await connections.giveBack(first);
  await connections.close();
  assertNotEquals(first.failure, null);
});

Deno.test("Connections.giveBack() keeps four connections for the next transfers", async () => {
  await using server = new ScriptedServer(echo);
  const { connections, opened } = makeConnections(server);
  const lent = [];
  for (let count = 0; count < 6; count++) lent.push(await connections.borrow(undefined, 1));
  for (const rpc of lent) await connections.giveBack(rpc);
  // One is for short requests again, four wait, and one is closed.
  assertEquals(lent.map(({ failure }) => failure === null), [true, true, true, true, true, false]);
  for (let count = 0; count < 5; count++) await connections.borrow(undefined, 1);
  assertEquals(opened.length, 5);
  await connections.borrow(undefined, 1);
  assertEquals(opened.length, 6);
  await connections.close();
});

Deno.test("Connections.borrow() leaves the shared connection to those that use it", async () => {
  await using server = new ScriptedServer(echo);
  const { connections, opened } = makeConnections(server);
  await connections.use(async () => {
    const lent = await connections.borrow();
    assertStrictEquals(lent, opened[0]);
    await connections.giveBack(lent);
  });
  await connections.close();
});

Deno.test("Connections.use() opens one connection in place of a lost one", async () => {
  await using server = new ScriptedServer(echo);
  const { connections, first, opened } = makeConnections(server);
  await first.close();
  await Promise.all([1, 2, 3].map(() => connections.use((rpc) => rpc.call("stat", {}))));
  assertEquals(opened.length, 1);
  await connections.close();
});

Deno.test("Connections.close() closes what is lent too", async () => {
  await using server = new ScriptedServer(echo);
  const { connections } = makeConnections(server);
  const lent = await connections.borrow();
  await connections.use((rpc) => rpc.call("stat", {}));
  await connections.close();
  assertNotEquals(lent.failure, null);
  await assertRejects(() => connections.borrow(), TrivetError, "The client is closed");
});

Deno.test("Connections.borrow() takes a direct connection for what is large or unknown", async () => {
  await using server = new ScriptedServer(echo);
  const direct: RpcClient[] = [];
  const first = server.connect();
  const connections = new Connections(first, () => Promise.reject(new Error("not needed")), () => {
    const rpc = server.connect();
    direct.push(rpc);
    return Promise.resolve(rpc);
  });
  assertStrictEquals(await connections.borrow(undefined, DIRECT_MIN_BYTES - 1), first);
  await connections.giveBack(first);
  const large = await connections.borrow(undefined, DIRECT_MIN_BYTES);
  const unknown = await connections.borrow();
  assertEquals(direct.length, 2);
  assertStrictEquals(direct[1], unknown);
  // The next transfers, small ones too, have what is left of the others.
  await connections.giveBack(large);
  assertStrictEquals(await connections.borrow(undefined, 1), large);
  await connections.giveBack(large);
  await large.close();
  await connections.giveBack(unknown);
  assertStrictEquals(await connections.borrow(), unknown);
  assertStrictEquals(await connections.borrow(), direct[2]);
  await connections.close();
  assertNotEquals(unknown.failure, null);
});

Deno.test("Connections.borrow() asks once where no direct connection can be had", async () => {
  await using server = new ScriptedServer(echo);
  const first = server.connect();
  let asked = 0;
  const openDirect: OpenDirect = (control) => {
    assertStrictEquals(control, first);
    asked += 1;
    return Promise.resolve(undefined);
  };
  const connections = new Connections(first, () => Promise.resolve(server.connect()), openDirect);
  assertStrictEquals(await connections.borrow(), first);
  const second = await connections.borrow();
  assert(second !== first);
  assertEquals(asked, 1);
  await connections.close();
});

Deno.test("Connections.replace() lets what is in flight end where it is", async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  await using server = new ScriptedServer(async () => {
    asked.resolve();
    await answer.promise;
    return { head: {} };
  });
  const { connections, first, opened } = makeConnections(server);
  const running = connections.use((rpc) => rpc.call("stat", {}));
  await asked.promise;
  const second = server.connect();
  await connections.replace(second);
  assertEquals(first.failure, null);
  answer.resolve();
  await running;
  assertNotEquals(first.failure, null);
  await connections.use((rpc) => {
    assertStrictEquals(rpc, second);
    return rpc.call("stat", {});
  });
  assertEquals(opened.length, 0);
  await connections.close();
  assertNotEquals(second.failure, null);
  const late = server.connect();
  await connections.replace(late);
  assertNotEquals(late.failure, null);
});
