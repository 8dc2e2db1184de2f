import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { Connections } from "../../client/connections.ts";
import type { NetdiskClient } from "../../client/netdisk.ts";
import { getTree, type PlannedDownload } from "../../client/tree/get_tree.ts";
import { putTree } from "../../client/tree/put_tree.ts";
import { planUpload } from "../../client/tree/plan.ts";
import { inParallel, type TreeProgress, type TreeResult } from "../../client/tree/tree_types.ts";
import { TrivetError } from "../../lib/errors.ts";
import { SMALL_FILE_MAX_BYTES } from "../../lib/netdisk/messages.ts";
import type { CallHandler } from "../../lib/rpc/server.ts";
import { createDigester, digestOf, toHex } from "../../lib/transfer/digest.ts";
import { until } from "../e2e/testing.ts";
import { noise, TestServer } from "../server/testing.ts";
import { connectTo, namesIn, ScriptedServer, syncsDuring, withFolder } from "./testing.ts";

interface Stage {
  readonly client: NetdiskClient;
  readonly server: TestServer;
  /** A local folder. */
  readonly folder: string;
  /** A path in the home on the server's disk. */
  readonly home: (...path: string[]) => string;
}

async function withStage(
  test: (stage: Stage) => Promise<void>,
  quotaBytes?: number,
): Promise<void> {
  await using server = await TestServer.start();
  const token = await server.addUser("ann", quotaBytes);
  await using client = await connectTo(server, token);
  const home = (...path: string[]) => server.home("ann", ...path);
  await withFolder((folder) => test({ client, server, folder, home }));
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => work, TrivetError)).code;
}

function leftOutOf({ leftOut }: TreeResult): string[] {
  return leftOut.map(({ reason, path }) => `${reason} ${path}`);
}

const LARGE = 3 * SMALL_FILE_MAX_BYTES;

/** A tree with something of everything; returns its path. */
async function makeTree(folder: string): Promise<string> {
  const tree = join(folder, "tree");
  await Deno.mkdir(join(tree, "d", "empty-folder"), { recursive: true });
  await Deno.writeFile(join(tree, "small"), noise(100));
  await Deno.writeFile(join(tree, "at-most"), noise(SMALL_FILE_MAX_BYTES));
  await Deno.writeFile(join(tree, "d", "large"), noise(LARGE, 5));
  await Deno.writeFile(join(tree, "d", "empty"), new Uint8Array());
  await Deno.writeFile(join(tree, "d", "run"), noise(10, 9));
  if (Deno.build.os !== "windows") await Deno.chmod(join(tree, "d", "run"), 0o755);
  const paths = ["small", "at-most", "d/large", "d/empty", "d/run", "d/empty-folder", "d", "."];
  for (const [i, path] of paths.entries()) await Deno.utime(join(tree, path), 1e9 + i, 1e9 + i);
  return tree;
}

/** Everything of a tree that a transfer keeps. */
function treeOf(folder: string, below = ""): string[] {
  return namesIn(join(folder, below)).flatMap((name) => {
    const path = below === "" ? name : `${below}/${name}`;
    const { isDirectory, mtime, mode, size } = Deno.lstatSync(join(folder, path));
    const isExecutable = !isDirectory && ((mode ?? 0) & 0o100) !== 0;
    const line = `${path} ${isDirectory ? "/" : size} ${mtime?.getTime()} ${isExecutable}`;
    return [line, ...(isDirectory ? treeOf(folder, path) : [])];
  });
}

for (const durability of ["commit", "os"] as const) {
  Deno.test(`NetdiskClient.putTree() and getTree() keep a tree, durability "${durability}"`, () =>
    withStage(async ({ client, folder, home }) => {
      const tree = await makeTree(folder);
      const told: TreeProgress[] = [];
      const onProgress = (progress: TreeProgress) => told.push(progress);
      const sent = await client.putTree([tree], "/", { durability, onProgress });
      const bytes = 110 + SMALL_FILE_MAX_BYTES + LARGE;
      assertEquals(sent, { files: 5, bytes, folders: 3, skipped: 0, leftOut: [] });
      assertEquals(treeOf(home()), treeOf(folder));
      assertEquals(told.at(-1), {
        action: "finishing",
        doneBytes: bytes,
        totalBytes: bytes,
        doneFiles: 5,
        totalFiles: 5,
      });
      const down = join(folder, "down");
      const got = await client.getTree(["/tree"], down, { durability });
      assertEquals(got, sent);
      assertEquals(treeOf(down), treeOf(tree));
      assertEquals(Deno.statSync(down).mtime, Deno.statSync(tree).mtime);
      for (const path of ["small", "at-most", "d/large"]) {
        assertEquals(await Deno.readFile(join(down, path)), await Deno.readFile(join(tree, path)));
      }
    }));
}

