import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { TrivetError } from "../../lib/errors.ts";
import { TRASH_PAGE_MAX } from "../../lib/netdisk/messages.ts";
import type { RpcClient } from "../../lib/rpc/client.ts";
import { createDigester, digestOf, toHex } from "../../lib/transfer/digest.ts";
import { ask, commit, noise, openUpload, sendChunks, TestServer } from "./testing.ts";

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => promise, TrivetError)).code;
}

async function putSmall(rpc: RpcClient, path: string[], size: number): Promise<void> {
  const bytes = noise(size);
  const digest = toHex(digestOf(await createDigester(), bytes));
  await ask(rpc, "put.file", { path, overwrite: "replace", durability: "os", digest }, bytes);
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = join(folder, name);
      bytes += isDirectory ? await bytesIn(path) : (await Deno.lstat(path)).size;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return bytes;
}

/** Compares what the account counts with what the disk holds. */
async function assertNoDrift(server: TestServer, rpc: RpcClient): Promise<void> {
  const { usedBytes, partialBytes, trashBytes } = await ask(rpc, "df", {});
  const trash = await bytesIn(join(server.data, "trash", "ada"));
  assertEquals(trashBytes, trash);
  assertEquals(usedBytes - partialBytes, trash + await bytesIn(server.home("ada")));
}

Deno.test("rm, trash.restore and trash.empty keep the quota exact", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada", 1000));
  await ask(rpc, "mkdir", { path: ["d", "e"], parents: true });
  await putSmall(rpc, ["d", "f"], 100);
  await putSmall(rpc, ["d", "e", "g"], 200);
  await putSmall(rpc, ["h"], 300);
  assertEquals(await codeOf(ask(rpc, "rm", { path: ["d"] })), "IS_FOLDER");
  const folder = await ask(rpc, "rm", { path: ["d"], recursive: true });
  assertEquals(folder.removed, 4);
  const file = await ask(rpc, "rm", { path: ["h"] });
  assertEquals(file.removed, 1);
  await assertNoDrift(server, rpc);
  const usage = { quotaBytes: 1000, usedBytes: 600, partialBytes: 0, trashBytes: 600 };
  assertEquals(await ask(rpc, "df", {}), usage);
  assertEquals(await codeOf(putSmall(rpc, ["x"], 401)), "QUOTA_EXCEEDED");

  const { items, more } = await ask(rpc, "trash.list", {});
  assertEquals(more, false);
  assertEquals(items.map(({ deletedMs: _ms, ...item }) => item).sort((a, b) => a.bytes - b.bytes), [
    { id: folder.trashId, path: ["d"], bytes: 300, entries: 4, kind: "folder" },
    { id: file.trashId, path: ["h"], bytes: 300, entries: 1, kind: "file" },
  ]);
  assert(items.every(({ deletedMs }) => Math.abs(Date.now() - deletedMs) < 60_000));

  const restored = await ask(rpc, "trash.restore", { id: folder.trashId });
  assertEquals(restored, { path: ["d"] });
  assertEquals(await codeOf(ask(rpc, "trash.restore", { id: folder.trashId })), "TRASH_NOT_FOUND");
  await assertNoDrift(server, rpc);
  await putSmall(rpc, ["h"], 1);
  assertEquals(await codeOf(ask(rpc, "trash.restore", { id: file.trashId })), "EXISTS");
  const renamed = { id: file.trashId, overwrite: "rename" } as const;
  assertEquals(await ask(rpc, "trash.restore", renamed), { path: ["h (2)"] });
  await assertNoDrift(server, rpc);

  const { trashId } = await ask(rpc, "rm", { path: ["d"], recursive: true });
  await ask(rpc, "rm", { path: ["h"] });
  const wrong = ask(rpc, "trash.empty", { ids: [trashId, "0123"] });
  assertEquals(await codeOf(wrong), "TRASH_NOT_FOUND");
  const one = await ask(rpc, "trash.empty", { ids: [trashId, trashId] });
  assertEquals(one, { items: 1, bytes: 300 });
  await assertNoDrift(server, rpc);
  assertEquals(await ask(rpc, "trash.empty", {}), { items: 1, bytes: 1 });
  assertEquals(await ask(rpc, "trash.empty", {}), { items: 0, bytes: 0 });
  await assertNoDrift(server, rpc);
  assertEquals((await ask(rpc, "df", {})).usedBytes, 300);
});

