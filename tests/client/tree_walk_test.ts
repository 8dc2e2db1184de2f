import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "node:path";
import { readExcludes } from "../../client/tree/exclude.ts";
import type { LeftOut } from "../../client/tree/left_out.ts";
import { type LocalWalkOptions, walkLocal } from "../../client/tree/local_walk.ts";
import { pagesOf, PATHS_MAX_CHARS } from "../../client/tree/pages.ts";
import { isLocalFolder, planDownload, planUpload } from "../../client/tree/plan.ts";
import { GrowingList } from "../../client/tree/growing.ts";
import { packSmallFiles } from "../../client/tree/small_files.ts";
import type { EntryReader } from "../../client/remote_glob.ts";
import type { NetdiskEntry } from "../../client/netdisk_types.ts";
import { TrivetError } from "../../lib/errors.ts";
import {
  BATCH_BYTES_MAX,
  BATCH_ITEMS_MAX,
  SMALL_FILE_MAX_BYTES,
} from "../../lib/netdisk/messages.ts";
import { createDigester, digestOf, toHex } from "../../lib/transfer/digest.ts";
import { withFolder } from "./testing.ts";

/** Windows has neither such links nor such files. */
function testUnix(name: string, test: (folder: string) => Promise<void>): void {
  Deno.test({ name, ignore: Deno.build.os === "windows", fn: () => withFolder(test) });
}

/** Makes files, given as path and content; a path that ends with a slash is a folder's. */
async function make(folder: string, files: Record<string, string>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const isFolder = path.endsWith("/");
    const parent = isFolder ? path : path.split("/").slice(0, -1).join("/");
    await Deno.mkdir(join(folder, parent), { recursive: true });
    if (!isFolder) await Deno.writeTextFile(join(folder, path), content);
  }
}

/** What a walk came by, folders with a slash, and what it left out. */
function walked(root: string, options: LocalWalkOptions = {}) {
  const leftOut: LeftOut[] = [];
  const entries = [...walkLocal(root, { ...options, onLeftOut: (left) => leftOut.push(left) })];
  const paths = entries.map(({ path, type }) => path.join("/") + (type === "folder" ? "/" : ""));
  return { entries, paths, leftOut: leftOut.map(({ reason, path }) => `${reason} ${path}`) };
}

Deno.test("walkLocal() yields folders before what is in them, names in order", () =>
  withFolder(async (folder) => {
    await make(folder, { "b/y": "12345", "b/x/": "", "a": "1", "\u00e9": "", "Z": "" });
    await Deno.utime(join(folder, "a"), 1000, 1000);
    const { entries, paths, leftOut } = walked(folder);
    assertEquals(paths, ["/", "Z", "a", "b/", "b/x/", "b/y", "\u00e9"]);
    assertEquals(leftOut, []);
    const [, , a] = entries;
    assertEquals([a?.size, a?.mtimeMs, a?.local], [1, 1_000_000, join(folder, "a")]);
    assertEquals(walked(join(folder, "a")).paths, [""]);
    const missing = assertThrows(() => walked(join(folder, "none")), TrivetError);
    assertEquals(missing.code, "LOCAL_NOT_FOUND");
  }));

testUnix("walkLocal() leaves links out, or follows them", async (folder) => {
  await make(folder, { "tree/d/f": "123", "outside/g": "1" });
  const tree = join(folder, "tree");
  await Deno.symlink(join(folder, "outside"), join(tree, "folder-link"));
  await Deno.symlink(join(folder, "outside", "g"), join(tree, "file-link"));
  await Deno.symlink("nowhere", join(tree, "dangling"));
  const skipped = walked(tree);
  assertEquals(skipped.paths, ["/", "d/", "d/f"]);
  const links = ["dangling", "file-link", "folder-link"];
  assertEquals(skipped.leftOut, links.map((name) => `link ${join(tree, name)}`));
  const followed = walked(tree, { links: "follow" });
  assertEquals(followed.paths, ["/", "d/", "d/f", "file-link", "folder-link/", "folder-link/g"]);
  assertEquals(followed.leftOut, [`LOCAL_NOT_FOUND ${join(tree, "dangling")}`]);
  // What was named is followed in both cases.
  await Deno.symlink(tree, join(folder, "named"));
  assertEquals(walked(join(folder, "named")).paths, ["/", "d/", "d/f"]);
});

