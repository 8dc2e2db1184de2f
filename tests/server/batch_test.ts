import { assertEquals, assertRejects } from "@std/assert";
import { TrivetError } from "../../lib/errors.ts";
import {
  BATCH_BYTES_MAX,
  BATCH_ITEMS_MAX,
  checkNetdiskResponse,
  type NetdiskRequest,
  type NetdiskResponse,
  SMALL_FILE_MAX_BYTES,
} from "../../lib/netdisk/messages.ts";
import type { RpcClient } from "../../lib/rpc/client.ts";
import { createDigester, digestOf, toHex } from "../../lib/transfer/digest.ts";
import { ask, noise, TestServer } from "./testing.ts";

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => promise, TrivetError)).code;
}

type FileHead = NetdiskRequest<"put.files">["files"][number];

/** A file for `put.files`: its head and its content. */
async function fileOf(
  path: string,
  bytes: Uint8Array,
): Promise<{ head: FileHead; bytes: Uint8Array }> {
  const digest = toHex(digestOf(await createDigester(), bytes));
  return { head: { path: path.split("/"), size: bytes.length, digest }, bytes };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** Sends files, given as path and content. */
async function putFiles(
  rpc: RpcClient,
  contents: Record<string, Uint8Array>,
  options: Partial<NetdiskRequest<"put.files">> & { body?: Uint8Array } = {},
): Promise<NetdiskResponse<"put.files">> {
  const files = await Promise.all(
    Object.entries(contents).map(([path, bytes]) => fileOf(path, bytes)),
  );
  const { body = joined(files.map(({ bytes }) => bytes)), ...rest } = options;
  const heads = files.map(({ head }) => head);
  return await ask(rpc, "put.files", { overwrite: "replace", files: heads, ...rest }, body);
}

/** The codes of what failed, by index. */
function failuresOf({ failed }: { readonly failed: NetdiskResponse<"put.files">["failed"] }) {
  return Object.fromEntries(failed.map(({ index, error }) => [index, error.code]));
}

async function getFiles(rpc: RpcClient, paths: readonly string[]) {
  const request = { paths: paths.map((path) => path.split("/")) };
  const { head, body } = await rpc.call("get.files", request);
  return { files: checkNetdiskResponse("get.files", head).files, body };
}

async function usedBytes(rpc: RpcClient): Promise<number> {
  return (await ask(rpc, "df", {})).usedBytes;
}

Deno.test("put.files stores many files and makes their folders, and df counts them", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada"));
  for (const durability of ["commit", "os"] as const) {
    const contents = { [`${durability}/a`]: noise(100), [`${durability}/d/b`]: noise(20, 2) };
    const folders = [[durability], [durability, "d"]];
    const answer = await putFiles(rpc, contents, { folders, durability });
    assertEquals(answer, { failed: [], skipped: [], renamed: [], created: 2 });
    assertEquals(await Deno.readFile(server.home("ada", durability, "d", "b")), noise(20, 2));
  }
  assertEquals(await usedBytes(rpc), 240);
  await putFiles(rpc, { "os/a": noise(7), "os/d/b": noise(0) });
  assertEquals(await usedBytes(rpc), 127);
});

Deno.test("put.files does with names that are taken what it is told", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada"));
  await putFiles(rpc, { a: noise(10) });
  const contents = { b: noise(3), a: noise(5) };
  assertEquals(await putFiles(rpc, contents, { overwrite: "skip" }), {
    failed: [],
    skipped: [1],
    renamed: [],
    created: 0,
  });
  assertEquals(failuresOf(await putFiles(rpc, contents, { overwrite: "fail" })), {
    0: "EXISTS",
    1: "EXISTS",
  });
  const { renamed } = await putFiles(rpc, contents, { overwrite: "rename" });
  assertEquals(renamed, [{ index: 0, path: ["b (2)"] }, { index: 1, path: ["a (2)"] }]);
  assertEquals(await usedBytes(rpc), 10 + 3 + 3 + 5);
});

Deno.test("put.files lets no refused file, folder or digest hinder the others", async () => {
  await using server = await TestServer.start({ names: "portable" });
  await using rpc = await server.login(await server.addUser("ada"));
  const files = await Promise.all([
    fileOf("..", noise(1)),
    fileOf("aux/x", noise(2)),
    fileOf("damaged", noise(3)),
    fileOf("d/good", noise(4)),
    fileOf("d/GOOD", noise(5)),
  ]);
  const heads = files.map(({ head }) => head);
  const digest = "0".repeat(32);
  const answer = await ask(rpc, "put.files", {
    overwrite: "replace",
    folders: [["aux"], ["d"], [".."], []],
    files: [...heads.map((head) => head.path[0] === "damaged" ? { ...head, digest } : head), {
      path: [],
      size: 0,
      digest: toHex(digestOf(await createDigester(), noise(0))),
    }],
  }, joined(files.map(({ bytes }) => bytes)));
  assertEquals(failuresOf(answer), {
    0: "PATH_DOT",
    1: "NAME_NOT_PORTABLE",
    2: "DIGEST_MISMATCH",
    4: "INVALID_REQUEST",
    5: "IS_FOLDER",
  });
  assertEquals(answer.created, 1);
  assertEquals([...Deno.readDirSync(server.home("ada"))].map(({ name }) => name), ["d"]);
  assertEquals(await usedBytes(rpc), 4);
});

