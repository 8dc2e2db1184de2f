import { assertEquals, assertGreater, assertRejects } from "@std/assert";
import { join } from "node:path";
import { TrivetError } from "../../lib/errors.ts";
import type { RpcClient } from "../../lib/rpc/client.ts";
import { createDigester, digestOf, toHex } from "../../lib/transfer/digest.ts";
import { SqliteCatalog } from "../../server/store/sqlite_catalog.ts";
import { ask, commit, noise, openUpload, sendChunks, TestServer } from "./testing.ts";

const MIB = 1024 * 1024;

/** A server and a login of somebody who may have three files. */
async function setUp(stack: AsyncDisposableStack): Promise<RpcClient> {
  const server = stack.use(await TestServer.start());
  return stack.use(await server.login(await addUser(server, 3)));
}

/** Adds ada with a quota in files; a token of hers. */
async function addUser(server: TestServer, quotaFiles: number): Promise<string> {
  const token = await server.addUser("ada");
  const catalog = SqliteCatalog.open(join(server.data, "trivet.db"));
  await catalog.setQuota("ada", { quotaFiles });
  await catalog.close();
  return token;
}

async function put(rpc: RpcClient, name: string, text = name): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  const digest = toHex(digestOf(await createDigester(), bytes));
  await ask(rpc, "put.file", { path: [name], overwrite: "replace", mtimeMs: 0, digest }, bytes);
}

/** What a refused request says of the quota. */
async function detailsOf(work: Promise<unknown>): Promise<unknown> {
  const error = await assertRejects(() => work, TrivetError);
  assertEquals(error.code, "QUOTA_EXCEEDED");
  return error.details;
}

async function files(rpc: RpcClient): Promise<[used: number | undefined, quota?: number]> {
  const { usedFiles, quotaFiles } = await ask(rpc, "df", {});
  return quotaFiles === undefined ? [usedFiles] : [usedFiles, quotaFiles];
}

const FULL = { need_files: 1, have_files: 0 };

Deno.test("a quota in files counts small files, uploads, the trash and what is replaced", async () => {
  await using stack = new AsyncDisposableStack();
  const rpc = await setUp(stack);
  const content = noise(2 * MIB);
  await put(rpc, "a");
  await put(rpc, "empty", "");
  const upload = await openUpload(rpc, "large", content.length);
  assertEquals(await files(rpc), [3, 3]);
  assertEquals(await detailsOf(put(rpc, "b")), FULL);
  assertEquals(await detailsOf(openUpload(rpc, "b", 1)), FULL);
  await sendChunks(rpc, upload, content);
  await commit(rpc, upload, content);
  assertEquals((await ask(rpc, "whoami", {})).usedFiles, 3);

  // Replacing needs no place, an empty file's neither.
  await put(rpc, "a", "other");
  await put(rpc, "empty", "");
  const again = await openUpload(rpc, "large", 2 * MIB, "never");
  await sendChunks(rpc, again, content);
  await commit(rpc, again, content);
  assertEquals(await files(rpc), [3, 3]);

  await ask(rpc, "rm", { path: ["a"] });
  assertEquals(await detailsOf(put(rpc, "b")), FULL);
  await ask(rpc, "trash.empty", {});
  assertEquals(await files(rpc), [2, 3]);
  await ask(rpc, "mv", { from: ["large"], to: ["empty"], overwrite: "replace" });
  assertEquals(await files(rpc), [1, 3]);
  await put(rpc, "b");
  await put(rpc, "c");
  assertEquals(await detailsOf(put(rpc, "d")), FULL);
});

Deno.test("an upload that is given up gives its file back", async () => {
  await using stack = new AsyncDisposableStack();
  const rpc = await setUp(stack);
  const { uploadId } = await openUpload(rpc, "large", MIB);
  assertEquals(await files(rpc), [1, 3]);
  await ask(rpc, "put.discard", { uploadId });
  assertEquals(await files(rpc), [0, 3]);
});

const NAMES = ["a", "b", "c", "d", "e"];

/** What a client does next, chosen by a number. */
async function act(rpc: RpcClient, next: () => number): Promise<void> {
  const name = () => NAMES[next() % NAMES.length] ?? "a";
  switch (next() % 8) {
    case 0:
    case 1:
      return await put(rpc, name(), "x".repeat(next() % 3));
    case 2: {
      const content = noise(next() % MIB);
      const upload = await openUpload(rpc, name(), content.length);
      await sendChunks(rpc, upload, content);
      return await commit(rpc, upload, content);
    }
    case 3: {
      const { uploadId } = await openUpload(rpc, name(), 9, "never");
      if (next() % 2 === 0) await ask(rpc, "put.discard", { uploadId });
      return;
    }
    case 4:
      return void await ask(rpc, "mv", { from: [name()], to: [name()], overwrite: "replace" });
    case 5:
      return void await ask(rpc, "rm", { path: [name()] });
    case 6: {
      const [item] = (await ask(rpc, "trash.list", {})).items;
      const request = { id: item?.id ?? "", overwrite: "rename" } as const;
      return void await ask(rpc, "trash.restore", request);
    }
    default:
      return void await ask(rpc, "trash.empty", {});
  }
}

/** Numbers that look random and are the same for the same seed. */
function numbers(seed: number): () => number {
  const words = new Uint32Array(noise(64 * 1024, seed).buffer);
  let at = 0;
  return () => words[at++ % words.length] ?? 0;
}

async function countFiles(folder: string): Promise<number> {
  let files = 0;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    files += isDirectory ? await countFiles(join(folder, name)) : 1;
  }
  return files;
}

Deno.test("the count of files is that of the disk after what many clients do at once", async () => {
  await using server = await TestServer.start();
  const token = await addUser(server, 12);
  const done = { answered: 0, refused: 0 };
  await Promise.all([1, 2, 3, 4].map(async (seed) => {
    const next = numbers(seed);
    await using rpc = await server.login(token);
    for (let i = 0; i < 60; i++) {
      try {
        await act(rpc, next);
        done.answered++;
      } catch (error) {
        // Names that are missing or taken, a full quota, an upload that another client took over.
        if (!(error instanceof TrivetError) || error.code === "INTERNAL") throw error;
        done.refused++;
      }
    }
  }));
  assertGreater(done.answered, done.refused);
  await using rpc = await server.login(token);
  const onDisk = await countFiles(server.home("ada")) +
    await countFiles(join(server.data, "parts")) +
    await countFiles(join(server.data, "trash"));
  // What replaces a file when it is done needs no place of its own until then.
  const catalog = SqliteCatalog.open(join(server.data, "trivet.db"));
  const open = await catalog.listUploads({ limit: 100 });
  await catalog.close();
  const replacing = open.filter(({ reservedFiles }) => reservedFiles === 0).length;
  assertEquals(await files(rpc), [onDisk - replacing, 12]);
});
