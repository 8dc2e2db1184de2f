import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { TrivetError } from "../../../lib/errors.ts";
import type { BatchOptions, PlannedFile } from "../../../server/netdisk/depot.ts";
import { FolderDepot } from "../../../server/netdisk/folder_depot.ts";
import { recover } from "../../../server/store/recovery.ts";
import { SqliteCatalog } from "../../../server/store/sqlite_catalog.ts";
import { addUser, used } from "./catalog_contract.ts";

interface Stage {
  readonly data: string;
  readonly home: string;
  readonly catalog: SqliteCatalog;
  readonly depot: FolderDepot;
}

/** A process that died during `work`, and what the next one finds. */
async function withStage(
  work: (stage: Stage) => Promise<void>,
  check: (stage: Stage) => Promise<void>,
): Promise<void> {
  const data = await Deno.makeTempDir({ prefix: "trivet-recovery-" });
  const home = join(data, "homes", "ada");
  const open = () => ({
    data,
    home,
    catalog: SqliteCatalog.open(join(data, "trivet.db")),
    depot: FolderDepot.open(data),
  });
  const before = open();
  try {
    await addUser(before.catalog);
    await before.depot.createHome("ada");
    await before.depot.mkdir({ user: "ada", path: ["d"] });
    await before.catalog.beginBatch({ ...OLD, durability: "commit" });
    await Deno.writeTextFile(join(home, "d", "a"), "x".repeat(30));
    await before.catalog.finishBatch("old", new Set([0]));
    assertEquals(await used(before.catalog), 30);
    await work(before);
    const after = open();
    try {
      assertEquals((await recover(after)).batches, 1);
      assertEquals(await after.depot.listParts(), []);
      assertEquals(await after.catalog.listBatches(9), []);
      await check(after);
      const nothing = Object.values(await recover(after));
      assertEquals(nothing, nothing.map(() => 0), "a second recovery finds nothing to do");
    } finally {
      await after.catalog.close();
    }
  } finally {
    await before.catalog.close();
    await Deno.remove(data, { recursive: true });
  }
}

const OLD = {
  id: "old",
  user: "ada",
  files: [{ index: 0, path: ["d", "a"], size: 30, replacedBytes: 0, replacedFiles: 0 }],
};

/** Replaces a file of 30 bytes, adds one beside it, and two in a folder that is new. */
const BATCH = {
  user: "ada",
  folders: [["n"]],
  files: [
    { path: ["d", "a"], bytes: new Uint8Array(100) },
    { path: ["d", "b"], bytes: new Uint8Array(20) },
    { path: ["n", "c"], bytes: new Uint8Array(7) },
    { path: ["n", "e"], bytes: new Uint8Array(3) },
  ],
};

/** Publishes the batch; the process dies right after its intent when `dies`. */
async function publish({ catalog, depot }: Stage, dies: () => Promise<void>): Promise<void> {
  const options: BatchOptions = {
    overwrite: "replace",
    intent: async (files: readonly PlannedFile[]) => {
      await catalog.beginBatch({ id: "b", user: "ada", files, durability: "commit" });
      await dies();
    },
  };
  await depot.writeBatch("b", BATCH, options);
}

const NEVER_DIES = () => Promise.resolve();

/** What is left of parts after the intent, put aside so that the death of a process can be played. */
async function dieAfterIntent(stage: Stage): Promise<void> {
  const parts = join(stage.data, "parts");
  const aside = join(stage.data, "aside");
  const dies = async () => {
    await new Deno.Command("cp", { args: ["-a", parts, aside] }).output();
    throw new TrivetError("FAILED", "The process died here");
  };
  await assertRejects(() => publish(stage, dies), TrivetError, "died here");
  await Deno.remove(parts, { recursive: true });
  await Deno.rename(aside, parts);
  assertEquals((await stage.depot.listParts()).length, 3);
  assertEquals(await used(stage.catalog), 160);
}

const isWindows = Deno.build.os === "windows";

function testStage(
  name: string,
  work: (stage: Stage) => Promise<void>,
  check: (stage: Stage) => Promise<void>,
): void {
  Deno.test({ name, ignore: isWindows, fn: () => withStage(work, check) });
}

testStage(
  "recover() releases a batch that died before its first rename",
  dieAfterIntent,
  async ({ catalog, home }) => {
    assertEquals(await used(catalog), 30);
    assertEquals((await Deno.stat(join(home, "d", "a"))).size, 30);
    assertEquals([...Deno.readDirSync(home)].map(({ name }) => name), ["d"]);
  },
);

testStage(
  "recover() counts the files of a batch that were published, and no others",
  async (stage) => {
    await dieAfterIntent(stage);
    await Deno.rename(join(stage.data, "parts", "b-0"), join(stage.home, "d", "a"));
  },
  async ({ catalog, home }) => {
    assertEquals(await used(catalog), 100);
    assertEquals([...Deno.readDirSync(join(home, "d"))].map(({ name }) => name), ["a"]);
  },
);

testStage(
  "recover() counts the new folder of a batch that was published alone",
  async (stage) => {
    await dieAfterIntent(stage);
    await Deno.rename(join(stage.data, "parts", "b"), join(stage.home, "n"));
  },
  async ({ catalog, home }) => {
    assertEquals(await used(catalog), 40);
    assertEquals((await Deno.stat(join(home, "n", "c"))).size, 7);
  },
);

testStage(
  "recover() settles a file of a batch that died between link and unlink",
  async (stage) => {
    await dieAfterIntent(stage);
    await Deno.link(join(stage.data, "parts", "b-1"), join(stage.home, "d", "b"));
  },
  async ({ catalog, home }) => {
    assertEquals(await used(catalog), 50);
    assertEquals((await Deno.stat(join(home, "d", "b"))).size, 20);
  },
);

testStage(
  "recover() counts a batch that was published whole but not settled",
  (stage) => publish(stage, NEVER_DIES),
  async ({ catalog }) => assertEquals(await used(catalog), 130),
);
