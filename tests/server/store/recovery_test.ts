import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { FolderDepot } from "../../../server/netdisk/folder_depot.ts";
import type { PublishIntent } from "../../../server/netdisk/depot.ts";
import { endCommit, recover, type RecoverySummary } from "../../../server/store/recovery.ts";
import { endTrash } from "../../../server/store/recovery_moves.ts";
import { SqliteCatalog } from "../../../server/store/sqlite_catalog.ts";
import { addUser, newUpload, used } from "./catalog_contract.ts";

interface Stage {
  readonly data: string;
  readonly catalog: SqliteCatalog;
  readonly depot: FolderDepot;
}

/** What a process that died left: an open database, as a kill would leave it, and the folders. */
async function withStage(
  work: (stage: Stage) => Promise<void>,
  check: (stage: Stage, summary: RecoverySummary) => Promise<void>,
): Promise<void> {
  const data = await Deno.makeTempDir({ prefix: "trivet-recovery-" });
  const open = () => ({
    data,
    catalog: SqliteCatalog.open(join(data, "trivet.db")),
    depot: FolderDepot.open(data),
  });
  const before = open();
  try {
    await addUser(before.catalog);
    await before.depot.createHome("ada");
    await before.depot.mkdir({ user: "ada", path: ["docs"] });
    await work(before);
    const after = open();
    try {
      await check(after, await recover(after));
      assertEquals(await recover(after), NOTHING, "a second recovery finds nothing to do");
    } finally {
      await after.catalog.close();
    }
  } finally {
    await before.catalog.close();
    await Deno.remove(data, { recursive: true });
  }
}

const NOTHING = { settled: 0, reopened: 0, dropped: 0, partsRemoved: 0, moves: 0, batches: 0 };
const NEVER = () => Promise.reject(new Error("The process died here"));
const TARGET = { user: "ada", path: ["docs", "a"] };
const OPTIONS = { size: 100, overwrite: "replace" } as const;

/** An upload of 100 bytes, all of them written. */
async function upload({ catalog, depot }: Stage): Promise<void> {
  await catalog.openUpload(newUpload("a"));
  using part = await depot.createPart("a");
  await part.write(new Uint8Array(100), 0);
  await catalog.addChunks("a", [{ index: 0, digest: new Uint8Array(16) }]);
}

/** A file of 30 bytes under the final name, counted. */
async function oldFile({ catalog, depot }: Stage): Promise<void> {
  await depot.writeSmall("old", TARGET, {
    bytes: new Uint8Array(30),
    overwrite: "replace",
    intent: (intent) => catalog.beginWrite({ ...intent, id: "old", user: "ada", durability: "os" }),
  });
  await catalog.finishCommit("old");
}

function begin(catalog: SqliteCatalog): (intent: PublishIntent) => Promise<void> {
  return (intent) => catalog.beginCommit("a", { ...intent, durability: "commit" });
}

Deno.test("recover() leaves an upload that is open", () =>
  withStage(upload, async ({ catalog }, summary) => {
    assertEquals(summary, NOTHING);
    assertEquals([await used(catalog), await catalog.countChunks("a")], [100, 1]);
  }));

Deno.test("recover() opens an upload again that died before its rename", () =>
  withStage(async (stage) => {
    await oldFile(stage);
    await upload(stage);
    const intent = async (told: PublishIntent) => {
      await begin(stage.catalog)(told);
      await NEVER();
    };
    await stage.depot.commitPart("a", TARGET, { ...OPTIONS, intent }).catch(() => {});
    assertEquals((await stage.catalog.findUploadById("a"))?.state, "committing");
  }, async ({ catalog, depot }, summary) => {
    assertEquals(summary, { ...NOTHING, reopened: 1 });
    assertEquals((await catalog.findUploadById("a"))?.state, "open");
    assertEquals([await used(catalog), await catalog.countChunks("a")], [130, 1]);
    assertEquals((await depot.stat(TARGET)).size, 30);
  }));

Deno.test("recover() settles a commit that died after its rename", () =>
  withStage(async (stage) => {
    await oldFile(stage);
    await upload(stage);
    await stage.depot.commitPart("a", TARGET, { ...OPTIONS, intent: begin(stage.catalog) });
  }, async ({ catalog, depot }, summary) => {
    assertEquals(summary, { ...NOTHING, settled: 1 });
    assertEquals(await catalog.findUploadById("a"), null);
    assertEquals(await used(catalog), 100);
    assertEquals((await depot.stat(TARGET)).size, 100);
  }));

