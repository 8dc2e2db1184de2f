import { assert, assertEquals, assertRejects } from "@std/assert";
import { TrivetError } from "../../lib/errors.ts";
import {
  checkNetdiskResponse,
  DIGEST_PAGE_MAX_BYTES,
  type NetdiskRequest,
} from "../../lib/netdisk/messages.ts";
import type { RpcClient } from "../../lib/rpc/client.ts";
import { createDigester, DIGEST_BYTES, digestOf } from "../../lib/transfer/digest.ts";
import { ask, noise, TestServer } from "./testing.ts";

const MIB = 1024 * 1024;

async function digest(rpc: RpcClient, request: NetdiskRequest<"digest">) {
  const { head, body } = await rpc.call("digest", request);
  return { ...checkNetdiskResponse("digest", head), body };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => promise, TrivetError)).code;
}

/** Makes a file of zeros that takes no room. */
async function sparse(path: string, size: number): Promise<void> {
  await Deno.writeFile(path, new Uint8Array(0));
  await Deno.truncate(path, size);
}

Deno.test("digest tells the digests of a file's chunks", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada"));
  const content = noise(2 * MIB + 5);
  await Deno.writeFile(server.home("ada", "f"), content);
  await Deno.writeFile(server.home("ada", "empty"), new Uint8Array(0));
  const digester = await createDigester();
  const expected = [0, 1, 2].map((i) =>
    digestOf(digester, content.subarray(i * MIB, (i + 1) * MIB))
  );
  const all = await digest(rpc, { path: ["f"] });
  assertEquals([all.entry.size, all.chunkBytes, all.from], [content.length, MIB, 0]);
  assertEquals([...all.body], expected.flatMap((each) => [...each]));
  const last = await digest(rpc, { path: ["f"], from: 2, ifMatch: all.etag });
  assertEquals([last.from, [...last.body]], [2, [...expected[2] ?? []]]);
  assertEquals((await digest(rpc, { path: ["f"], from: 3 })).body.length, 0);
  assertEquals((await digest(rpc, { path: ["empty"] })).body.length, 0);
  assertEquals(await codeOf(digest(rpc, { path: ["f"], from: 4 })), "INVALID_REQUEST");
  assertEquals(await codeOf(digest(rpc, { path: ["f"], ifMatch: "other" })), "CHANGED");
  assertEquals(await codeOf(digest(rpc, { path: ["none"] })), "NOT_FOUND");
  assertEquals(await codeOf(digest(rpc, { path: [] })), "IS_FOLDER");
});

Deno.test("digest covers at most 256 MiB in an answer", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada"));
  await sparse(server.home("ada", "f"), DIGEST_PAGE_MAX_BYTES + 1);
  const first = await digest(rpc, { path: ["f"] });
  assertEquals(first.body.length / DIGEST_BYTES, DIGEST_PAGE_MAX_BYTES / MIB);
  const rest = await digest(rpc, { path: ["f"], from: 256, ifMatch: first.etag });
  assertEquals(rest.body.length / DIGEST_BYTES, 1);
});

Deno.test("digest reads only what the login reaches", async () => {
  await using server = await TestServer.start();
  await server.addUser("ada");
  await Deno.mkdir(server.home("ada", "in"));
  await Deno.writeFile(server.home("ada", "in", "f"), noise(1));
  await Deno.writeFile(server.home("ada", "out"), noise(1));
  const limits = { scope: "read", pathPrefix: ["in"] } as const;
  const token = await server.addToken("ada", { ...limits, pathPrefix: ["in"] });
  await using rpc = await server.login(token);
  assertEquals((await digest(rpc, { path: ["in", "f"] })).body.length, DIGEST_BYTES);
  assertEquals(await codeOf(digest(rpc, { path: ["out"] })), "PERMISSION_DENIED");
});

Deno.test("digest lets others be served, and ends when it is cancelled", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  await using rpc = await server.login(token);
  await using other = await server.login(token);
  await sparse(server.home("ada", "f"), DIGEST_PAGE_MAX_BYTES);
  const abort = new AbortController();
  let isDone = false;
  const call = rpc.call("digest", { path: ["f"] }, { signal: abort.signal });
  const ended = call.then(() => isDone = true, () => {});
  await ask(other, "whoami", {});
  assert(!isDone, "nobody was served meanwhile");
  abort.abort();
  await assertRejects(() => call);
  await ended;
  assertEquals((await ask(rpc, "whoami", {})).user, "ada");
});
