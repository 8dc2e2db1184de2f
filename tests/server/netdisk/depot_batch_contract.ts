/**
 * What every `Depot` must do with many small files and folders at once; part of `depot_contract.ts`.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import type {
  Batch,
  BatchOptions,
  BatchResult,
  Depot,
  PlannedFile,
} from "../../../server/netdisk/depot.ts";
import { assertCode, at, contentOf, namesIn, put, type Test } from "./depot_contract.ts";

let lastId = 0;

/** Publishes files, given as path and content. */
export function putAll(
  depot: Depot,
  files: Record<string, string>,
  options: Partial<BatchOptions> & { folders?: readonly string[] } = {},
): Promise<BatchResult> {
  const batch: Batch = {
    user: "ada",
    folders: (options.folders ?? []).map((path) => path.split("/")),
    files: Object.entries(files).map(([path, content]) => ({
      path: path.split("/"),
      bytes: new TextEncoder().encode(content),
    })),
  };
  return depot.writeBatch(`batch-${++lastId}`, batch, {
    overwrite: "replace",
    durability: "os",
    ...options,
  });
}

/** What became of each file: where it stands, or the code of what was refused. */
export function outcomesOf({ outcomes }: BatchResult): string[] {
  return outcomes.map((outcome) =>
    outcome.state === "failed" ? outcome.error.code : `${outcome.state} ${outcome.path.join("/")}`
  );
}

/** Registers the suite. */
export function testBatches(test: Test, portable: Test): void {
  testFiles(test);
  testOverwrite(test);
  testIntent(test);
  testNewFolders(test);
  testTwins(test, portable);
  testFolders(test, portable);
  testReading(test);
}

function testFiles(test: Test): void {
  for (const durability of ["os", "commit"] as const) {
    test(`writes many files at once with durability "${durability}"`, async (depot) => {
      await depot.mkdir(at("d"));
      const folders = ["n", "n/m"];
      const files = { "a": "1", "d/b": "22", "d/empty": "", "n/c": "333", "n/m/e": "4444" };
      const result = await putAll(depot, files, { durability, folders });
      assertEquals(outcomesOf(result), Object.keys(files).map((path) => `published ${path}`));
      assertEquals(result.foldersMade, 2);
      for (const [path, content] of Object.entries(files)) {
        assertEquals(await contentOf(depot, ...path.split("/")), content);
      }
      assertEquals(await namesIn(depot, "n"), ["c", "m"]);
      assertEquals(await depot.listParts(), []);
    });
  }

  test("keeps the times of many files and whether they are executable", async (depot) => {
    const mtimeMs = Date.UTC(1999, 11, 31);
    const bytes = new Uint8Array(3);
    const files = [
      { path: ["run"], bytes, mtimeMs, mode: 0o755 },
      { path: ["n", "read"], bytes, mtimeMs, mode: 0o640 },
    ];
    const batch = { user: "ada", folders: [["n"]], files };
    await depot.writeBatch("b", batch, { overwrite: "replace" });
    const [run, read] = [await depot.stat(at("run")), await depot.stat(at("n", "read"))];
    assertEquals([run.mtimeMs, read.mtimeMs], [mtimeMs, mtimeMs]);
    if (Deno.build.os === "windows") return;
    assertEquals([run.mode & 0o111, read.mode & 0o111], [0o111 & run.mode, 0]);
    assert((run.mode & 0o100) !== 0);
  });

  test("lets no file of many hinder another", async (depot) => {
    await put(depot, ["file"], "old");
    await depot.mkdir(at("folder"));
    const files = { "file/x": "1", "folder": "2", "missing/x": "3", "good": "4" };
    const result = await putAll(depot, files);
    assertEquals(outcomesOf(result), ["NOT_FOLDER", "IS_FOLDER", "NOT_FOUND", "published good"]);
    assertEquals(await namesIn(depot), ["file", "folder", "good"]);
    assertEquals(await contentOf(depot, "file"), "old");
    assertEquals(await depot.listParts(), []);
  });

  test("refuses a batch of nobody, and takes one of nothing", async (depot) => {
    const batch = (user: string) => ({ user, files: [{ path: ["a"], bytes: new Uint8Array() }] });
    const options = { overwrite: "replace" } as const;
    await assertCode("USER_NAME_INVALID", () => depot.writeBatch("b", batch(".."), options));
    const { outcomes } = await depot.writeBatch("b", batch("eve"), options);
    assertEquals(outcomesOf({ outcomes, foldersMade: 0 }), ["NOT_FOUND"]);
    assertEquals(await putAll(depot, {}), { outcomes: [], foldersMade: 0 });
  });
}