Deno.test("NetdiskClient.getTree() waits for the disk with commit only", () =>
  withStage(async ({ client, folder }) => {
    const tree = await makeTree(folder);
    await client.putTree([tree], "/", { durability: "os" });
    const get = (name: string, durability: "os" | "commit") =>
      client.getTree(["/tree"], join(folder, name), { durability });
    assertEquals(await syncsDuring(() => get("os", "os")), 0);
    // At least the five files, and the folders that have new names in them.
    assert(await syncsDuring(() => get("commit", "commit")) >= 5 + 3);
  }));

Deno.test("NetdiskClient.putTree() makes the missing folders above its target", () =>
  withStage(async ({ client, folder, home }) => {
    const tree = await makeTree(folder);
    const small = join(tree, "small-only");
    await Deno.mkdir(small);
    await Deno.writeFile(join(small, "f"), noise(3));
    for (const [source, target] of [[small, "/a/b/c"], [tree, "/x/y/z"]] as const) {
      assertEquals((await client.putTree([source], target)).leftOut, []);
      assertEquals(treeOf(home(...target.split("/"))), treeOf(source));
    }
  }));

Deno.test("NetdiskClient.getTree() makes the missing folders above its target", () =>
  withStage(async ({ client, folder }) => {
    const tree = await makeTree(folder);
    await client.putTree([tree], "/");
    await client.getTree(["/tree"], join(folder, "a", "b"));
    assertEquals(treeOf(join(folder, "a", "b")), treeOf(tree));
    await client.getTree(["/tree"], `${join(folder, "c", "d")}/`);
    assertEquals(treeOf(join(folder, "c", "d", "tree")), treeOf(tree));
    const work = client.getTree(["/tree"], join(folder, "tree", "small", "x"));
    assert(["FAILED", "LOCAL_NOT_FOUND"].includes(await codeOf(work)));
  }));

Deno.test("NetdiskClient.putTree() tells of folders that cannot be made, empty ones too", () =>
  withStage(async ({ client, folder, home }) => {
    const tree = join(folder, "tree");
    for (const name of ["empty", "full", "large", "good"]) {
      await Deno.mkdir(join(tree, name), { recursive: true });
    }
    await Deno.writeFile(join(tree, "full", "f"), noise(3));
    await Deno.writeFile(join(tree, "large", "f"), noise(LARGE));
    await Deno.mkdir(home("tree"));
    for (const name of ["empty", "full", "large"]) {
      await Deno.writeFile(home("tree", name), noise(7));
      await Deno.utime(home("tree", name), 1e9, 1e9);
    }
    const { files, folders, leftOut } = await client.putTree([tree], "/");
    assertEquals([files, folders], [0, 1]);
    const paths = new Set(leftOut.map(({ path }) => path));
    const expected = ["empty", "full", "full/f", "large", "large/f"];
    assertEquals([...paths].sort(), expected.map((path) => join(tree, path)));
    assertEquals(leftOut.length, paths.size, "each is told once");
    for (const name of ["empty", "full", "large"]) {
      assertEquals(Deno.statSync(home("tree", name)).mtime?.getTime(), 1e12);
    }
  }));

