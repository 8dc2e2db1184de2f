/** Each limit that an option sets, on a real server: what is just within it works, one more does not. */

import { assert, assertEquals } from "@std/assert";
import { TrivetError } from "../../lib/errors.ts";
import { encodeControl } from "../../lib/frame/encode.ts";
import { FrameType } from "../../lib/frame/frame.ts";
import { Link } from "../../lib/link/link.ts";
import { expectFrame, greet } from "../../lib/rpc/handshake.ts";
import { RpcClient } from "../../lib/rpc/client.ts";
import { ask, TestServer } from "./testing.ts";

/** Waits for what a server notices only in a moment. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (!await condition()) assert(performance.now() < endMs, "it has not come true");
}

/** Logs in so many times, then once more; the code of its error. One that goes makes room again. */
async function fill(server: TestServer, count: number): Promise<string> {
  const token = await server.addUser("ada");
  await using stack = new AsyncDisposableStack();
  const enter = () =>
    server.login(token).then((rpc) => stack.use(rpc), (error: TrivetError) => error);
  const members = [];
  for (let n = 0; n < count; n++) members.push(await enter());
  for (const member of members) {
    assert(member instanceof RpcClient);
    assertEquals((await ask(member, "whoami", {})).user, "ada");
  }
  const refused = await enter();
  assert(refused instanceof TrivetError);
  const [first] = members;
  if (first instanceof RpcClient) await first[Symbol.asyncDispose]();
  await until(async () => await enter() instanceof RpcClient);
  return refused.code;
}

Deno.test("connectionsMax members have places, and one more is told so", async () => {
  await using server = await TestServer.start({ connectionsMax: 3 });
  assertEquals(await fill(server, 3), "SERVER_BUSY");
});

Deno.test("connectionsPerAddressMax members of an address have places, and one more is told so", async () => {
  await using server = await TestServer.start({ connectionsPerAddressMax: 3 });
  assertEquals(await fill(server, 3), "TOO_MANY_CONNECTIONS");
});

Deno.test("guestsMax guests are left alone, and the oldest is told that it has to go", async () => {
  await using server = await TestServer.start({ guestsMax: 2 });
  await using stack = new AsyncDisposableStack();
  const links: Link[] = [];
  for (let n = 0; n < 3; n++) {
    const link = stack.use(new Link(await server.connect()));
    links.push(link);
    if (n < 2) await greet(link, { service: "netdisk" });
  }
  const [oldest, second, newest] = links;
  assert(oldest !== undefined && second !== undefined && newest !== undefined);
  const error = await expectFrame(oldest, FrameType.AUTH).catch((error) => error);
  assertEquals(error.code, "SERVER_BUSY");
  assertEquals(await oldest.receive(), null);
  // The others go on where they were.
  await greet(newest, { service: "netdisk" });
  const token = await server.addUser("ada");
  await second.send(encodeControl(FrameType.AUTH, 0, { step: "token", token }));
  assertEquals((await expectFrame(second, FrameType.AUTH)).type, FrameType.AUTH);
});

Deno.test("requestsInFlightMax requests are answered, and one more is told so", async () => {
  await using server = await TestServer.start({ requestsInFlightMax: 4 });
  const token = await server.addUser("ada");
  using link = new Link(await server.connect());
  assertEquals((await greet(link, { service: "netdisk" })).requestsInFlightMax, 4);
  await using rpc = await server.login(token);
  const open = (name: string) =>
    ask(rpc, "put.open", { path: [name], size: 9, overwrite: "fail", resume: "auto" });
  const uploads = [];
  for (const name of ["a", "b", "c", "d"]) uploads.push(await open(name));
  const abort = new AbortController();
  const waiting: Promise<unknown>[] = [];
  for (const { uploadId } of uploads) {
    assertEquals((await ask(rpc, "whoami", {})).user, "ada");
    // It waits for DATA that does not come.
    waiting.push(rpc.call("put.data", { uploadId }, { signal: abort.signal }).catch(() => {}));
  }
  const error = await ask(rpc, "whoami", {}).catch((error) => error);
  assertEquals(error.code, "SERVER_BUSY");
  abort.abort();
  await Promise.all(waiting);
  await until(() => ask(rpc, "whoami", {}).then(() => true, () => false));
});

Deno.test("accountUploadsMax uploads of an account may be open, and one more is told so", async () => {
  await using server = await TestServer.start({ accountUploadsMax: 2 });
  const tokens = [await server.addUser("ada"), await server.addUser("ben")];
  const open = (rpc: RpcClient, name: string) =>
    ask(rpc, "put.open", { path: [name], size: 9, overwrite: "fail", resume: "auto" })
      .then(() => "OK", (error: TrivetError) => error.code);
  await using first = await server.login(tokens[0] ?? "");
  await using second = await server.login(tokens[0] ?? "");
  await using ben = await server.login(tokens[1] ?? "");
  assertEquals([await open(first, "a"), await open(second, "b")], ["OK", "OK"]);
  assertEquals([await open(second, "c"), await open(ben, "c")], ["TOO_MANY_UPLOADS", "OK"]);
  // Whoever comes back to an upload takes it over, and needs no place more.
  assertEquals(await open(second, "a"), "OK");
  assertEquals(await open(first, "c"), "TOO_MANY_UPLOADS");
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
  await using third = await server.login(tokens[0] ?? "");
  await until(async () => await open(third, "c") === "OK");
});