testUnix("walkLocal() follows no link to a folder that it is in", async (folder) => {
  await make(folder, { "a/b/f": "1" });
  const links = [["a/up", ".."], ["a/b/here", "."], ["a/b/there", "."], ["a/b/to-a", "../../a"]];
  for (const [path = "", target = ""] of links) await Deno.symlink(target, join(folder, path));
  const { paths, leftOut } = walked(folder, { links: "follow" });
  assertEquals(paths, ["/", "a/", "a/b/", "a/b/f"]);
  const found = ["a/b/here", "a/b/there", "a/b/to-a", "a/up"];
  assertEquals(leftOut, found.map((path) => `link ${join(folder, path)}`));
  await Deno.symlink("loop", join(folder, "loop"));
  const { leftOut: broken } = walked(folder, { links: "follow" });
  assertEquals(broken.filter((text) => !text.startsWith("link ")).length, 1);
  // Two ways to one folder are no loop.
  await make(folder, { "x/f": "1" });
  await Deno.symlink("x", join(folder, "y"));
  assert(walked(folder, { links: "follow" }).paths.includes("y/f"));
});

testUnix("walkLocal() leaves out sockets and pipes, with a word", async (folder) => {
  const { success } = await new Deno.Command("mkfifo", { args: [join(folder, "pipe")] }).output();
  assert(success);
  using _socket = Deno.listen({ transport: "unix", path: join(folder, "socket") });
  const { paths, leftOut } = walked(folder);
  assertEquals(paths, ["/"]);
  const names = ["pipe", "socket"];
  assertEquals(leftOut, names.map((name) => `special ${join(folder, name)}`));
  const error = assertThrows(() => walked(join(folder, "pipe")), TrivetError);
  assertEquals(error.code, "NOT_REGULAR");
});

testUnix("walkLocal() leaves out names that no path can hold", async (folder) => {
  await make(folder, { "good": "1", "a\nb": "2", "back\\slash": "3" });
  const { paths, leftOut } = walked(folder);
  assertEquals(paths, ["/", "good"]);
  assertEquals(leftOut.map((text) => text.split(" ")[0]), ["PATH_CONTROL", "PATH_SEPARATOR"]);
});

Deno.test({
  name: "walkLocal() leaves out a folder that it may not read",
  // Root may read everything.
  ignore: Deno.build.os === "windows" || Deno.uid() === 0,
  fn: () =>
    withFolder(async (folder) => {
      await make(folder, { "closed/f": "1", "good": "2" });
      await Deno.chmod(join(folder, "closed"), 0);
      try {
        const { paths, leftOut } = walked(folder);
        assertEquals(paths, ["/", "closed/", "good"]);
        assertEquals(leftOut, [`LOCAL_DENIED ${join(folder, "closed")}`]);
      } finally {
        await Deno.chmod(join(folder, "closed"), 0o700);
      }
    }),
});

Deno.test("readExcludes() takes names anywhere and paths from the root", () =>
  withFolder(async (folder) => {
    assertEquals(readExcludes([]), undefined);
    const files = { "a.log": "", ".git/x": "", "d/a.log": "", "d/.git/y": "", "d/keep": "" };
    await make(folder, { ...files, "build/out": "", "d/build/out": "", "d/.hidden": "" });
    const left = (...patterns: string[]) =>
      walked(folder, { isExcluded: readExcludes(patterns) }).paths.filter((path) =>
        !path.endsWith("/")
      );
    assertEquals(left("*.log", ".git"), ["build/out", "d/.hidden", "d/build/out", "d/keep"]);
    assertEquals(left("/build", "d/keep", "*.log", ".git/"), ["d/.hidden", "d/build/out"]);
    assertEquals(left("build/*", "**/.*", "*.log"), ["d/build/out", "d/keep"]);
    const error = assertThrows(() => readExcludes(["x".repeat(4097)]), TrivetError);
    assertEquals(error.code, "USAGE");
  }));

async function uploads(sources: string[], options: Partial<Parameters<typeof planUpload>[1]> = {}) {
  const plan = await planUpload(sources, {
    target: ["t"],
    isInside: true,
    recursive: true,
    ...options,
  });
  return plan.map(({ target }) => target.join("/"));
}

