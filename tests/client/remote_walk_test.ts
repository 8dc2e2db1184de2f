import { assert, assertEquals, assertRejects } from "@std/assert";
import type { ListPage, NetdiskEntry } from "../../client/netdisk_types.ts";
import {
  type PageReader,
  type RemoteItem,
  type RemoteWalkOptions,
  walkRemote,
} from "../../client/remote_walk.ts";
import { TrivetError } from "../../lib/errors.ts";
import { formatPath, parsePath } from "../../lib/netdisk/path.ts";

const none = { permissions: "none" } as const;

/** A tree: folders are objects, files anything else. */
interface Tree {
  readonly [name: string]: Tree | null;
}

/** Serves a tree in pages of two entries, each answered when the test says so or at once. */
class TreeReader implements PageReader {
  readonly asked: string[] = [];
  inFlightMax = 0;
  signal: AbortSignal | undefined;
  #inFlight = 0;
  readonly #tree: Tree;
  readonly #gate: () => Promise<void>;

  constructor(tree: Tree, gate: () => Promise<void> = () => Promise.resolve()) {
    this.#tree = tree;
    this.#gate = gate;
  }

  async listPage(
    path: string,
    { after = "", signal }: { after?: string | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<ListPage> {
    this.asked.push(after === "" ? path : `${path} after ${after}`);
    this.signal = signal;
    this.inFlightMax = Math.max(this.inFlightMax, ++this.#inFlight);
    await this.#gate();
    this.#inFlight--;
    let node: Tree | null | undefined = this.#tree;
    for (const name of parsePath(path)) node = node?.[name];
    if (node === undefined) throw new TrivetError("NOT_FOUND", "Gone");
    const entry = entryOf(parsePath(path).at(-1) ?? "", node);
    if (node === null) return { entry, entries: [entry], more: false };
    const names = Object.keys(node).sort().filter((name) => name > after);
    const children = node;
    const entries = names.slice(0, 2).map((name) => entryOf(name, children[name] ?? null));
    return { entry, entries, more: names.length > 2 };
  }
}

function entryOf(name: string, node: Tree | null): NetdiskEntry {
  return { name, type: node === null ? "file" : "folder", size: 0, mtimeMs: 0, mode: 0 };
}

const TREE: Tree = {
  a: { x: null, y: { deep: null }, z: null },
  b: {},
  "b.txt": null,
  c: { one: {}, two: null },
};

const ALL = [
  ...["/a", "/a/x", "/a/y", "/a/y/deep", "/a/z", "/b", "/b.txt", "/c", "/c/one", "/c/two"],
];

async function walk(reader: PageReader, root = "/", options: RemoteWalkOptions = {}) {
  const paths: string[] = [];
  for await (const { path } of walkRemote(reader, parsePath(root), options)) {
    paths.push(formatPath(path));
  }
  return paths;
}

Deno.test(
  "walkRemote() yields siblings by name, and folders before what is in them",
  none,
  async () => {
    const reader = new TreeReader(TREE);
    assertEquals(await walk(reader), ALL);
    assertEquals(reader.asked.toSorted(), [...new Set(reader.asked)].sort());
    assertEquals(await walk(new TreeReader(TREE), "/a"), ["/a/x", "/a/y", "/a/y/deep", "/a/z"]);
  },
);

Deno.test("walkRemote() goes as deep and where it is told", none, async () => {
  const from = (options: RemoteWalkOptions, reader = new TreeReader(TREE)) =>
    walk(reader, "/", options);
  const first = ["/a", "/b", "/b.txt", "/c"];
  assertEquals(await from({ depth: 1 }), first);
  assertEquals(await from({ depth: 2 }), ALL.filter((path) => path !== "/a/y/deep"));
  assertEquals(await from({ enters: () => false }), first);
  const isNotA = ({ entry }: RemoteItem) => entry.name !== "a";
  assertEquals(await from({ accepts: isNotA }), ALL.filter((path) => !path.startsWith("/a")));
  const reader = new TreeReader(TREE);
  await from({ accepts: isNotA }, reader);
  assert(!reader.asked.includes("/a"));
});

Deno.test(
  "walkRemote() asks for several folders at a time, but not for too many",
  none,
  async () => {
    const tree = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`d${i + 100}`, { f: null }]),
    );
    const waiting: (() => void)[] = [];
    const flush = () => waiting.splice(0).forEach((go) => go());
    const reader = new TreeReader(tree, () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push(resolve);
      // All that were asked for in this turn are answered in the next.
      if (waiting.length === 1) setTimeout(flush, 0);
      return promise;
    });
    assertEquals((await walk(reader)).length, 200);
    assert(reader.inFlightMax > 2 && reader.inFlightMax <= 9, String(reader.inFlightMax));
  },
);

Deno.test("walkRemote() leaves out a folder that goes away meanwhile", none, async () => {
  const tree = structuredClone(TREE) as Record<string, Tree | null>;
  const reader = new TreeReader(tree);
  const paths: string[] = [];
  for await (const { path } of walkRemote(reader, [], { enters: () => true })) {
    if (paths.length === 0) delete tree.c;
    paths.push(formatPath(path));
  }
  assertEquals(paths.filter((path) => path.startsWith("/c/")), []);
  const gone = await assertRejects(() => walk(reader, "/c"), TrivetError);
  assertEquals(gone.code, "NOT_FOUND");
  const file = await assertRejects(() => walk(reader, "/b.txt"), TrivetError);
  assertEquals(file.code, "NOT_FOLDER");
});

Deno.test("walkRemote() gives up what it asked for when the caller stops", none, async () => {
  const reader = new TreeReader(TREE);
  for await (const _ of walkRemote(reader, [])) break;
  assertEquals(reader.signal?.aborted, true);
});
