import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { dataFolders } from "../../../server/care/checked_data.ts";
import { DataCheck, type DataCheckOptions, YOUNG_MS } from "../../../server/care/data_check.ts";
import type { Finding } from "../../../server/care/finding.ts";
import { type RepairedData, repairFinding } from "../../../server/care/repair.ts";
import { FolderDepot } from "../../../server/netdisk/folder_depot.ts";
import { SqliteCare } from "../../../server/store/sqlite_care.ts";
import { SqliteCatalog } from "../../../server/store/sqlite_catalog.ts";
import { createDigester, digestOf, toHex } from "../../../lib/transfer/digest.ts";
import type { RpcClient } from "../../../lib/rpc/client.ts";
import { ask, noise, openUpload, sendChunks, TestServer } from "../testing.ts";

const MEBIBYTE = 1024 * 1024;

async function put(rpc: RpcClient, path: string[], size: number): Promise<void> {
  const bytes = noise(size);
  const digest = toHex(digestOf(await createDigester(), bytes));
  await ask(rpc, "put.file", { path, overwrite: "replace", durability: "os", digest }, bytes);
}

/** A data folder with an account `ada`: two files, one item of the trash, one partial upload. */
async function filled(): Promise<TestServer> {
  const server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada"));
  await ask(rpc, "mkdir", { path: ["d"] });
  await put(rpc, ["d", "a"], 100);
  await put(rpc, ["b"], 200);
  await put(rpc, ["gone"], 50);
  await ask(rpc, "rm", { path: ["gone"] });
  const content = noise(3 * MEBIBYTE);
  const upload = await openUpload(rpc, "u", content.length);
  await sendChunks(rpc, upload, content, { stopAfterChunks: 1 });
  return server;
}

/** Opens the data of a server, stopped or not, and disposes of it. */
async function withData<T>(server: TestServer, work: (data: RepairedData) => Promise<T>) {
  await using stack = new AsyncDisposableStack();
  const path = join(server.data, "trivet.db");
  const catalog = stack.adopt(SqliteCatalog.open(path), (opened) => opened.close());
  const care = stack.adopt(SqliteCare.open(path), (opened) => opened.close());
  const folders = dataFolders(server.data);
  return await work({ catalog, care, folders, depot: FolderDepot.open(server.data) });
}

async function findingsOf(data: RepairedData, options?: DataCheckOptions): Promise<Finding[]> {
  return await Array.fromAsync(new DataCheck(data, options).findings());
}

/** Checks twice: what is found, what a repair says, and what is found after it. */
async function repaired(server: TestServer) {
  return await withData(server, async (data) => {
    const found: string[] = [];
    const done: string[] = [];
    for await (const finding of new DataCheck(data).findings()) {
      found.push(`${finding.kind} ${finding.where}`);
      done.push((await repairFinding(data, finding)).text);
    }
    const left = (await findingsOf(data)).map(({ kind, where }) => `${kind} ${where}`);
    return { found, done, left };
  });
}

function rawly(server: TestServer, sql: string): void {
  const db = new DatabaseSync(join(server.data, "trivet.db"));
  db.exec(sql);
  db.close();
}

function only(folder: string): string {
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name);
  assertEquals(names.length, 1);
  return join(folder, names[0] ?? "");
}

Deno.test("DataCheck finds nothing where nothing is wrong, beside a server and without", async () => {
  await using server = await filled();
  await withData(server, async (data) => {
    const check = new DataCheck(data, { isLive: true, pauseMs: 1 });
    assertEquals(await Array.fromAsync(check.findings()), []);
    const { unjudged, ...counts } = check.summary;
    assertEquals(counts, { accounts: 1, files: 2, bytes: 300 });
    assertEquals(unjudged.size, 0);
  });
  await server.stop();
  assertEquals(await repaired(server), { found: [], done: [], left: [] });
});

Deno.test("DataCheck tells a count that is off by one byte, and a repair counts anew", async () => {
  for (const sql of ["used_bytes + 1", "used_bytes - 1", "0"]) {
    await using server = await filled();
    await server.stop();
    rawly(server, `UPDATE users SET used_bytes = ${sql}`);
    const { found, left } = await repaired(server);
    assertEquals(found, ["quota homes/ada"], sql);
    assertEquals(left, []);
    await withData(server, async ({ care }) => {
      assertEquals((await care.account("ada"))?.usedBytes, 350 + 3 * MEBIBYTE);
    });
  }
});