Deno.test("planUpload() puts sources into a target under their names, or makes them it", () =>
  withFolder(async (folder) => {
    await make(folder, { "a/f": "1", "b/f": "2", "c/a/f": "3", "file": "4" });
    const path = (name: string) => join(folder, name);
    assertEquals(await uploads([path("a")]), ["t/a", "t/a/f"]);
    assertEquals(await uploads([`${path("a")}/`]), ["t/a", "t/a/f"]);
    assertEquals(await uploads([`${path("a")}/.`]), ["t", "t/f"]);
    assertEquals(await uploads([`${path("a")}/.`], { target: [] }), ["f"]);
    assertEquals(await uploads([path("a")], { isInside: false }), ["t", "t/f"]);
    const several = [path("a"), path("b"), path("file")];
    assertEquals(await uploads(several), ["t/a", "t/a/f", "t/b", "t/b/f", "t/file"]);
    const codeOf = async (work: Promise<unknown>) =>
      (await assertRejects(() => work, TrivetError)).code;
    assertEquals(await codeOf(uploads([path("a"), `${path("c")}/a`])), "USAGE");
    assertEquals(await codeOf(uploads([path("a")], { recursive: false })), "IS_FOLDER");
    assertEquals(await uploads([path("file")], { recursive: false }), ["t/file"]);
    const signal = AbortSignal.abort(new TrivetError("INTERRUPTED", "Stop"));
    const target: string[] = [];
    assertEquals(await codeOf(uploads([`${path("a")}/.`], { signal, target })), "INTERRUPTED");
  }));

/** A server that holds what a test says; a path that ends with a slash is a folder's. */
function serverWith(paths: readonly string[]): EntryReader {
  const entryOf = (name: string, type: "file" | "folder"): NetdiskEntry => ({
    name,
    type,
    size: 1,
    mtimeMs: 0,
    mode: 0o644,
  });
  return {
    stat: (path) => Promise.resolve(entryOf(path, "folder")),
    listPage: (folder) => {
      const entries = paths.flatMap((path) => {
        const isFolder = path.endsWith("/");
        const plain = isFolder ? path.slice(0, -1) : path;
        const at = plain.lastIndexOf("/");
        if ((plain.slice(0, at) || "/") !== folder) return [];
        return [entryOf(plain.slice(at + 1), isFolder ? "folder" : "file")];
      });
      return Promise.resolve({ entry: entryOf("", "folder"), entries, more: false });
    },
  };
}

Deno.test("planDownload() puts sources into a folder under their names, or makes them it", async () => {
  const reader = serverWith(["/a/", "/a/b/", "/a/b/f", "/a/g", "/h"]);
  const folder = { name: "a", type: "folder", size: 0, mtimeMs: 0, mode: 0o755 } as const;
  const options = { local: "t", isInside: true, recursive: true };
  const a = { path: ["a"], entry: folder };
  const locals = async (sources: Parameters<typeof planDownload>[1], change = {}) =>
    (await planDownload(reader, sources, { ...options, ...change })).map(({ local }) => local);
  const under = (...paths: string[]) => paths.map((path) => join("t", path));
  assertEquals(await locals([a]), under("a", "a/b", "a/b/f", "a/g"));
  assertEquals(await locals([a], { isInside: false }), ["t", ...under("b", "b/f", "g")]);
  assertEquals(await locals([a], { local: "." }), ["a", "a/b", "a/b/f", "a/g"].map((p) => join(p)));
  assertEquals(await locals([{ path: [], entry: folder }]), under("a", "a/b", "a/b/f", "a/g", "h"));
  const isExcluded = readExcludes(["b"]);
  assertEquals(await locals([a], { isExcluded }), under("a", "a/g"));
  const codeOf = async (work: Promise<unknown>) =>
    (await assertRejects(() => work, TrivetError)).code;
  assertEquals(await codeOf(locals([a], { recursive: false })), "IS_FOLDER");
  const file = { ...folder, type: "file" } as const;
  const twice = [{ path: ["x", "f"], entry: file }, { path: ["y", "f"], entry: file }];
  assertEquals(await codeOf(locals(twice)), "USAGE");
});