Deno.test("trash.list pages, and trash.empty takes as many ids as a page has", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada"));
  const count = TRASH_PAGE_MAX + 1;
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    await putSmall(rpc, [`f${i}`], 1);
    ids.push((await ask(rpc, "rm", { path: [`f${i}`] })).trashId);
  }
  const first = await ask(rpc, "trash.list", {});
  assertEquals([first.items.length, first.more], [TRASH_PAGE_MAX, true]);
  const rest = await ask(rpc, "trash.list", { after: first.items.at(-1)?.id ?? "" });
  assertEquals([rest.items.length, rest.more], [1, false]);
  const listed = [...first.items, ...rest.items].map(({ id }) => id);
  assertEquals(listed, ids.toSorted());
  assertEquals(await codeOf(ask(rpc, "trash.empty", { ids })), "INVALID_REQUEST");
  const page = ids.slice(0, TRASH_PAGE_MAX);
  assertEquals((await ask(rpc, "trash.empty", { ids: page })).items, TRASH_PAGE_MAX);
  const last = await ask(rpc, "trash.list", {});
  assertEquals([last.items.length, last.more], [1, false]);
  await assertNoDrift(server, rpc);
});

Deno.test("of two who empty or restore the same item, each byte is given back once", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  await using one = await server.login(token);
  await using two = await server.login(token);
  for (let i = 0; i < 5; i++) {
    await ask(one, "mkdir", { path: ["d"] });
    for (let n = 0; n < 20; n++) await putSmall(one, ["d", `f${n}`], 10);
    const { trashId: id } = await ask(one, "rm", { path: ["d"], recursive: true });
    const done = await Promise.allSettled([
      ask(one, "trash.empty", { ids: [id] }),
      ask(two, "trash.empty", {}),
      ask(two, "trash.restore", { id }),
    ]);
    assert(done.some(({ status }) => status === "fulfilled"));
    await assertNoDrift(server, one);
    if ((await ask(one, "ls", { path: [] })).entries.length > 0) {
      await ask(one, "rm", { path: ["d"], recursive: true });
    }
    await ask(one, "trash.empty", {});
    assertEquals((await ask(one, "df", {})).usedBytes, 0);
  }
});

Deno.test("rm of a folder that files are put into loses no byte of the quota", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  await using one = await server.login(token);
  await using two = await server.login(token);
  for (let i = 0; i < 10; i++) {
    await ask(one, "mkdir", { path: ["d"], parents: true });
    const upload = await openUpload(two, "u", 70_000);
    const content = noise(70_000);
    await sendChunks(two, upload, content);
    const durable = async (name: string) => {
      const bytes = noise(50);
      const digest = toHex(digestOf(await createDigester(), bytes));
      await ask(two, "put.file", { path: ["d", name], overwrite: "replace", digest }, bytes);
    };
    await Promise.allSettled([
      ...["a", "b", "c", "d"].map(durable),
      commit(two, upload, content),
      ask(one, "rm", { path: ["d"], recursive: true }),
      ask(one, "mv", { from: ["u"], to: ["d", "a"], overwrite: "replace" }),
      ask(one, "mv", { from: ["d"], to: ["d2"] }),
      ...["e", "f"].map(durable),
      ask(one, "trash.empty", {}),
    ]);
    await assertNoDrift(server, one);
  }
  assertEquals((await ask(one, "df", {})).partialBytes, 0);
});

Deno.test("a login sees and changes only the trash that it reaches", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada"));
  await using confined = await server.login(await server.addToken("ada", { pathPrefix: ["in"] }));
  await using reader = await server.login(await server.addToken("ada", { scope: "read" }));
  await using bob = await server.login(await server.addUser("bob"));
  await ask(rpc, "mkdir", { path: ["in"] });
  await putSmall(rpc, ["in", "f"], 10);
  await putSmall(rpc, ["out"], 10);
  const { trashId: inside } = await ask(rpc, "rm", { path: ["in", "f"] });
  const { trashId: outside } = await ask(rpc, "rm", { path: ["out"] });

  const seen = (await ask(confined, "trash.list", {})).items.map(({ id }) => id);
  assertEquals(seen, [inside]);
  assertEquals((await ask(reader, "trash.list", {})).items.length, 2);
  assertEquals((await ask(bob, "trash.list", {})).items, []);
  for (const id of [inside, outside]) {
    assertEquals(await codeOf(ask(bob, "trash.restore", { id })), "TRASH_NOT_FOUND");
    assertEquals(await codeOf(ask(bob, "trash.empty", { ids: [id] })), "TRASH_NOT_FOUND");
    assertEquals(await codeOf(ask(reader, "trash.restore", { id })), "PERMISSION_DENIED");
    assertEquals(await codeOf(ask(reader, "trash.empty", { ids: [id] })), "PERMISSION_DENIED");
  }
  assertEquals(await codeOf(ask(reader, "trash.empty", {})), "PERMISSION_DENIED");
  assertEquals(await codeOf(ask(confined, "trash.restore", { id: outside })), "TRASH_NOT_FOUND");
  assertEquals(await codeOf(ask(confined, "trash.empty", { ids: [outside] })), "TRASH_NOT_FOUND");
  assertEquals((await ask(confined, "trash.empty", {})).items, 1);
  assertEquals((await ask(rpc, "trash.list", {})).items.map(({ id }) => id), [outside]);
  await assertNoDrift(server, rpc);
});