function testOverwrite(test: Test): void {
  const cases = {
    replace: { outcomes: ["published a", "published b"], names: ["a", "b"], content: "new" },
    skip: { outcomes: ["skipped a", "published b"], names: ["a", "b"], content: "old" },
    fail: { outcomes: ["EXISTS", "published b"], names: ["a", "b"], content: "old" },
    rename: {
      outcomes: ["published a (2)", "published b"],
      names: ["a", "a (2)", "b"],
      content: "old",
    },
  } as const;
  for (const overwrite of ["replace", "skip", "fail", "rename"] as const) {
    test(`writes many files with "${overwrite}" over one of them`, async (depot) => {
      await put(depot, ["a"], "old");
      const told: (readonly PlannedFile[])[] = [];
      const intent = (files: readonly PlannedFile[]) => {
        told.push(files);
        return Promise.resolve();
      };
      const result = await putAll(depot, { a: "new", b: "1" }, { overwrite, intent });
      const { outcomes, names, content } = cases[overwrite];
      assertEquals(outcomesOf(result), [...outcomes]);
      assertEquals(await namesIn(depot), [...names]);
      assertEquals(await contentOf(depot, "a"), content);
      const first = overwrite === "replace"
        ? [{ index: 0, path: ["a"], size: 3, replacedBytes: 3, replacedFiles: 1 }]
        : overwrite === "rename"
        ? [{ index: 0, path: ["a (2)"], size: 3, replacedBytes: 0, replacedFiles: 0 }]
        : [];
      assertEquals(told, [[...first, {
        index: 1,
        path: ["b"],
        size: 1,
        replacedBytes: 0,
        replacedFiles: 0,
      }]]);
      assertEquals(await depot.listParts(), []);
    });
  }

  test("tells of a file whose name another program took in the meantime", async (depot) => {
    await put(depot, ["b"], "old");
    for (const overwrite of ["replace", "skip", "fail", "rename"] as const) {
      const name = `new-${overwrite}`;
      const intent = async () => {
        await put(depot, [name], "quicker");
      };
      const result = await putAll(depot, { [name]: "slow", [`${name}-too`]: "1" }, {
        overwrite,
        intent,
      });
      const [first, second] = outcomesOf(result);
      assertEquals(first, overwrite === "fail" ? "EXISTS" : "CHANGED", overwrite);
      assertEquals(second, `published ${name}-too`);
      assertEquals(await contentOf(depot, name), "quicker");
    }
    assertEquals(await depot.listParts(), []);
  });
}

function testIntent(test: Test): void {
  test("publishes none of many files when the intent fails", async (depot) => {
    await put(depot, ["a"], "old");
    for (const durability of ["os", "commit"] as const) {
      const intent = async () => {
        assertEquals(await namesIn(depot), ["a"]);
        throw new TrivetError("QUOTA_EXCEEDED", "No room");
      };
      const options = { intent, durability, folders: ["n"] };
      const error = await assertRejects(
        () => putAll(depot, { a: "new", b: "1", "n/c": "2" }, options),
        TrivetError,
      );
      assertEquals(error.code, "QUOTA_EXCEEDED");
      assertEquals(await namesIn(depot), ["a"]);
      assertEquals(await contentOf(depot, "a"), "old");
      assertEquals(await depot.listParts(), []);
    }
  });

  test("asks for no intent where nothing of many is to be published", async (depot) => {
    await put(depot, ["a"], "old");
    const intent = () => Promise.reject(new Error("Nothing was to be told"));
    const folders = ["n"];
    const result = await putAll(depot, { a: "1" }, { overwrite: "skip", intent, folders });
    assertEquals(outcomesOf(result), ["skipped a"]);
    assertEquals(outcomesOf(await putAll(depot, { "n/m/x": "1" }, { intent, folders })), [
      "NOT_FOUND",
    ]);
    assertEquals(await namesIn(depot), ["a"]);
  });
}