Deno.test("isLocalFolder() knows folders by their end or by what is there", () =>
  withFolder(async (folder) => {
    await make(folder, { file: "1" });
    assertEquals(await isLocalFolder(folder), true);
    assertEquals(await isLocalFolder(join(folder, "none")), false);
    assertEquals(await isLocalFolder(`${join(folder, "none")}/`), true);
    assertEquals(await isLocalFolder(join(folder, "file")), false);
  }));

async function packed(folder: string, change: () => Promise<void> = () => Promise.resolve()) {
  const plan = await planUpload([`${folder}/.`], { target: [], isInside: true, recursive: true });
  await change();
  const leftOut: LeftOut[] = [];
  const folders = new Set(
    plan.filter(({ entry }) => entry.type === "folder").map(({ target }) => target.join("/")),
  );
  const files = plan.filter(({ entry }) => entry.type === "file");
  const batches = await Array.fromAsync(packSmallFiles(GrowingList.of(files), {
    isNewFolder: (path) => folders.has(path.join("/")),
    onLeftOut: (left) => leftOut.push(left),
  }));
  return { batches, leftOut: leftOut.map(({ reason, path }) => `${reason} ${path}`) };
}

Deno.test("packSmallFiles() sends content, time and folders of each file", () =>
  withFolder(async (folder) => {
    await make(folder, { "a/b/f": "12345", "a/empty": "", "g": "6" });
    const { batches, leftOut } = await packed(folder);
    assertEquals(leftOut, []);
    const [batch] = batches;
    assert(batch !== undefined && batches.length === 1);
    assertEquals(new TextDecoder().decode(batch.body), "123456");
    assertEquals(batch.head.map(({ path }) => path.join("/")), ["a/b/f", "a/empty", "g"]);
    assertEquals(batch.folders.map((path) => path.join("/")).sort(), ["a", "a/b"]);
    const digest = toHex(digestOf(await createDigester(), new TextEncoder().encode("12345")));
    assertEquals(batch.head[0]?.digest, digest);
    assertEquals(batch.head[0]?.mtimeMs, Deno.statSync(join(folder, "a/b/f")).mtime?.getTime());
  }));

Deno.test("packSmallFiles() keeps the files of a new folder together where one request holds them", () =>
  withFolder(async (folder) => {
    const full = "x".repeat(SMALL_FILE_MAX_BYTES);
    const room = BATCH_BYTES_MAX / SMALL_FILE_MAX_BYTES;
    const filesIn = (name: string, count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`${name}/f${at}`, full]));
    await make(folder, {
      ...filesIn("a", 1),
      ...filesIn("b", room),
      ...filesIn("c", 1),
      ...filesIn("d", room + 1),
      ...filesIn("e", room - 2),
    });
    const { batches } = await packed(folder);
    const foldersOf = ({ head }: typeof batches[number]) =>
      head.map(({ path }) => path[0]).join("");
    const of = (name: string, count: number) => name.repeat(count);
    assertEquals(batches.map(foldersOf), [
      "a",
      of("b", room),
      // Too much for one request: it fills up what has begun.
      "c" + of("d", room - 1),
      of("d", 2) + of("e", room - 2),
    ]);
  }));

Deno.test("packSmallFiles() takes the memory of a request that is over", () =>
  withFolder(async (folder) => {
    await make(folder, { a: "1", b: "2", c: "3" });
    const entries = [...walkLocal(folder)].filter(({ type }) => type === "file");
    const files = entries.map((entry, at) => ({ entry, target: [`${at}${"n".repeat(200)}`] }));
    const wide = files.flatMap((file) =>
      Array.from({ length: BATCH_ITEMS_MAX }, (_, at) => ({
        ...file,
        target: [...file.target, `${at}`],
      }))
    );
    const buffers: ArrayBufferLike[] = [];
    const options = { isNewFolder: () => false, onLeftOut: () => {} };
    for await (const batch of packSmallFiles(GrowingList.of(wide), options)) {
      buffers.push(batch.body.buffer);
      batch.release();
    }
    assertEquals([buffers.length, new Set(buffers).size], [3, 1]);
  }));