Deno.test("NetdiskClient.getTree() leaves a file alone that has the name of a folder", () =>
  withStage(async ({ client, folder, home }) => {
    await Deno.mkdir(home("t", "d", "e"), { recursive: true });
    await Deno.writeFile(home("t", "d", "f"), noise(3));
    await Deno.writeFile(home("t", "good"), noise(3));
    const local = join(folder, "t");
    await Deno.mkdir(local);
    await Deno.writeFile(join(local, "d"), noise(7));
    await Deno.utime(join(local, "d"), 1e9, 1e9);
    const result = await client.getTree(["/t"], folder);
    assertEquals(result.files, 1);
    assertEquals(result.leftOut.map(({ path }) => path).sort(), ["/t/d", "/t/d/e", "/t/d/f"]);
    const { size, mtime } = Deno.statSync(join(local, "d"));
    assertEquals([size, mtime?.getTime()], [7, 1e12]);
  }));

Deno.test("NetdiskClient.putTree() and getTree() do with taken names what they are told", () =>
  withStage(async ({ client, folder, home }) => {
    const tree = join(folder, "t");
    await Deno.mkdir(tree);
    const files = { small: 10, large: LARGE };
    for (const [name, size] of Object.entries(files)) {
      await Deno.writeFile(join(tree, name), noise(size));
    }
    await client.putTree([tree], "/");
    const sizes = (path: string) =>
      namesIn(path).map((name) => `${name} ${Deno.statSync(join(path, name)).size}`);
    for (const [name, size] of Object.entries(files)) {
      await Deno.writeFile(join(tree, name), noise(size + 1, 2));
    }
    const skipped = await client.putTree([tree], "/", { overwrite: "skip" });
    assertEquals([skipped.files, skipped.skipped, skipped.leftOut], [0, 2, []]);
    const failed = await client.putTree([tree], "/", { overwrite: "fail" });
    assertEquals([failed.files, leftOutOf(failed).sort()], [0, [
      `EXISTS ${join(tree, "large")}`,
      `EXISTS ${join(tree, "small")}`,
    ]]);
    assertEquals(sizes(home("t")), [`large ${LARGE}`, "small 10"]);
    assertEquals((await client.putTree([tree], "/", { overwrite: "rename" })).files, 2);
    const renamed = [`large ${LARGE}`, `large (2) ${LARGE + 1}`, "small 10", "small (2) 11"];
    assertEquals(sizes(home("t")), renamed);

    const only = { exclude: ["*(2)"] };
    const down = await client.getTree(["/t"], folder, { ...only, overwrite: "skip" });
    assertEquals([down.files, down.skipped, down.leftOut], [0, 2, []]);
    const refused = await client.getTree(["/t"], folder, { ...only, overwrite: "fail" });
    assertEquals(leftOutOf(refused).sort(), ["EXISTS /t/large", "EXISTS /t/small"]);
    assertEquals((await client.getTree(["/t"], folder, { ...only, overwrite: "rename" })).files, 2);
    assertEquals(sizes(tree), [
      `large ${LARGE + 1}`,
      `large (2) ${LARGE}`,
      "small 11",
      "small (2) 10",
    ]);
    await client.getTree(["/t"], folder, only);
    assertEquals(sizes(tree)[0], `large ${LARGE}`);
  }));

Deno.test("putTree() and getTree() with dryRun say what they would do and do nothing", () =>
  withStage(async ({ client, folder, home }) => {
    const tree = await makeTree(folder);
    const plans: string[] = [];
    const onPlan = (plan: readonly { from: string; to: string }[]) =>
      plans.push(...plan.map(({ from, to }) => `${from} -> ${to}`));
    const options = { dryRun: true, onPlan, exclude: ["d"] };
    const none = { skipped: 0, leftOut: [] };
    const counted = { ...none, files: 2, bytes: 65536 + 100, folders: 1 };
    assertEquals(await client.putTree([tree], "/new/", options), counted);
    assertEquals(plans.splice(0), [
      `${tree} -> /new/tree`,
      `${join(tree, "at-most")} -> /new/tree/at-most`,
      `${join(tree, "small")} -> /new/tree/small`,
    ]);
    assertEquals(namesIn(home()), []);
    await Deno.writeFile(home("f"), noise(3));
    assertEquals(await client.getTree(["/f"], folder, options), {
      ...none,
      files: 1,
      bytes: 3,
      folders: 0,
    });
    assertEquals(plans, [`/f -> ${join(folder, "f")}`]);
    assertEquals(namesIn(folder), ["tree"]);
  }));