Deno.test("recover() settles a commit that died between link and unlink", () =>
  withStage(async (stage) => {
    await upload(stage);
    await begin(stage.catalog)({ path: TARGET.path, size: 100, replacedBytes: 0 });
    const { data } = stage;
    await Deno.link(join(data, "parts", "a"), join(data, "homes", "ada", "docs", "a"));
  }, async ({ catalog, depot }, summary) => {
    assertEquals(summary, { ...NOTHING, settled: 1 });
    assertEquals(await used(catalog), 100);
    assertEquals(await depot.listParts(), []);
    assertEquals((await depot.stat(TARGET)).size, 100);
  }));

Deno.test("recover() settles a commit under the name that rename chose", () =>
  withStage(async (stage) => {
    await oldFile(stage);
    await upload(stage);
    const options = { ...OPTIONS, overwrite: "rename", intent: begin(stage.catalog) } as const;
    await stage.depot.commitPart("a", TARGET, options);
  }, async ({ catalog }, summary) => {
    assertEquals(summary, { ...NOTHING, settled: 1 });
    assertEquals(await used(catalog), 130);
  }));

Deno.test("recover() drops an upload whose file and part are both gone", () =>
  withStage(async (stage) => {
    await upload(stage);
    await begin(stage.catalog)({ path: TARGET.path, size: 100, replacedBytes: 0 });
    await stage.depot.removePart("a");
  }, async ({ catalog }, summary) => {
    assertEquals(summary, { ...NOTHING, dropped: 1 });
    assertEquals(await used(catalog), 0);
  }));

Deno.test("recover() drops a small file that died before its rename", () =>
  withStage(async ({ catalog, depot }) => {
    const intent = async (told: PublishIntent) => {
      await catalog.beginWrite({ ...told, id: "s", user: "ada", durability: "commit" });
      await NEVER();
    };
    const options = { bytes: new Uint8Array(9), overwrite: "replace", intent } as const;
    await depot.writeSmall("s", TARGET, options).catch(() => {});
    // A refused intent removes the part; a process that died could not.
    (await depot.createPart("s")).close();
    assertEquals(await used(catalog), 9);
  }, async ({ catalog, depot }, summary) => {
    assertEquals(summary, { ...NOTHING, dropped: 1 });
    assertEquals(await used(catalog), 0);
    assertEquals(await depot.listParts(), []);
  }));

Deno.test("recover() settles a small file that died after its rename", () =>
  withStage(async (stage) => {
    await oldFile(stage);
    await stage.depot.writeSmall("s", TARGET, {
      bytes: new Uint8Array(9),
      overwrite: "replace",
      intent: (told) =>
        stage.catalog.beginWrite({ ...told, id: "s", user: "ada", durability: "commit" }),
    });
    assertEquals(await used(stage.catalog), 39);
  }, async ({ catalog }, summary) => {
    assertEquals(summary, { ...NOTHING, settled: 1 });
    assertEquals(await used(catalog), 9);
  }));

Deno.test("recover() clears uploads without parts and parts without uploads", () =>
  withStage(async (stage) => {
    await upload(stage);
    await stage.depot.removePart("a");
    (await stage.depot.createPart("orphan")).close();
  }, async ({ catalog, depot }, summary) => {
    assertEquals(summary, { ...NOTHING, dropped: 1, partsRemoved: 1 });
    assertEquals(await used(catalog), 0);
    assertEquals(await depot.listParts(), []);
  }));

Deno.test("endCommit() ends a commit that failed while the server lives", () =>
  withStage(async (stage) => {
    await upload(stage);
    assertEquals(await endCommit(stage, "a"), null);
    assertEquals(await endCommit(stage, "nobody"), null);
    // A folder takes the name while the intent is written down.
    const intent = async (told: PublishIntent) => {
      await begin(stage.catalog)(told);
      await Deno.mkdir(join(stage.data, "homes", "ada", "docs", "a"));
    };
    await stage.depot.commitPart("a", TARGET, { ...OPTIONS, intent }).catch(() => {});
    assertEquals(await endCommit(stage, "a"), "reopened");
  }, async ({ catalog }, summary) => {
    assertEquals(summary, NOTHING);
    assertEquals(await used(catalog), 100);
  }));

/** What a removal has done by the time of its intent. */
async function removing({ catalog, depot }: Stage, die: boolean): Promise<void> {
  const intent = async ({ kind }: { kind: "file" | "folder" }) => {
    await catalog.beginRemoval({ id: "t", ...TARGET, kind });
    if (die) await NEVER();
  };
  await depot.moveToTrash("t", TARGET, { intent }).catch(() => {});
}

/** A file of 30 bytes in the trash. */
async function removed(stage: Stage): Promise<void> {
  await oldFile(stage);
  await removing(stage, false);
  await stage.catalog.finishRemoval("t", { bytes: 30, entries: 1 });
}