Deno.test("put.files refuses a body that is not as long as its sizes say", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada"));
  for (const length of [0, 29, 31]) {
    const request = putFiles(rpc, { a: noise(10), b: noise(20) }, { body: noise(length) });
    assertEquals(await codeOf(request), "INVALID_REQUEST", `${length} bytes`);
  }
  assertEquals([...Deno.readDirSync(server.home("ada"))], []);
  assertEquals(await usedBytes(rpc), 0);
});

Deno.test("put.files, put.folders and get.files take what their limits say and no more", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada"));
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, noise(1)]));
  const full = (count: number, size: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`g${i}`, noise(size)]));
  const refused = async (work: Promise<unknown>) =>
    assertEquals(await codeOf(work), "INVALID_REQUEST");
  await refused(putFiles(rpc, many(BATCH_ITEMS_MAX + 1)));
  await refused(putFiles(rpc, { large: noise(SMALL_FILE_MAX_BYTES + 1) }));
  const most = BATCH_BYTES_MAX / SMALL_FILE_MAX_BYTES;
  await refused(putFiles(rpc, { ...full(most, SMALL_FILE_MAX_BYTES), one: noise(1) }));
  const folders = (count: number) => Array.from({ length: count }, (_, i) => ({ path: [`d${i}`] }));
  await refused(ask(rpc, "put.folders", { folders: folders(BATCH_ITEMS_MAX + 1) }));
  const paths = (count: number) => Array.from({ length: count }, (_, i) => `f${i}`);
  await refused(getFiles(rpc, paths(BATCH_ITEMS_MAX + 1)));
  assertEquals([...Deno.readDirSync(server.home("ada"))], []);

  assertEquals((await putFiles(rpc, many(BATCH_ITEMS_MAX))).failed, []);
  assertEquals((await putFiles(rpc, full(most, SMALL_FILE_MAX_BYTES))).failed, []);
  const made = await ask(rpc, "put.folders", { folders: folders(BATCH_ITEMS_MAX) });
  assertEquals(made, { created: BATCH_ITEMS_MAX, failed: [] });
  const { files, body } = await getFiles(rpc, paths(BATCH_ITEMS_MAX));
  assertEquals([files.length, body.length], [BATCH_ITEMS_MAX, BATCH_ITEMS_MAX]);
});

Deno.test("put.files beyond the quota stores nothing of the request and counts nothing", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada", 100));
  const request = putFiles(rpc, { "n/a": noise(60), b: noise(41) }, { folders: [["n"]] });
  const error = await assertRejects(() => request, TrivetError);
  assertEquals(error.code, "QUOTA_EXCEEDED");
  assertEquals(error.details, { need_bytes: 101, have_bytes: 100 });
  assertEquals([...Deno.readDirSync(server.home("ada"))], []);
  assertEquals([...Deno.readDirSync(`${server.data}/parts`)], []);
  assertEquals(await usedBytes(rpc), 0);
  assertEquals((await putFiles(rpc, { a: noise(60), b: noise(40) })).failed, []);
  assertEquals(await usedBytes(rpc), 100);
});

Deno.test("files of many clients at once are counted once each", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  await using one = await server.login(token);
  await using two = await server.login(token);
  const folders = [["d"]];
  for (let round = 0; round < 5; round++) {
    await Promise.all([one, two, one, two].map(async (rpc, at) => {
      const contents = Object.fromEntries(
        Array.from({ length: 20 }, (_, i) => [`d/f${i}`, noise(10 * (round + 1) + at + i)]),
      );
      const { failed } = await putFiles(rpc, contents, { folders, durability: "os" });
      for (const { error } of failed) assertEquals(error.code, "CHANGED");
    }));
    let sum = 0;
    for (const { name } of Deno.readDirSync(server.home("ada", "d"))) {
      sum += Deno.statSync(server.home("ada", "d", name)).size;
    }
    assertEquals(await usedBytes(one), sum);
  }
  assertEquals([...Deno.readDirSync(`${server.data}/parts`)], []);
});

