import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { NetdiskClient } from "../../client/netdisk.ts";
import { onSteadyPort } from "../testing/steady_port.ts";
import { addUser } from "./accounts.ts";
import { World, writeNoise } from "./testing.ts";

/**
 * From the start of the operations to the server's end, one round each, in parts of the time that their
 * preparation took: how much a machine does in a while, only that tells.
 */
const KILLS_AFTER = [0, 0.01, 0.03, 0.08];

/** Files of the tree that operations work on; several requests' worth. */
const TREE_FILES = 420;

/** What an operation works with. */
interface Stage {
  readonly client: NetdiskClient;
  /** The account's home on the server's disk. */
  readonly home: string;
  /** A local tree, the same on the server as `/tree` where `prepare` puts it there. */
  readonly local: string;
  /** Gives up when the server is dead, so that nothing is tried again. */
  readonly signal: AbortSignal;
}

/** One operation that a server may die in. */
interface Crash {
  /** What is there before. */
  prepare(stage: Stage): Promise<unknown>;
  /** What is under way when the server dies. */
  run(stage: Stage): Promise<unknown>;
  /** Fails unless each name is old or new. */
  check(stage: Stage): Promise<void>;
}

/** Paths and contents of all files below a folder; none where there is no folder. */
function filesOf(folder: string, below = ""): Map<string, string> {
  const files = new Map<string, string>();
  let entries: Deno.DirEntry[];
  try {
    entries = Array.from(Deno.readDirSync(join(folder, below)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return files;
    throw error;
  }
  for (const { name, isDirectory } of entries) {
    const path = join(below, name);
    if (isDirectory) {
      for (const [inner, content] of filesOf(folder, path)) files.set(inner, content);
    } else files.set(path, Deno.readTextFileSync(join(folder, path)));
  }
  return files;
}

/** Fails unless what is there of a tree is as it should be; how much of it is there. */
function assertWhole(folder: string, local: string): number {
  const expected = filesOf(local);
  const found = filesOf(folder);
  for (const [path, content] of found) assertEquals(content, expected.get(path), path);
  return found.size;
}

function assertAllOrNothing(folder: string, local: string): boolean {
  const count = assertWhole(folder, local);
  assert(count === 0 || count === TREE_FILES, `${count} files in ${folder}`);
  return count > 0;
}

const putTree = ({ client, local }: Stage) => client.putTree([local], "/");
const trashOf = ({ client }: Stage) => Array.fromAsync(client.trash());

const CRASHES: Readonly<Record<string, Crash>> = {
  "rm -r": {
    prepare: putTree,
    run: ({ client, signal }) => client.rm("/tree", { recursive: true, signal }),
    check: async (stage) => {
      const isThere = assertAllOrNothing(join(stage.home, "tree"), stage.local);
      assertEquals((await trashOf(stage)).length, isThere ? 0 : 1);
    },
  },
  "trash restore": {
    prepare: async (stage) => {
      await putTree(stage);
      await stage.client.rm("/tree", { recursive: true });
    },
    run: async (stage) => {
      const [item] = await trashOf(stage);
      await stage.client.restore(item?.id ?? "", { signal: stage.signal });
    },
    check: async (stage) => {
      const isThere = assertAllOrNothing(join(stage.home, "tree"), stage.local);
      assertEquals((await trashOf(stage)).length, isThere ? 0 : 1);
    },
  },
  "trash empty": {
    prepare: async (stage) => {
      await putTree(stage);
      for (let i = 0; i < 7; i++) await stage.client.rm(`/tree/d${i}`, { recursive: true });
    },
    run: ({ client, signal }) => client.emptyTrash(undefined, signal),
    check: async (stage) => {
      // What is listed can be restored whole; what is gone takes no place (trivetd check).
      for (const { id } of await trashOf(stage)) await stage.client.restore(id);
      const count = assertWhole(join(stage.home, "tree"), stage.local);
      assertEquals(count % (TREE_FILES / 7), 0);
    },
  },
  "mv of a folder": {
    prepare: putTree,
    run: ({ client, signal }) => client.mv("/tree", "/moved", { signal }),
    check: ({ home, local }) => {
      const places = ["tree", "moved"].filter((name) =>
        assertAllOrNothing(join(home, name), local)
      );
      assertEquals(places.length, 1);
      return Promise.resolve();
    },
  },
  "mv --replace": {
    prepare: async ({ client, local }) => {
      await client.put(join(local, "d0", "f0"), "/old");
      await client.put(join(local, "d1", "f1"), "/new");
    },
    run: ({ client, signal }) => client.mv("/new", "/old", { replace: true, signal }),
    check: ({ home, local }) => {
      const [old = "", fresh = ""] = ["d0/f0", "d1/f1"].map((path) => filesOf(local).get(path));
      const found = filesOf(home);
      const isMoved = !found.has("new");
      assertEquals(found, new Map(isMoved ? [["old", fresh]] : [["old", old], ["new", fresh]]));
      return Promise.resolve();
    },
  },
  "put -r": {
    prepare: () => Promise.resolve(),
    run: ({ client, local, signal }) => client.putTree([local], "/", { signal }),
    check: async (stage) => {
      assertWhole(join(stage.home, "tree"), stage.local);
      await putTree(stage);
      assertEquals(assertWhole(join(stage.home, "tree"), stage.local), TREE_FILES);
    },
  },
  "cp -r": {
    prepare: putTree,
    run: ({ client, signal }) => client.cp("/tree", "/copy", { recursive: true, signal }),
    check: async ({ client, home, local }) => {
      assertWhole(join(home, "copy"), local);
      await client.cp("/tree", "/again", { recursive: true });
      assertEquals(assertWhole(join(home, "again"), local), TREE_FILES);
    },
  },
};

/** Fails unless `trivetd check` finds nothing wrong. */
async function assertClean(world: World, what: string): Promise<void> {
  const { code, stdout } = await world.administrator().run(["check", "--json"]);
  assertEquals({ code, findings: JSON.parse(stdout).findings }, { code: 0, findings: [] }, what);
}

Deno.test("a server that is killed in the middle of a change leaves each name old or new", async () => {
  await using world = await World.create();
  let server = await world.serve(["--plain", ...onSteadyPort()]);
  const { port } = server;
  const local = join(world.folder, "tree");
  for (let i = 0; i < TREE_FILES; i++) {
    if (i < 7) Deno.mkdirSync(join(local, `d${i}`), { recursive: true });
    writeNoise(join(local, `d${i % 7}`, `f${i}`), 50 + i, i + 1);
  }
  let unanswered = 0;
  for (const [round, after] of KILLS_AFTER.entries()) {
    await using stack = new AsyncDisposableStack();
    const dead = new AbortController();
    const stages = new Map<Crash, Stage>();
    for (const [index, crash] of Object.values(CRASHES).entries()) {
      const user = `user${round}-${index}`;
      const client = stack.use(
        await NetdiskClient.connect({
          server: `127.0.0.1:${port}`,
          plain: true,
          credentials: { token: await addUser(world, user) },
        }),
      );
      const home = join(world.data, "homes", user);
      stages.set(crash, { client, home, local, signal: dead.signal });
    }
    const startedMs = performance.now();
    await Promise.all(Array.from(stages, ([crash, stage]) => crash.prepare(stage)));
    const afterMs = Math.round(after * (performance.now() - startedMs));
    const running = Array.from(stages, async ([crash, stage]) => {
      await crash.run(stage).catch(() => unanswered++);
    });
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    await server.stop("SIGKILL");
    dead.abort();
    await Promise.all(running);
    server = await world.serve(["--plain", "--port", String(port)]);
    await assertClean(world, `killed after ${afterMs} ms`);
    for (const [crash, stage] of stages) await crash.check(stage);
    await assertClean(world, `killed after ${afterMs} ms, and used again`);
  }
  assert(unanswered > 0, "No kill met an operation");
});
