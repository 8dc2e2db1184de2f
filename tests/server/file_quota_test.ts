import { assertEquals, assertRejects } from "@std/assert";
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
  const token = await server.addUser("ada");
  const catalog = SqliteCatalog.open(join(server.data, "trivet.db"));
  await catalog.setQuota("ada", { quotaFiles: 3 });
  await catalog.close();
  return stack.use(await server.login(token));
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