Deno.test("putTree() and getTree() see what changed after the plan", () =>
  withStage(async ({ client, folder, home }) => {
    const tree = await makeTree(folder);
    const touch = () => Deno.writeFileSync(join(tree, "small"), noise(101));
    const sent = await client.putTree([tree], "/", { onPlan: touch });
    assertEquals(leftOutOf(sent), [`CHANGED ${join(tree, "small")}`]);
    assertEquals(sent.files, 4);
    assertEquals(namesIn(home("tree")), ["at-most", "d"]);
    const grow = () => {
      Deno.writeFileSync(home("tree", "at-most"), noise(LARGE, 3));
      Deno.removeSync(home("tree", "d", "run"));
    };
    const got = await client.getTree(["/tree"], join(folder, "down"), { onPlan: grow });
    assertEquals(leftOutOf(got), ["NOT_FOUND /tree/d/run"]);
    assertEquals(await Deno.readFile(join(folder, "down", "at-most")), noise(LARGE, 3));
  }));

Deno.test("putTree() beyond the quota fails, keeps what is there whole, and goes on later", () =>
  withStage(async ({ client, folder, home }) => {
    const tree = join(folder, "t");
    await Deno.mkdir(tree);
    for (let i = 0; i < 30; i++) {
      await Deno.writeFile(join(tree, `f${i}`), noise(SMALL_FILE_MAX_BYTES, i + 1));
    }
    await Deno.writeFile(join(tree, "large"), noise(LARGE, 77));
    assertEquals(await codeOf(client.putTree([tree], "/")), "QUOTA_EXCEEDED");
    // What was given up may still be worked off by the server.
    await until(async () => {
      let sum = 0;
      for (const name of namesIn(home("t"))) sum += Deno.statSync(home("t", name)).size;
      const { usedBytes, partialBytes } = await client.df();
      return usedBytes - partialBytes === sum;
    }, "the account to be what is there");
    for (const name of namesIn(home("t"))) {
      assertEquals(await Deno.readFile(home("t", name)), await Deno.readFile(join(tree, name)));
    }
    // Room for one file is enough to send those again that are there.
    const [first = "", ...others] = namesIn(home("t"));
    await client.rm(`/t/${first}`);
    await client.emptyTrash();
    for (const name of namesIn(tree)) {
      if (!others.slice(0, 5).includes(name)) await Deno.remove(join(tree, name));
      else await Deno.writeFile(join(tree, name), noise(SMALL_FILE_MAX_BYTES, 99));
    }
    const again = await client.putTree([tree], "/");
    assertEquals([again.files, again.leftOut], [5, []]);
    assertEquals(await Deno.readFile(home("t", others[4] ?? "")), noise(SMALL_FILE_MAX_BYTES, 99));
  }, 20 * SMALL_FILE_MAX_BYTES));

/** A client whose server says what a test says. */
async function withScript(
  handle: CallHandler,
  test: (connections: Connections, folder: string, server: ScriptedServer) => Promise<void>,
): Promise<void> {
  await using server = new ScriptedServer(handle);
  await using connections = new Connections(
    server.connect(),
    () => Promise.resolve(server.connect()),
  );
  await withFolder((folder) => test(connections, folder, server));
}

function planned(remote: string[], local: string, change = {}): PlannedDownload {
  const entry = { name: remote.at(-1) ?? "", type: "file", size: 3, mtimeMs: 0, mode: 0o644 };
  return { remote, local, entry: { ...entry, ...change } as PlannedDownload["entry"] };
}