function testNewFolders(test: Test): void {
  test("shows a new folder only with all that is in it", async (depot) => {
    const files = { "n/a": "1", "n/m/b": "2", "n/m/c": "3" };
    const intent = async () => {
      assertEquals(await namesIn(depot), []);
      const parts = await depot.listParts();
      assertEquals(parts.length, 1, "one folder beside the homes holds all");
    };
    const result = await putAll(depot, files, { folders: ["n", "n/m", "unused"], intent });
    assertEquals(result.foldersMade, 2);
    assertEquals(await namesIn(depot), ["n"]);
    assertEquals(await namesIn(depot, "n", "m"), ["b", "c"]);
  });

  test("puts files into a new folder that appears in the meantime", async (depot) => {
    const intent = async () => {
      await depot.mkdir(at("n"));
      await put(depot, ["n", "a"], "quicker");
    };
    const files = { "n/a": "slow", "n/b": "1", "n/m/c": "2" };
    const result = await putAll(depot, files, { folders: ["n", "n/m"], intent });
    assertEquals(outcomesOf(result), ["CHANGED", "published n/b", "published n/m/c"]);
    assertEquals(result.foldersMade, 1);
    assertEquals(await namesIn(depot, "n"), ["a", "b", "m"]);
    assertEquals(await contentOf(depot, "n", "a"), "quicker");
    assertEquals(await depot.listParts(), []);
  });

  test("gives no other name to a file in a new folder that appears", async (depot) => {
    const intent = async () => {
      await depot.mkdir(at("n"));
      await put(depot, ["n", "a"], "quicker");
    };
    const options = { folders: ["n"], intent, overwrite: "rename" } as const;
    assertEquals(outcomesOf(await putAll(depot, { "n/a": "slow" }, options)), ["CHANGED"]);
    assertEquals(await namesIn(depot, "n"), ["a"]);
  });

  test("says of each file what a file in the place of its new folder means", async (depot) => {
    const intent = async () => {
      await put(depot, ["n"], "a file");
    };
    const result = await putAll(depot, { "n/a": "1", "n/b": "2", "c": "3" }, {
      folders: ["n"],
      intent,
    });
    assertEquals(outcomesOf(result).slice(2), ["published c"]);
    for (const outcome of outcomesOf(result).slice(0, 2)) {
      assert(["EXISTS", "NOT_FOLDER"].includes(outcome), outcome);
    }
    assertEquals(await contentOf(depot, "n"), "a file");
    assertEquals(await depot.listParts(), []);
  });

  test("gives a file and a new folder of one name to the folder", async (depot) => {
    for (const prefix of ["", "n/"]) {
      const files = { [`${prefix}a`]: "1", [`${prefix}a/x`]: "2", [`${prefix}b`]: "3" };
      const folders = ["n", `${prefix}a`];
      const [first, ...others] = outcomesOf(await putAll(depot, files, { folders }));
      assert(["IS_FOLDER", "CHANGED"].includes(first ?? ""), first);
      assertEquals(others, [`published ${prefix}a/x`, `published ${prefix}b`]);
    }
    assertEquals(await depot.listParts(), []);
  });
}

