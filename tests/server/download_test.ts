import { assert, assertEquals, assertRejects } from "@std/assert";
import { TrivetError } from "../../lib/errors.ts";
import { checkNetdiskResponse } from "../../lib/netdisk/messages.ts";
import type { RpcClient } from "../../lib/rpc/client.ts";
import { createDigester } from "../../lib/transfer/digest.ts";
import { ChunkJournal } from "../../lib/transfer/journal.ts";
import { ChunkReceiver } from "../../lib/transfer/receiver.ts";
import { ask, noise, TestServer } from "./testing.ts";

const MIB = 1024 * 1024;

interface Received {
  readonly etag: string;
  readonly content: Uint8Array;
  readonly bad: number[];
  readonly chunks: number[];
}

/** Downloads into memory; `onData` may interfere before each frame. */
async function download(
  rpc: RpcClient,
  request: { path: string[]; ifMatch?: string; ranges?: [number, number][] },
  onData: () => Promise<void> = () => Promise.resolve(),
): Promise<Received> {
  let content = new Uint8Array(0);
  const journal = new ChunkJournal();
  const digester = await createDigester();
  const opened = Promise.withResolvers<ChunkReceiver>();
  const call = await rpc.open("get.open", request, {
    onData: async ({ offset, crc, bytes }) => {
      const receiver = await opened.promise;
      await onData();
      await receiver.accept(offset, crc, bytes);
    },
  });
  const head = checkNetdiskResponse("get.open", (await call.response).head);
  content = new Uint8Array(head.entry.size);
  const receiver = new ChunkReceiver({
    sink: { write: (bytes, offset) => content.set(bytes, offset) },
    size: head.entry.size,
    chunkBytes: head.chunkBytes,
    journal,
    digester,
  });
  opened.resolve(receiver);
  const { body } = await call.ended;
  rpc.release(call);
  const bad = receiver.finish(body);
  return { etag: head.etag, content, bad, chunks: [...journal.indices()] };
}

Deno.test("get.open sends a file, its head and the digests of its chunks", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  await using rpc = await server.login(token);
  for (const size of [0, 1, MIB - 1, MIB, MIB + 1, 5 * MIB + 3]) {
    const content = noise(size, size + 1);
    await Deno.writeFile(server.home("ada", "f.bin"), content);
    const received = await download(rpc, { path: ["f.bin"] });
    assertEquals(received.bad, []);
    assertEquals(received.content.length, size);
    assert(received.content.every((byte, at) => byte === content[at]));
  }
});

Deno.test("get.open sends the ranges of chunks that are asked for, and no others", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  await using rpc = await server.login(token);
  const content = noise(6 * MIB);
  await Deno.writeFile(server.home("ada", "f.bin"), content);
  const { etag, ...received } = await download(rpc, { path: ["f.bin"], ranges: [[1, 2], [5, 1]] });
  assertEquals(received.chunks, [1, 2, 5]);
  assertEquals(received.content.subarray(5 * MIB), content.subarray(5 * MIB));
  const again = await download(rpc, { path: ["f.bin"], ifMatch: etag, ranges: [[0, 1]] });
  assertEquals(again.chunks, [0]);
  for (const ranges of [[[0, 7]], [[6, 1]], [[2, 1], [1, 1]], [[0, 0]]] as [number, number][][]) {
    const error = await assertRejects(
      () => download(rpc, { path: ["f.bin"], ranges }),
      TrivetError,
    );
    assertEquals(error.code, "INVALID_REQUEST");
  }
});

Deno.test("get.open refuses another version of the file than the one that is asked for", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  await using rpc = await server.login(token);
  await Deno.writeFile(server.home("ada", "f.bin"), noise(MIB));
  const { etag } = await download(rpc, { path: ["f.bin"] });
  await Deno.writeFile(server.home("ada", "f.bin"), noise(MIB + 1));
  const error = await assertRejects(
    () => download(rpc, { path: ["f.bin"], ifMatch: etag }),
    TrivetError,
  );
  assertEquals(error.code, "CHANGED");
});

Deno.test("a reader sees the old file whole while a new one takes its name", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  await using rpc = await server.login(token);
  const [old, fresh] = [noise(8 * MIB, 1), noise(8 * MIB, 2)];
  await Deno.writeFile(server.home("ada", "f.bin"), old);
  let isReplaced = false;
  const received = await download(rpc, { path: ["f.bin"] }, async () => {
    if (isReplaced) return;
    isReplaced = true;
    await Deno.writeFile(server.home("ada", "new"), fresh);
    await Deno.rename(server.home("ada", "new"), server.home("ada", "f.bin"));
  });
  assertEquals(received.bad, []);
  assert(received.content.every((byte, at) => byte === old[at]));
});

Deno.test("a download that is given up stops the server's reading", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  await using rpc = await server.login(token);
  await Deno.writeFile(server.home("ada", "f.bin"), noise(64 * MIB));
  let frames = 0;
  const call = await rpc.open("get.open", { path: ["f.bin"] }, {
    onData: () => void (frames += 1),
  });
  await call.response;
  rpc.release(call);
  assertEquals((await ask(rpc, "whoami", {})).user, "ada");
  await assertRejects(() => call.ended, TrivetError);
  assert(frames < 256, `${frames} frames came all the same`);
});