Deno.test("getTree() takes no name that leads out of its folder", async () => {
  const digest = toHex(digestOf(await createDigester(), noise(3)));
  const handle: CallHandler = () =>
    Promise.resolve({
      head: { files: [{ size: 3, mtimeMs: 0, mode: 0o644, digest }] },
      body: noise(3),
    });
  await withScript(handle, async (connections, folder, server) => {
    const root = join(folder, "root");
    await Deno.mkdir(root);
    const folderOf = { type: "folder", size: 0 };
    const plan = [
      planned(["t", "../evil"], `${root}/../evil`),
      planned(["t", ".."], `${root}/..`, folderOf),
      planned(["t", "..", "evil"], `${root}/../evil`),
      planned(["t", "../new"], `${root}/../new`, folderOf),
      planned(["t", "a\\b"], `${root}/a\\b`),
      planned(["t", "good"], `${root}/good`),
    ];
    const before = Deno.statSync(folder).mtime;
    const result = await getTree(connections, plan, { server: "test" });
    assertEquals(leftOutOf(result).map((text) => text.split(" ")[0]).sort(), [
      "PATH_DOT",
      "PATH_DOT",
      "PATH_SEPARATOR",
      "PATH_SEPARATOR",
      "PATH_SEPARATOR",
    ]);
    assertEquals([namesIn(folder), namesIn(root)], [["root"], ["good"]]);
    assertEquals(Deno.statSync(folder).mtime, before);
    assertEquals(server.methods, ["get.files"]);
  });
});

Deno.test("getTree() asks again for what arrived damaged, and not for ever", async () => {
  const digest = toHex(digestOf(await createDigester(), noise(3)));
  for (const [damagedTimes, code] of [[2, null], [3, "DIGEST_MISMATCH"]] as const) {
    let times = 0;
    const handle: CallHandler = () => {
      times += 1;
      const body = times <= damagedTimes ? noise(3, 2) : noise(3);
      const files = [{ size: 3, mtimeMs: 0, mode: 0o644, digest }];
      return Promise.resolve({ head: { files }, body });
    };
    await withScript(handle, async (connections, folder) => {
      const plan = [planned(["f"], join(folder, "f"))];
      const work = getTree(connections, plan, { server: "test" });
      if (code === null) assertEquals((await work).files, 1);
      else assertEquals(await codeOf(work), code);
      assertEquals(namesIn(folder), code === null ? ["f"] : []);
      assertEquals(times, 3);
    });
  }
});

Deno.test("putTree() ends what is under way when something concerns all files", async () => {
  const opened = Promise.withResolvers<void>();
  const never = Promise.withResolvers<void>();
  const handle: CallHandler = async (call) => {
    if (call.method === "put.open") {
      opened.resolve();
      await never.promise;
    }
    if (call.method === "put.folders") return { head: { created: 1, failed: [] } };
    await opened.promise;
    throw new TrivetError("QUOTA_EXCEEDED", "No room");
  };
  await withScript(handle, async (connections, folder) => {
    await Deno.mkdir(join(folder, "t"));
    await Deno.writeFile(join(folder, "t", "small"), noise(3));
    await Deno.writeFile(join(folder, "t", "large"), noise(LARGE));
    const plan = await planUpload([join(folder, "t")], {
      target: [],
      isInside: true,
      recursive: true,
    });
    assertEquals(await codeOf(putTree(connections, plan, {})), "QUOTA_EXCEEDED");
    never.resolve();
  });
});

Deno.test("putTree() and getTree() end with the signal", () =>
  withStage(async ({ client, folder, home }) => {
    const tree = await makeTree(folder);
    await Deno.writeFile(home("f"), noise(3));
    const stopped = () => {
      const controller = new AbortController();
      const onPlan = () => controller.abort(new TrivetError("INTERRUPTED", "Stop"));
      return { signal: controller.signal, onPlan };
    };
    assertEquals(await codeOf(client.putTree([tree], "/", stopped())), "INTERRUPTED");
    assertEquals(await codeOf(client.getTree(["/f"], folder, stopped())), "INTERRUPTED");
    assertEquals(namesIn(folder), ["tree"]);
    assertEquals(namesIn(home()), ["f"]);
  }));

Deno.test("inParallel() runs so many at a time and begins nothing after a failure", async () => {
  let running = 0;
  let most = 0;
  const begun: number[] = [];
  const work = async (item: number) => {
    begun.push(item);
    most = Math.max(most, ++running);
    await Promise.resolve();
    running -= 1;
    if (item === 4) throw new TrivetError("DISK_FULL", "Full");
  };
  const ending = new AbortController();
  const items = Array.from({ length: 100 }, (_, i) => i);
  assertEquals(await codeOf(inParallel(items, { lanes: 3, ending }, work)), "DISK_FULL");
  assert(ending.signal.aborted);
  assertEquals([most, running], [3, 0]);
  assert(begun.length < 10, `${begun.length}`);
});