Deno.test("DataCheck tells a count of files that is off, also one from before files were counted", async () => {
  for (const sql of ["used_files + 1", "used_files - 1", "0"]) {
    await using server = await filled();
    await server.stop();
    rawly(server, `UPDATE users SET used_files = ${sql}`);
    const { found, left } = await repaired(server);
    assertEquals(found, ["quota homes/ada"], sql);
    assertEquals(left, []);
    await withData(server, async ({ care }) => {
      const { usedFiles, usedBytes } = await care.account("ada") ?? {};
      assertEquals([usedFiles, usedBytes], [4, 350 + 3 * MEBIBYTE]);
    });
  }
});

Deno.test("DataCheck tells an item of the trash whose files were never counted", async () => {
  await using server = await filled();
  await server.stop();
  rawly(server, "UPDATE trash SET files = 0; UPDATE users SET used_files = 0");
  const { found, left } = await repaired(server);
  assertEquals(found.map((text) => text.split(" ")[0]), ["trash-size", "quota"]);
  assertEquals(left, []);
  await withData(server, async ({ care }) => {
    const { usedFiles, trashFiles } = await care.account("ada") ?? {};
    assertEquals([usedFiles, trashFiles], [4, 1]);
  });
});

Deno.test("DataCheck counts what other programs put into a home", async () => {
  await using server = await filled();
  await server.stop();
  await Deno.writeFile(server.home("ada", "d", "new"), noise(7));
  await withData(server, async (data) => {
    const [finding] = await findingsOf(data);
    const { countedBytes = 0, realBytes = 0 } = finding ?? {};
    assertEquals(realBytes - countedBytes, 7);
  });
});

Deno.test("DataCheck finds uploads without part and parts without upload", async () => {
  await using server = await filled();
  await server.stop();
  const part = only(join(server.data, "parts"));
  await Deno.rename(part, join(server.data, "parts", "orphan"));
  await Deno.mkdir(join(server.data, "parts", "folder"));
  const { found, left } = await repaired(server);
  assertEquals(found.map((text) => text.split(" ")[0]).sort(), [
    "foreign",
    "part-without-upload",
    "upload-without-part",
  ]);
  assertEquals(left, ["foreign parts/folder"]);
  await withData(server, async ({ care }) => {
    assertEquals((await care.account("ada"))?.usedBytes, 350);
  });
});

Deno.test("DataCheck judges parts beside a server once they are a minute old", async () => {
  await using server = await filled();
  const path = join(server.data, "parts", "orphan");
  await Deno.writeFile(path, noise(1));
  const { ctime } = await Deno.lstat(path);
  const young = (ctime?.getTime() ?? 0) + YOUNG_MS;
  await withData(server, async (data) => {
    const at = async (nowMs: number) => await findingsOf(data, { isLive: true, now: () => nowMs });
    assertEquals(await at(young), []);
    assertEquals((await at(young + 1)).map(({ kind }) => kind), ["part-without-upload"]);
  });
});

Deno.test("DataCheck finds trash without row, which a repair sets aside", async () => {
  await using server = await filled();
  await server.stop();
  const item = only(join(server.data, "trash", "ada"));
  rawly(server, "DELETE FROM trash");
  const { found, done, left } = await repaired(server);
  const id = item.split("/").at(-1) ?? "";
  assertEquals(found, [`trash-without-row trash/ada/${id}`, "quota homes/ada"]);
  assertEquals(done[0], `moved to trash/.lost/ada/${id}`);
  assertEquals(left, []);
  const kept = await Deno.readFile(join(server.data, "trash", ".lost", "ada", id, "gone"));
  assertEquals(kept.length, 50);
});

Deno.test("DataCheck finds items of the trash that are gone or have another size", async () => {
  await using server = await filled();
  await server.stop();
  const item = only(join(server.data, "trash", "ada"));
  await Deno.writeFile(join(item, "gone"), noise(20));
  const grown = await repaired(server);
  assertEquals(grown.found.map((text) => text.split(" ")[0]), ["trash-size"]);
  assertEquals(grown.left, []);
  await withData(server, async ({ catalog }) => {
    const usage = await catalog.usage("ada");
    assertEquals([usage?.trashBytes, usage?.usedBytes], [20, 320 + 3 * MEBIBYTE]);
  });
  await Deno.remove(item, { recursive: true });
  const gone = await repaired(server);
  assertEquals(gone.found.map((text) => text.split(" ")[0]), ["row-without-trash"]);
  assertEquals(gone.left, []);
  await withData(server, async ({ catalog }) => {
    assertEquals((await catalog.usage("ada"))?.usedBytes, 300 + 3 * MEBIBYTE);
  });
});