function testTwins(test: Test, portable: Test): void {
  test("refuses a file that is named twice in a batch", async (depot) => {
    const files = [
      { path: ["a"], bytes: new TextEncoder().encode("1") },
      { path: ["a"], bytes: new TextEncoder().encode("2") },
    ];
    const result = await depot.writeBatch("b", { user: "ada", files }, { overwrite: "replace" });
    assertEquals(outcomesOf(result), ["published a", "INVALID_REQUEST"]);
    assertEquals(await contentOf(depot, "a"), "1");
  });

  portable("refuses twins among many files and new folders", async (depot) => {
    await put(depot, ["Old"], "1");
    await depot.mkdir(at("Folder"));
    const files = {
      "a": "1",
      "A": "2",
      "old": "3",
      "folder/x": "4",
      "n/x": "5",
      "N/x": "6",
      "m/deep/x": "7",
      "m/DEEP/x": "8",
      "m/DEEP/y": "9",
      "m/Deep": "10",
    };
    const folders = ["n", "N", "m", "m/deep", "m/DEEP", "folder"];
    const result = await putAll(depot, files, { folders });
    const [, , , , nx, bigNx, ...rest] = outcomesOf(result);
    assertEquals(outcomesOf(result).slice(0, 4), [
      "published a",
      "INVALID_REQUEST",
      "NAME_CASE_CONFLICT",
      "NAME_CASE_CONFLICT",
    ]);
    assertEquals([nx, bigNx], ["published n/x", "INVALID_REQUEST"]);
    assertEquals(rest, [
      "published m/deep/x",
      "INVALID_REQUEST",
      "NAME_CASE_CONFLICT",
      "IS_FOLDER",
    ]);
    assertEquals(await namesIn(depot), ["Folder", "Old", "a", "m", "n"]);
    assertEquals(await namesIn(depot, "m"), ["deep"]);
    assertEquals(result.foldersMade, 3);
  });

  test("keeps names apart that differ by case where that is allowed", async (depot) => {
    if (Deno.build.os !== "linux") return;
    const result = await putAll(depot, { "n/a": "1", "n/A": "2" }, { folders: ["n"] });
    assertEquals(outcomesOf(result), ["published n/a", "published n/A"]);
  });
}

function testFolders(test: Test, portable: Test): void {
  test("makes many folders with their ancestors, and sets times", async (depot) => {
    await put(depot, ["file"], "1");
    const mtimeMs = Date.UTC(2001, 1, 1);
    for (const durability of ["os", "commit"] as const) {
      const results = await depot.writeFolders("ada", [
        { path: [durability, "x"], mtimeMs },
        { path: [durability], mtimeMs },
        { path: ["file"] },
        { path: ["file", "x"] },
      ], { durability });
      assertEquals(
        results.map((result) => result instanceof TrivetError ? result.code : result),
        [true, false, "EXISTS", "NOT_FOLDER"],
      );
      assertEquals((await depot.stat(at(durability, "x"))).mtimeMs, mtimeMs);
      assertEquals((await depot.stat(at(durability))).mtimeMs, mtimeMs);
    }
    await assertCode("USER_NAME_INVALID", () => depot.writeFolders("..", [{ path: ["x"] }]));
  });

  portable("refuses twins among many folders", async (depot) => {
    const folders = [{ path: ["a"] }, { path: ["A"] }, { path: ["A", "x"] }];
    const results = await depot.writeFolders("ada", folders);
    assertEquals(
      results.map((result) => result instanceof TrivetError ? result.code : result),
      [true, "NAME_CASE_CONFLICT", "NAME_CASE_CONFLICT"],
    );
  });
}

function testReading(test: Test): void {
  const read = async (depot: Depot, paths: string[], sizes: { buffer: number; file: number }) => {
    const buffer = new Uint8Array(sizes.buffer);
    const request = { user: "ada", paths: paths.map((path) => path.split("/")), buffer };
    const files = await depot.readBatch({ ...request, fileMaxBytes: sizes.file });
    return files.map((file) => {
      if (file instanceof TrivetError) return file.code;
      return file.bytes === null ? "large" : new TextDecoder().decode(file.bytes);
    });
  };

  test("reads many files, each for itself", async (depot) => {
    await putAll(depot, { "a": "1", "d/b": "22", "d/c": "", "d/e": "55555" }, { folders: ["d"] });
    const paths = ["a", "d/b", "d", "d/c", "none", "none/x", "a/x", "d/e"];
    assertEquals(await read(depot, paths, { buffer: 100, file: 4 }), [
      "1",
      "22",
      "IS_FOLDER",
      "",
      "NOT_FOUND",
      "NOT_FOUND",
      "NOT_FOLDER",
      "large",
    ]);
  });

  test("reads as many files as the buffer surely holds", async (depot) => {
    await putAll(depot, { a: "1111", b: "2222", c: "3333" });
    const paths = ["a", "b", "c"];
    assertEquals(await read(depot, paths, { buffer: 11, file: 4 }), ["1111", "2222"]);
    assertEquals(await read(depot, paths, { buffer: 12, file: 4 }), ["1111", "2222", "3333"]);
    assertEquals(await read(depot, paths, { buffer: 12, file: 3 }), ["large", "large", "large"]);
  });
}