Deno.test("put.folders makes folders each for itself, and sets times", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada"));
  await putFiles(rpc, { file: noise(1) });
  const mtimeMs = Date.UTC(2002, 2, 2);
  const answer = await ask(rpc, "put.folders", {
    folders: [
      { path: ["a", "b"] },
      { path: [".."] },
      { path: ["file"] },
      { path: ["a"], mtimeMs },
      { path: [] },
    ],
  });
  assertEquals(failuresOf(answer), { 1: "PATH_DOT", 2: "EXISTS" });
  assertEquals(answer.created, 1);
  assertEquals((await ask(rpc, "stat", { path: ["a"] })).entry.mtimeMs, mtimeMs);
});

Deno.test("get.files answers for each file by itself", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada"));
  const contents = { "d/a": noise(10), "d/b": noise(0), "c": noise(30, 3) };
  await putFiles(rpc, contents, { folders: [["d"]] });
  const atMost = server.home("ada", "at-most");
  await Deno.writeFile(atMost, noise(SMALL_FILE_MAX_BYTES));
  await Deno.writeFile(server.home("ada", "grew"), noise(SMALL_FILE_MAX_BYTES + 1));
  const paths = ["d/a", "none", "d", "..", "d/b", "grew", "c", "at-most"];
  const { files, body } = await getFiles(rpc, paths);
  const shown = files.map((file) =>
    "size" in file ? file.size : "large" in file ? "large" : file.error.code
  );
  const codes = [10, "NOT_FOUND", "IS_FOLDER", "PATH_DOT", 0, "large", 30, SMALL_FILE_MAX_BYTES];
  assertEquals(shown, codes);
  assertEquals(body.subarray(10, 40), noise(30, 3));
  const [first] = files;
  const { entry } = await ask(rpc, "stat", { path: ["d", "a"] });
  const { mtimeMs, mode } = entry;
  const digest = toHex(digestOf(await createDigester(), noise(10)));
  assertEquals(first, { size: 10, mtimeMs, mode, digest });
});

Deno.test("get.files answers for as many files as one body holds", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada"));
  const names = Array.from({ length: 20 }, (_, i) => `f${i}`);
  for (const [i, name] of names.entries()) {
    await Deno.writeFile(server.home("ada", name), noise(SMALL_FILE_MAX_BYTES, i + 1));
  }
  const most = BATCH_BYTES_MAX / SMALL_FILE_MAX_BYTES;
  let open = ["none", ...names, "none"];
  const counts: number[] = [];
  const got: Uint8Array[] = [];
  while (open.length > 0) {
    const { files, body } = await getFiles(rpc, open);
    counts.push(files.length);
    got.push(body);
    open = open.slice(files.length);
  }
  assertEquals(counts, [most + 1, most, names.length - 2 * most + 1]);
  const sum = got.reduce((bytes, body) => bytes + body.length, 0);
  assertEquals(sum, names.length * SMALL_FILE_MAX_BYTES);
  assertEquals(got[1]?.subarray(0, 8), noise(8, most + 1));
});

Deno.test("many files at once keep to what the login may do", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada"));
  await using confined = await server.login(await server.addToken("ada", { pathPrefix: ["in"] }));
  await using reader = await server.login(await server.addToken("ada", { scope: "read" }));
  const contents = { "in/a": noise(1), "out/b": noise(2) };
  await putFiles(rpc, contents, { folders: [["in"], ["out"]] });
  assertEquals(await codeOf(putFiles(reader, contents)), "PERMISSION_DENIED");
  assertEquals(await codeOf(ask(reader, "put.folders", { folders: [] })), "PERMISSION_DENIED");
  assertEquals((await getFiles(reader, ["in/a", "out/b"])).body.length, 3);
  const folders = [["in"], ["out"], ["in", "n"], ["out", "n"]];
  const again = { "in/a": noise(5), "out/b": noise(5), "out/n/x": noise(5), "in/n/x": noise(5) };
  const denied = { 1: "PERMISSION_DENIED", 2: "PERMISSION_DENIED" };
  assertEquals(failuresOf(await putFiles(confined, again, { folders })), denied);
  const made = await ask(confined, "put.folders", {
    folders: [{ path: ["in", "m"] }, { path: ["out", "m"] }, { path: ["."] }],
  });
  assertEquals(failuresOf(made), { 1: "PERMISSION_DENIED", 2: "PATH_DOT" });
  const { files, body } = await getFiles(confined, ["out/b", "in/a"]);
  assertEquals(files.map((file) => "error" in file ? file.error.code : "file"), [
    "PERMISSION_DENIED",
    "file",
  ]);
  assertEquals(body, noise(5));
  assertEquals([...Deno.readDirSync(server.home("ada", "out"))].map(({ name }) => name), ["b"]);
  assertEquals((await Deno.stat(server.home("ada", "out", "b"))).size, 2);
});
