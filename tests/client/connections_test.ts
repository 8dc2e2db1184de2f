import { assertEquals, assertNotEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { Connections } from "../../client/connections.ts";
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
  assertNotEquals(first.failure, null);
  await connections.use((rpc) => rpc.call("stat", {}));
  assertEquals(opened.length, 1);
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