Deno.test("DataCheck finds homes without account and accounts without home", async () => {
  await using server = await filled();
  await server.addUser("bob");
  await server.stop();
  await Deno.rename(server.home("bob"), server.home("eve"));
  const { found, left } = await repaired(server);
  assertEquals(found.sort(), ["account-without-home homes/bob", "home-without-account homes/eve"]);
  assertEquals(left, ["home-without-account homes/eve"]);
  assert((await Deno.lstat(server.home("bob"))).isDirectory);
});

Deno.test({
  name: "DataCheck reports foreign things in homes and follows no link",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using server = await filled();
    await server.stop();
    const outside = await Deno.makeTempDir({ prefix: "trivet-test-" });
    await Deno.writeFile(join(outside, "secret"), noise(1000));
    await Deno.symlink(outside, server.home("ada", "d", "link"));
    await Deno.symlink("nowhere", server.home("ada", "dangling"));
    await Deno.mkdir(server.home("ada", "back\\slash"));
    using _socket = Deno.listen({ transport: "unix", path: server.home("ada", "socket") });
    const { found, left } = await repaired(server);
    const names = ["back\\slash", "d/link", "dangling", "socket"];
    assertEquals(found.sort(), names.map((name) => `foreign homes/ada/${name}`));
    assertEquals(left.sort(), found);
    await Deno.remove(outside, { recursive: true });
  },
});

Deno.test("DataCheck follows no link in the place of a home, and judges no count then", async () => {
  await using server = await filled();
  await server.stop();
  await Deno.rename(server.home("ada"), join(server.data, "elsewhere"));
  await Deno.symlink(join(server.data, "elsewhere"), server.home("ada"));
  await withData(server, async (data) => {
    const check = new DataCheck(data);
    const found = await Array.fromAsync(check.findings());
    assertEquals(found.map(({ kind, where }) => [kind, where]), [["foreign", "homes/ada"]]);
    assertEquals([...check.summary.unjudged], ["ada"]);
  });
});

Deno.test("DataCheck names what a crash left, judges no count before a repair settles it", async () => {
  await using server = await filled();
  await server.stop();
  rawly(
    server,
    `UPDATE uploads SET state = 'committing', commit_path = path, commit_size = size;
     UPDATE trash SET state = 'restoring'`,
  );
  await withData(server, async (data) => {
    const check = new DataCheck(data);
    const kinds = (await Array.fromAsync(check.findings())).map(({ kind }) => kind);
    assertEquals(kinds, ["unsettled-commit", "unsettled-trash"]);
    assertEquals([...check.summary.unjudged], ["ada"]);
  });
  await withData(server, async (data) => {
    const findings = new DataCheck(data, { pauseMs: 1 }).findings();
    const first = await findings.next();
    assertEquals(first.value?.kind, "unsettled-commit");
    await findings.return();
    assertEquals(await findingsOf(data, { isLive: true }), []);
  });
  const { done, left } = await repaired(server);
  assertEquals(done, ["settled: reopened", "settled: kept in the trash"]);
  assertEquals(left, []);
});

Deno.test("DataCheck names a batch that a crash left, and a repair settles it", async () => {
  await using server = await filled();
  await server.stop();
  const parts = join(server.data, "parts");
  await withData(server, async ({ catalog }) => {
    const file = { size: 10, replacedBytes: 0, replacedFiles: 0 };
    const files = [{ ...file, index: 0, path: ["x"] }, { ...file, index: 1, path: ["n", "y"] }];
    await catalog.beginBatch({ id: "batch", user: "ada", files, durability: "commit" });
    await Deno.writeFile(join(parts, "batch-0"), noise(10));
    await Deno.mkdir(join(parts, "batch"));
  });
  const { found, left } = await repaired(server);
  assertEquals(found, ["unsettled-batch parts/batch"]);
  assertEquals(left, []);
  await withData(server, async ({ care }) => {
    const { usedFiles, usedBytes } = await care.account("ada") ?? {};
    assertEquals([usedFiles, usedBytes], [4, 350 + 3 * MEBIBYTE]);
  });
  const names = Array.from(Deno.readDirSync(parts), ({ name }) => name);
  assertEquals(names.filter((name) => name.startsWith("batch")), []);
});

Deno.test("DataCheck looks at one account only when told to", async () => {
  await using server = await filled();
  await server.addUser("bob");
  await server.stop();
  rawly(server, "UPDATE users SET used_bytes = 1");
  await Deno.writeFile(join(server.data, "parts", "orphan"), noise(1));
  await withData(server, async (data) => {
    const found = await findingsOf(data, { user: "bob" });
    assertEquals(found.map(({ kind, user }) => [kind, user]), [["quota", "bob"]]);
  });
});