Deno.test("packSmallFiles() leaves out what changed since it was walked to", () =>
  withFolder(async (folder) => {
    await make(folder, {
      grew: "1",
      shrank: "22",
      touched: "3",
      gone: "4",
      folder: "5",
      good: "6",
    });
    const { batches, leftOut } = await packed(folder, async () => {
      await Deno.writeFile(join(folder, "grew"), new Uint8Array(BATCH_BYTES_MAX + 1));
      await Deno.writeTextFile(join(folder, "shrank"), "2");
      await Deno.utime(join(folder, "touched"), 1000, 1000);
      await Deno.remove(join(folder, "gone"));
      await Deno.remove(join(folder, "folder"));
      await Deno.mkdir(join(folder, "folder"));
    });
    assertEquals(batches.map(({ files }) => files.map(({ target }) => target[0])), [["good"]]);
    assertEquals(new TextDecoder().decode(batches[0]?.body), "6");
    assertEquals(leftOut.map((text) => text.split("/").at(-1)), [
      "folder",
      "gone",
      "grew",
      "shrank",
      "touched",
    ]);
    const reasons = leftOut.map((text) => text.split(" ")[0]);
    assertEquals(reasons.slice(1), ["LOCAL_NOT_FOUND", "CHANGED", "CHANGED", "CHANGED"]);
  }));

Deno.test("packSmallFiles() fills requests to their limits and no further", () =>
  withFolder(async (folder) => {
    const full = BATCH_BYTES_MAX / SMALL_FILE_MAX_BYTES;
    for (let i = 0; i < full + 1; i++) {
      await Deno.writeFile(join(folder, `large-${i}`), new Uint8Array(SMALL_FILE_MAX_BYTES));
    }
    const large = (await packed(folder)).batches.map(({ files }) => files.length);
    assertEquals(large, [full, 1]);
    for (const { name } of Deno.readDirSync(folder)) await Deno.remove(join(folder, name));
    for (let i = 0; i < BATCH_ITEMS_MAX + 1; i++) {
      await Deno.create(join(folder, `small-${i}`))
        .then((file) => file.close());
    }
    const small = (await packed(folder)).batches.map(({ files }) => files.length);
    assertEquals(small, [BATCH_ITEMS_MAX, 1]);
  }));

Deno.test("pagesOf() cuts at the limits for items, bytes and characters", () => {
  const sizes = (count: number, bytes: number, name: string) =>
    [...pagesOf(Array.from({ length: count }, () => name), (item) => ({ path: [item], bytes }))]
      .map((page) => page.length);
  assertEquals(sizes(0, 0, "x"), []);
  assertEquals(sizes(BATCH_ITEMS_MAX, 0, "x"), [BATCH_ITEMS_MAX]);
  assertEquals(sizes(BATCH_ITEMS_MAX + 1, 0, "x"), [BATCH_ITEMS_MAX, 1]);
  assertEquals(sizes(3, BATCH_BYTES_MAX / 2, "x"), [2, 1]);
  assertEquals(sizes(2, BATCH_BYTES_MAX + 1, "x"), [1, 1]);
  assertEquals(sizes(3, 0, "x".repeat(PATHS_MAX_CHARS / 2 - 1)), [2, 1]);
  assertEquals(sizes(2, 0, "x".repeat(PATHS_MAX_CHARS / 2)), [1, 1]);
});

Deno.test("pagesOf() keeps a group together where one page holds it", () => {
  const sizes = (...groups: (readonly [name: string, count: number])[]) => {
    const items = groups.flatMap(([group, count]) => Array.from({ length: count }, () => group));
    return [...pagesOf(items, (group) => ({ path: [group], group }))].map((page) => page.length);
  };
  assertEquals(sizes(["a", 1], ["b", BATCH_ITEMS_MAX - 1]), [BATCH_ITEMS_MAX]);
  assertEquals(sizes(["a", 1], ["b", BATCH_ITEMS_MAX]), [1, BATCH_ITEMS_MAX]);
  // Too much for one page: it fills up what has begun.
  assertEquals(sizes(["a", 1], ["b", BATCH_ITEMS_MAX + 1]), [BATCH_ITEMS_MAX, 2]);
  assertEquals(sizes(["a", 1], ["b", 1], ["a", 1]), [3]);
});
