import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { TrivetError } from "../../../lib/errors.ts";
import { FolderDepot } from "../../../server/netdisk/folder_depot.ts";
import { syncsDuring } from "../../client/testing.ts";
import { outcomesOf, putAll } from "./depot_batch_contract.ts";
import { at, contentOf, put } from "./depot_contract.ts";

interface Stage {
  readonly depot: FolderDepot;
  /** Ada's home. */
  readonly home: string;
  /** A folder outside of the depot with the file "secret". */
  readonly outside: string;
}

async function withDepot(work: (stage: Stage) => Promise<void>): Promise<void> {
  const data = await Deno.makeTempDir({ prefix: "trivet-batch-" });
  try {
    const depot = FolderDepot.open(join(data, "depot"));
    await depot.createHome("ada");
    const outside = join(data, "outside");
    await Deno.mkdir(outside);
    await Deno.writeTextFile(join(outside, "secret"), "secret");
    await work({ depot, home: join(data, "depot", "homes", "ada"), outside });
  } finally {
    await Deno.remove(data, { recursive: true });
  }
}

/** Windows makes symbolic links only for administrators, so these tests are skipped there. */
function testLinks(name: string, work: (stage: Stage) => Promise<void>): void {
  Deno.test({ name, ignore: Deno.build.os === "windows", fn: () => withDepot(work) });
}

function outsideIsUntouched(outside: string): void {
  assertEquals([...Deno.readDirSync(outside)].map(({ name }) => name), ["secret"]);
  assertEquals(Deno.readTextFileSync(join(outside, "secret")), "secret");
}

testLinks("FolderDepot.writeBatch() follows no link", async ({ depot, home, outside }) => {
  await Deno.symlink(outside, join(home, "folder"));
  await Deno.symlink(join(outside, "secret"), join(home, "file"));
  await Deno.symlink(join(outside, "nothing"), join(home, "dangling"));
  const files = {
    "folder/secret": "evil",
    "folder/new": "evil",
    "folder/n/x": "evil",
    "file": "evil",
    "dangling": "evil",
    "good": "1",
  };
  for (const overwrite of ["replace", "skip", "fail", "rename"] as const) {
    const result = await putAll(depot, files, { overwrite, folders: ["folder", "folder/n"] });
    assertEquals(outcomesOf(result).slice(0, 5), new Array(5).fill("SYMLINK_REFUSED"), overwrite);
    outsideIsUntouched(outside);
  }
  const folders = [{ path: ["folder"], mtimeMs: 0 }, { path: ["folder", "n"] }];
  for (const result of await depot.writeFolders("ada", folders)) {
    assert(result instanceof TrivetError && result.code !== "INTERNAL");
  }
  const read = await depot.readBatch({
    user: "ada",
    paths: [["folder", "secret"], ["file"], ["dangling"]],
    buffer: new Uint8Array(100),
    fileMaxBytes: 10,
  });
  for (const file of read) assert(file instanceof TrivetError && file.code === "SYMLINK_REFUSED");
  outsideIsUntouched(outside);
  assertEquals(await depot.listParts(), []);
});

testLinks(
  "FolderDepot.writeBatch() refuses links planted while its intent waits",
  async ({ depot, home, outside }) => {
    await depot.mkdir(at("d"));
    await put(depot, ["d", "a"], "old");
    const intent = async () => {
      await Deno.rename(join(home, "d"), join(home, "away"));
      await Deno.symlink(outside, join(home, "d"));
      await Deno.symlink(outside, join(home, "n"));
    };
    const files = { "d/a": "1", "d/b": "2", "n/a": "3", "good": "4" };
    const result = await putAll(depot, files, { intent, folders: ["n"] });
    assertEquals(outcomesOf(result), [
      "SYMLINK_REFUSED",
      "SYMLINK_REFUSED",
      "SYMLINK_REFUSED",
      "published good",
    ]);
    outsideIsUntouched(outside);
    assertEquals(await contentOf(depot, "away", "a"), "old");
    assertEquals(await depot.listParts(), []);
  },
);

Deno.test("FolderDepot.writeBatch() waits for the disk once for each file and folder, or never", () =>
  withDepot(async ({ depot, home }) => {
    await depot.mkdir(at("d"));
    const files = { "a": "1", "b": "2", "d/c": "3", "n/e": "4", "n/f": "5" };
    const folders = ["n"];
    const none = await syncsDuring(() => putAll(depot, files, { durability: "os", folders }));
    assertEquals(none, 0);
    await Deno.remove(join(home, "n"), { recursive: true });
    const some = await syncsDuring(() => putAll(depot, files, { durability: "commit", folders }));
    // Five files, and the folders whose names are new: the home, "d" and "n".
    assertEquals(some, Deno.build.os === "windows" ? 5 : 8);
  }));

Deno.test({
  name: "FolderDepot.writeBatch() refuses only the files whose paths the system does not take",
  // Elsewhere the limit is another one.
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withDepot(async ({ depot, home }) => {
      const folders = Array.from({ length: 15 }, (_, i) => `${i}`.padEnd(252, "x"));
      const paths = folders.map((_, i) => folders.slice(0, i + 1).join("/"));
      const last = paths.at(-1) ?? "";
      const parts = join(home, "..", "..", "parts", `batch-0000/3`);
      const room = 4095 - Math.max(home.length, parts.length) - last.length - 2;
      assert(room > 10 && room < 250, `${room}`);
      const files = {
        "good": "1",
        [`${last}/${"f".repeat(room + 4)}`]: "2",
        [`${last}/${"g".repeat(room - 12)}`]: "3",
        [`${last}/${"h".repeat(255)}/deep`]: "4",
      };
      for (const durability of ["commit", "os"] as const) {
        const result = await putAll(depot, files, {
          folders: [...paths, `${last}/${"h".repeat(255)}`],
          durability,
        });
        assertEquals(outcomesOf(result).map((text) => text.slice(0, 14)), [
          "published good",
          "PATH_TOO_LONG",
          "published 0xxx",
          "PATH_TOO_LONG",
        ]);
        assertEquals(await contentOf(depot, ...last.split("/"), "g".repeat(room - 12)), "3");
      }
      assertEquals(await depot.listParts(), []);
    }),
});