Deno.test("recover() forgets a removal that died before its rename", () =>
  withStage(async (stage) => {
    await oldFile(stage);
    await removing(stage, true);
    // It died when the folder of the item was made.
    await Deno.mkdir(join(stage.data, "trash", "ada", "t"), { recursive: true });
  }, async ({ data, catalog, depot }, summary) => {
    assertEquals(summary, { ...NOTHING, moves: 1 });
    assertEquals(await catalog.findTrash("t"), null);
    assertEquals([await used(catalog), (await depot.stat(TARGET)).size], [30, 30]);
    assertEquals(await Array.fromAsync(Deno.readDir(join(data, "trash", "ada"))), []);
  }));

Deno.test("recover() keeps what was removed when it died after the rename", () =>
  withStage(async (stage) => {
    await oldFile(stage);
    await removing(stage, false);
  }, async ({ catalog }, summary) => {
    assertEquals(summary, { ...NOTHING, moves: 1 });
    const item = await catalog.findTrash("t");
    assertEquals([item?.state, item?.bytes, item?.entries], ["kept", 30, 1]);
    assertEquals(await used(catalog), 30);
  }));

Deno.test("recover() keeps an item whose restoration died before its rename", () =>
  withStage(async (stage) => {
    await removed(stage);
    await stage.catalog.beginTrashExit("t", "restoring");
  }, async ({ catalog }, summary) => {
    assertEquals(summary, { ...NOTHING, moves: 1 });
    assertEquals((await catalog.findTrash("t"))?.state, "kept");
    assertEquals(await used(catalog), 30);
  }));

Deno.test("recover() settles a restoration that died after its rename", () =>
  withStage(async (stage) => {
    await removed(stage);
    await stage.catalog.beginTrashExit("t", "restoring");
    await stage.depot.restoreTrash("t", TARGET, { overwrite: "fail" });
  }, async ({ catalog, depot }, summary) => {
    assertEquals(summary, { ...NOTHING, moves: 1 });
    assertEquals(await catalog.findTrash("t"), null);
    assertEquals([await used(catalog), (await depot.stat(TARGET)).size], [30, 30]);
  }));

for (const isDeleted of [false, true]) {
  Deno.test(`recover() ends a deletion that died ${isDeleted ? "behind" : "before"} it`, () =>
    withStage(async (stage) => {
      await removed(stage);
      await stage.catalog.beginTrashExit("t", "emptying");
      if (isDeleted) await stage.depot.removeTrash("t", "ada");
    }, async ({ data, catalog }, summary) => {
      assertEquals(summary, { ...NOTHING, moves: 1 });
      assertEquals([await catalog.findTrash("t"), await used(catalog)], [null, 0]);
      assertEquals(await Array.fromAsync(Deno.readDir(join(data, "trash", "ada"))), []);
    }));

  Deno.test(`recover() ends a move that died ${isDeleted ? "behind" : "before"} its rename`, () =>
    withStage(async (stage) => {
      const { catalog, depot } = stage;
      await oldFile(stage);
      const from = { user: "ada", path: ["new"] };
      await depot.writeSmall("new", from, {
        bytes: new Uint8Array(9),
        overwrite: "replace",
        intent: (told) => catalog.beginWrite({ ...told, id: "new", user: "ada", durability: "os" }),
      });
      await catalog.finishCommit("new");
      const intent = async ({ replacedBytes }: { replacedBytes: number }) => {
        const paths = { from: from.path, to: TARGET.path };
        await catalog.beginMove({ id: "m", user: "ada", ...paths, replacedBytes });
        if (!isDeleted) await NEVER();
      };
      await depot.move(from, TARGET, { overwrite: "replace", intent }).catch(() => {});
    }, async ({ catalog, depot }, summary) => {
      assertEquals(summary, { ...NOTHING, moves: 1 });
      assertEquals(await catalog.listMoves(1), []);
      assertEquals(await used(catalog), isDeleted ? 9 : 39);
      assertEquals((await depot.stat(TARGET)).size, isDeleted ? 9 : 30);
    }));
}

Deno.test({
  name: "recover() leaves what it may not delete for the next time",
  // Root may delete everything.
  ignore: Deno.build.os === "windows" || Deno.uid() === 0,
  fn: () => {
    let locked = "";
    return withStage(async (stage) => {
      await oldFile(stage);
      await removed(stage);
      await stage.catalog.beginTrashExit("t", "emptying");
      locked = join(stage.data, "trash", "ada", "t");
      await Deno.chmod(locked, 0o500);
    }, async ({ catalog }, summary) => {
      assertEquals(summary, NOTHING);
      assertEquals((await catalog.findTrash("t"))?.state, "emptying");
      await Deno.chmod(locked, 0o700);
      assertEquals(
        await endTrash({ catalog, depot: FolderDepot.open(join(locked, "../../..")) }, "t"),
        null,
      );
    });
  },
});
