/**
 * What every `Depot` must do. An implementation's test file calls `testDepot` with a way to open one
 * that is empty but for the home of "ada".
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type ErrorCode, TrivetError } from "../../../lib/errors.ts";
import type { NameRules } from "../../../lib/netdisk/path.ts";
import type {
  Depot,
  OverwriteMode,
  Published,
  PublishIntent,
  PublishOptions,
} from "../../../server/netdisk/depot.ts";
import { testBatches } from "./depot_batch_contract.ts";

/** Opens a depot and runs `work` with it. */
export type WithDepot = (
  names: NameRules,
  work: (depot: Depot) => Promise<void>,
) => Promise<void>;

/** A path in ada's home. */
export function at(...path: string[]): { user: string; path: string[] } {
  return { user: "ada", path };
}

/** Asserts that `work` fails with a code. */
export async function assertCode(
  code: ErrorCode,
  work: () => Promise<unknown>,
): Promise<TrivetError> {
  const error = await assertRejects(work, TrivetError);
  assertEquals(error.code, code, error.message);
  return error;
}

let lastId = 0;

/** Publishes a small file. */
export function put(
  depot: Depot,
  path: string[],
  content: string,
  options: Partial<PublishOptions> = {},
): Promise<Published> {
  const bytes = new TextEncoder().encode(content);
  return depot.writeSmall(`small-${++lastId}`, at(...path), {
    overwrite: "replace",
    durability: "os",
    ...options,
    bytes,
  });
}

/** Makes a part with a content. */
export async function makePart(depot: Depot, id: string, content: string): Promise<void> {
  using part = await depot.createPart(id);
  await part.write(new TextEncoder().encode(content), 0);
}

/** The content of a file. */
export async function contentOf(depot: Depot, ...path: string[]): Promise<string> {
  using file = await depot.openRead(at(...path));
  const buffer = new Uint8Array(1024);
  const count = await file.read(buffer, 0);
  assertEquals(count, file.entry.size);
  return new TextDecoder().decode(buffer.subarray(0, count));
}

/** Names in a folder. */
export async function namesIn(depot: Depot, ...path: string[]): Promise<string[]> {
  const { entries } = await depot.list(at(...path), { limit: 1000 });
  return entries.map(({ name }) => name);
}

/** Registers one test of the suite. */
export type Test = (behaviour: string, work: (depot: Depot) => Promise<void>) => void;

/** Registers the suite. */
export function testDepot(name: string, withDepot: WithDepot): void {
  const test: Test = (behaviour, work) =>
    Deno.test(`${name} ${behaviour}`, () => withDepot("native", work));
  const portable: Test = (behaviour, work) =>
    Deno.test(`${name} with portable names ${behaviour}`, () => withDepot("portable", work));
  testFolders(test);
  testFiles(test);
  testOverwrite(test);
  testParts(test);
  testNames(test, portable);
  testRemoving(test);
  testRemovingUsers(test);
  testMoving(test, portable);
  testCopying(test);
  testBatches(test, portable);
}

function testFolders(test: Test): void {
  test("makes a home once, and no other's", async (depot) => {
    await depot.createHome("ada");
    assertEquals((await depot.stat(at())).type, "folder");
    await assertCode("NOT_FOUND", () => depot.stat({ user: "eve", path: [] }));
    for (const user of ["..", "a/b", "", "A", "a\0"]) {
      await assertCode("USER_NAME_INVALID", () => depot.createHome(user));
      await assertCode("USER_NAME_INVALID", () => depot.stat({ user, path: [] }));
    }
  });

  test("makes folders, with and without their ancestors", async (depot) => {
    assertEquals(await depot.mkdir(at("a")), true);
    await assertCode("EXISTS", () => depot.mkdir(at("a")));
    assertEquals(await depot.mkdir(at("a"), { parents: true }), false);
    await assertCode("NOT_FOUND", () => depot.mkdir(at("b", "c")));
    assertEquals(await depot.mkdir(at("b", "c", "d"), { parents: true }), true);
    assertEquals((await depot.stat(at("b", "c", "d"))).type, "folder");
    await put(depot, ["f"], "x");
    await assertCode("EXISTS", () => depot.mkdir(at("f")));
    await assertCode("EXISTS", () => depot.mkdir(at("f"), { parents: true }));
    await assertCode("NOT_FOLDER", () => depot.mkdir(at("f", "g"), { parents: true }));
    await assertCode("EXISTS", () => depot.mkdir(at()));
    assertEquals(await depot.mkdir(at(), { parents: true }), false);
  });

  test("lists a folder in pages, sorted bytewise", async (depot) => {
    await depot.mkdir(at("d"));
    const names = ["b", "B", "é", "\uffee", "\u{1f600}", "a", "a.txt", "a-1"];
    for (const name of names) await put(depot, ["d", name], name);
    const encoder = new TextEncoder();
    const hex = (name: string) => encoder.encode(name).toHex();
    const sorted = names.toSorted((a, b) => hex(a) < hex(b) ? -1 : 1);
    const listed: string[] = [];
    let after: string | undefined;
    let more = true;
    while (more) {
      const page = await depot.list(at("d"), {
        limit: 3,
        ...(after === undefined ? {} : { after }),
      });
      listed.push(...page.entries.map(({ name }) => name));
      after = listed.at(-1);
      more = page.more;
      if (more) assertEquals(page.entries.length, 3);
    }
    assertEquals(listed, sorted);
    assertEquals((await depot.list(at("d"), { limit: 8 })).more, false);
    assertEquals((await depot.list(at("d"), { limit: 7 })).more, true);
    await assertCode("NOT_FOLDER", () => depot.list(at("d", "a"), { limit: 1 }));
    await assertCode("NOT_FOUND", () => depot.list(at("x"), { limit: 1 }));
    assertEquals(await namesIn(depot), ["d"]);
  });

  test("takes 64 levels and a name of 255 bytes", async (depot) => {
    const deep = new Array<string>(64).fill("d");
    assertEquals(await depot.mkdir(at(...deep), { parents: true }), true);
    await assertCode("PATH_TOO_DEEP", () => depot.mkdir(at(...deep, "d"), { parents: true }));
    const long = "é".repeat(127) + "x";
    await put(depot, [long], "content");
    assertEquals(await contentOf(depot, long), "content");
    await assertCode("NAME_TOO_LONG", () => put(depot, [`${long}x`], "content"));
    await assertCode("PATH_DOT", () => depot.stat(at("..", "eve")));
    await assertCode("PATH_SEPARATOR", () => put(depot, ["../../x"], "content"));
  });
}

function testFiles(test: Test): void {
  test("writes and reads a file", async (depot) => {
    const { path, entry, etag, replacedBytes, skipped } = await put(depot, ["f"], "hello", {
      mtimeMs: 1_234_567_890_123,
      durability: "commit",
    });
    assertEquals([path, replacedBytes, skipped], [["f"], 0, false]);
    assertEquals([entry.name, entry.type, entry.size], ["f", "file", 5]);
    assertEquals(entry.mtimeMs, 1_234_567_890_123);
    assertEquals(entry.etag, etag);
    assertEquals(await depot.stat(at("f")), entry);
    assertEquals((await depot.list(at(), { limit: 1 })).entries, [entry]);
    using file = await depot.openRead(at("f"));
    assertEquals([file.entry, file.etag], [entry, etag]);
    const buffer = new Uint8Array(3);
    assertEquals(await file.read(buffer, 2), 3);
    assertEquals(new TextDecoder().decode(buffer), "llo");
    assertEquals(await file.read(buffer, 5), 0);
    await put(depot, ["empty"], "");
    assertEquals(await contentOf(depot, "empty"), "");
  });

  test("keeps whether a file is executable", async (depot) => {
    if (Deno.build.os === "windows") return;
    for (const [mode, kept] of [[0o777, 0o755], [0o100, 0o755], [0o666, 0o644], [0, 0o644]]) {
      const { entry } = await put(depot, ["f"], "x", { mode: mode ?? 0 });
      assertEquals(entry.mode, kept);
      await makePart(depot, "p", "x");
      const options = { size: 1, overwrite: "replace", mode: mode ?? 0 } as const;
      assertEquals((await depot.commitPart("p", at("f"), options)).entry.mode, kept);
    }
  });

  test("takes times far in the past and the future", async (depot) => {
    assertEquals(
      (await put(depot, ["f"], "x", { mtimeMs: -86_400_000 })).entry.mtimeMs,
      -86_400_000,
    );
    for (const mtimeMs of [1e300, -1e300]) await put(depot, ["f"], "x", { mtimeMs });
  });

  test("gives other content another tag", async (depot) => {
    const tags = new Set<string>();
    for (const content of ["one", "two", "one", "six"]) {
      tags.add((await put(depot, ["f"], content, { mtimeMs: 1000 })).etag);
      // A file's birth is known to the millisecond.
      const bornMs = Date.now();
      while (Date.now() === bornMs) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assertEquals(tags.size, 4);
  });

  test("gives what replaces a file another tag, however soon", async (depot) => {
    let last = "";
    for (let i = 0; i < 50; i++) {
      const { etag } = await put(depot, ["f"], `${i % 10}`, { mtimeMs: 1000 });
      assert(etag !== last);
      last = etag;
    }
    assertEquals((await depot.stat(at("f"))).etag, (await depot.stat(at("f"))).etag);
  });

  test("leaves the old file to those who read it", async (depot) => {
    await put(depot, ["f"], "old");
    using file = await depot.openRead(at("f"));
    await put(depot, ["f"], "newer");
    const buffer = new Uint8Array(9);
    assertEquals(new TextDecoder().decode(buffer.subarray(0, await file.read(buffer, 0))), "old");
    assert(file.isUnchanged());
    assertEquals(await contentOf(depot, "f"), "newer");
  });

  test("refuses what is not there and what is a folder", async (depot) => {
    await depot.mkdir(at("d"));
    await put(depot, ["f"], "x");
    await assertCode("NOT_FOUND", () => depot.stat(at("x")));
    await assertCode("NOT_FOUND", () => depot.openRead(at("x")));
    await assertCode("NOT_FOUND", () => put(depot, ["x", "y"], "x"));
    await assertCode("NOT_FOLDER", () => put(depot, ["f", "y"], "x"));
    await assertCode("NOT_FOLDER", () => depot.openRead(at("f", "y")));
    for (const path of [["d"], []]) {
      await assertCode("IS_FOLDER", () => depot.openRead(at(...path)));
      await assertCode("IS_FOLDER", () => put(depot, path, "x"));
    }
    assertEquals(await depot.listParts(), []);
  });
}

function testOverwrite(test: Test): void {
  const outcomes: [mode: OverwriteMode, content: string, path: string, skipped: boolean][] = [
    ["replace", "new", "f.tar.gz", false],
    ["skip", "old", "f.tar.gz", true],
    ["rename", "old", "f.tar (2).gz", false],
  ];
  for (const [overwrite, content, name, skipped] of outcomes) {
    test(`publishes with "${overwrite}" over a file`, async (depot) => {
      for (const how of ["small", "part"]) {
        await depot.mkdir(at(how));
        await put(depot, [how, "f.tar.gz"], "old");
        await makePart(depot, "p", "new");
        const target = at(how, "f.tar.gz");
        const done = how === "small"
          ? await put(depot, target.path, "new", { overwrite })
          : await depot.commitPart("p", target, { size: 3, overwrite });
        assertEquals([done.path, done.skipped], [[how, name], skipped]);
        assertEquals(done.replacedBytes, overwrite === "replace" ? 3 : 0);
        assertEquals(await contentOf(depot, how, "f.tar.gz"), content);
        assertEquals(await contentOf(depot, how, name), skipped ? "old" : "new");
        await depot.removePart("p");
        assertEquals(await depot.listParts(), []);
      }
    });
  }

  test('publishes with "fail" only under a free name', async (depot) => {
    await put(depot, ["f"], "old", { overwrite: "fail" });
    await assertCode("EXISTS", () => put(depot, ["f"], "new", { overwrite: "fail" }));
    await makePart(depot, "p", "new");
    await assertCode(
      "EXISTS",
      () => depot.commitPart("p", at("f"), { size: 3, overwrite: "fail" }),
    );
    assertEquals(await contentOf(depot, "f"), "old");
    assertEquals(await depot.listParts(), ["p"]);
    await depot.commitPart("p", at("g"), { size: 3, overwrite: "fail" });
    assertEquals(await depot.listParts(), []);
  });

  test("says early what a commit would say", async (depot) => {
    await depot.mkdir(at("d"));
    const { entry } = await put(depot, ["f"], "old");
    assertEquals(await depot.checkTarget(at("f"), "skip"), entry);
    assertEquals(await depot.checkTarget(at("f"), "replace"), entry);
    assertEquals(await depot.checkTarget(at("f"), "rename"), null);
    assertEquals(await depot.checkTarget(at("g"), "fail"), null);
    await assertCode("EXISTS", () => depot.checkTarget(at("f"), "fail"));
    await assertCode("IS_FOLDER", () => depot.checkTarget(at("d"), "replace"));
    await assertCode("NOT_FOUND", () => depot.checkTarget(at("x", "f"), "replace"));
  });

  test("gives each of many commits to one name its own with rename", async (depot) => {
    const results = await Promise.all(
      ["a", "b", "c", "d"].map((content) =>
        put(depot, ["f"], content, { overwrite: "rename", durability: "commit" })
      ),
    );
    const names = results.map(({ path }) => path[0] ?? "");
    assertEquals(names.toSorted(), ["f", "f (2)", "f (3)", "f (4)"]);
    assertEquals((await Promise.all(names.map((name) => contentOf(depot, name)))).sort(), [
      ..."abcd",
    ]);
  });

  test("lets exactly one of many commits to one name in with fail", async (depot) => {
    const results = await Promise.allSettled(
      ["a", "b", "c"].map((content) => put(depot, ["f"], content, { overwrite: "fail" })),
    );
    assertEquals(results.filter(({ status }) => status === "fulfilled").length, 1);
  });

  test("adds replaced bytes up right under concurrent commits", async (depot) => {
    const results = await Promise.all(
      Array.from(
        { length: 8 },
        (_, i) => put(depot, ["f"], "x".repeat(i + 1), { durability: "commit" }),
      ),
    );
    const written = 36;
    const replaced = results.reduce((sum, { replacedBytes }) => sum + replacedBytes, 0);
    assertEquals(written - replaced, (await depot.stat(at("f"))).size);
  });
}

function testParts(test: Test): void {
  test("writes a part in any order and reads it back", async (depot) => {
    using part = await depot.createPart("p");
    await part.write(new TextEncoder().encode("world"), 6);
    await part.write(new TextEncoder().encode("hello "), 0);
    const buffer = new Uint8Array(20);
    assertEquals(await part.read(buffer, 0), 11);
    assertEquals(new TextDecoder().decode(buffer.subarray(0, 11)), "hello world");
    await assertCode("EXISTS", () => depot.createPart("p"));
    part.close();
    using again = await depot.openPart("p");
    assertEquals(await again.read(buffer, 6), 5);
    assertEquals(await depot.listParts(), ["p"]);
    assertEquals(await namesIn(depot), []);
  });

  test("cuts a part to its size and publishes it", async (depot) => {
    await makePart(depot, "p", "content and more");
    const done = await depot.commitPart("p", at("f"), {
      size: 7,
      overwrite: "replace",
      mtimeMs: 5000,
    });
    assertEquals([done.entry.size, done.entry.mtimeMs], [7, 5000]);
    assertEquals(await contentOf(depot, "f"), "content");
    assertEquals(await depot.listParts(), []);
  });

  test("refuses a part that is short, missing or no id", async (depot) => {
    await makePart(depot, "p", "abc");
    const options = { size: 4, overwrite: "replace" } as const;
    await assertCode("DIGEST_MISMATCH", () => depot.commitPart("p", at("f"), options));
    await assertCode("UPLOAD_NOT_FOUND", () => depot.commitPart("q", at("f"), options));
    await assertCode("UPLOAD_NOT_FOUND", () => depot.openPart("q"));
    await assertCode("UPLOAD_NOT_FOUND", () => depot.openPart("../homes/ada/f"));
    await assertCode("NOT_FOUND", () => depot.stat(at("f")));
    assertEquals(await depot.removePart("p"), true);
    assertEquals(await depot.removePart("p"), false);
  });

  test("tells its intent before anything is to be seen", async (depot) => {
    await put(depot, ["f"], "four");
    await makePart(depot, "p", "new");
    const intents: PublishIntent[] = [];
    const intent = async (told: PublishIntent) => {
      intents.push(told);
      assertEquals(await contentOf(depot, "f"), "four");
      assertEquals(await depot.traceCommit("p", at("f"), 3), "pending");
    };
    await depot.commitPart("p", at("f"), { size: 3, overwrite: "replace", intent });
    assertEquals(intents, [{ path: ["f"], size: 3, replacedBytes: 4, replacedFiles: 1 }]);
    assertEquals(await depot.traceCommit("p", at("f"), 3), "published");
    assertEquals(await depot.traceCommit("p", at("f"), 4), "lost");
    assertEquals(await depot.traceCommit("p", at("x", "f"), 3), "lost");
  });

  test("publishes nothing when its intent is refused", async (depot) => {
    const intent = () => Promise.reject(new TrivetError("QUOTA_EXCEEDED", "Cannot reserve"));
    await makePart(depot, "p", "new");
    const options = { size: 3, overwrite: "replace", intent } as const;
    await assertCode("QUOTA_EXCEEDED", () => depot.commitPart("p", at("f"), options));
    await assertCode("QUOTA_EXCEEDED", () => put(depot, ["f"], "new", { intent }));
    assertEquals(await namesIn(depot), []);
    assertEquals(await depot.listParts(), ["p"]);
  });
}

function testNames(test: Test, portable: Test): void {
  const nfd = "e\u0301.txt";
  const nfc = "\u00e9.txt";

  test("takes an NFD name for its NFC twin", async (depot) => {
    await put(depot, [nfd], "one");
    assertEquals(await contentOf(depot, nfc), "one");
    const { replacedBytes, path } = await put(depot, [nfc], "second");
    assertEquals([replacedBytes, path], [3, [nfc]]);
    assertEquals(await contentOf(depot, nfd), "second");
    assertEquals(await namesIn(depot), [nfc]);
  });

  test("takes names as they are", async (depot) => {
    const names = ["CON", "a.", "a ", "a:b", "A", "K", "\u212a", "`"];
    for (const name of names) await put(depot, [name], name.normalize("NFC"));
    const kept = [...new Set(names.map((name) => name.normalize("NFC")))];
    if (Deno.build.os === "linux") assertEquals((await namesIn(depot)).length, kept.length);
    for (const name of kept) assertEquals(await contentOf(depot, name), name);
  });

  portable("refuses names that differ only by case", async (depot) => {
    await depot.mkdir(at("Docs"));
    await put(depot, ["É.txt"], "x");
    const error = await assertCode("NAME_CASE_CONFLICT", () => depot.mkdir(at("docs")));
    assert(error.message.includes('"Docs"'));
    const conflict = (work: () => Promise<unknown>) => assertCode("NAME_CASE_CONFLICT", work);
    await conflict(() => depot.mkdir(at("docs", "x"), { parents: true }));
    for (const overwrite of ["replace", "skip", "fail", "rename"] as const) {
      await conflict(() => put(depot, [nfd], "y", { overwrite }));
      await conflict(() => depot.checkTarget(at("DOCS"), overwrite));
    }
    await assertCode("NOT_FOUND", () => depot.stat(at("docs")));
    await assertCode("NOT_FOUND", () => depot.openRead(at("é.TXT")));
    await assertCode("NOT_FOUND", () => put(depot, ["docs", "x"], "y"));
    assertEquals(await contentOf(depot, "É.txt"), "x");
  });

  portable("refuses what Windows cannot store", async (depot) => {
    for (const name of ["CON", "a.", "a:b"]) {
      await assertCode("NAME_NOT_PORTABLE", () => put(depot, [name], "x"));
      await assertCode("NAME_NOT_PORTABLE", () => depot.mkdir(at(name)));
    }
    await put(depot, ["fine"], "x");
    await put(depot, ["fine"], "yy");
    assertEquals(await namesIn(depot), ["fine"]);
  });

  portable("avoids twins when it renames", async (depot) => {
    await put(depot, ["f"], "x");
    await put(depot, ["F (2)"], "x");
    const { path } = await put(depot, ["f"], "y", { overwrite: "rename" });
    assertEquals(path, ["f (3)"]);
  });
}

function testRemoving(test: Test): void {
  test("removes empty folders only", async (depot) => {
    await depot.mkdir(at("a", "b"), { parents: true });
    await put(depot, ["f"], "x");
    await assertCode("FOLDER_NOT_EMPTY", () => depot.removeFolder(at("a")));
    await assertCode("NOT_FOLDER", () => depot.removeFolder(at("f")));
    await assertCode("NOT_FOUND", () => depot.removeFolder(at("x")));
    await assertCode("NOT_FOLDER", () => depot.removeFolder(at("f", "x")));
    await assertCode("PERMISSION_DENIED", () => depot.removeFolder(at()));
    await depot.removeFolder(at("a", "b"));
    await depot.removeFolder(at("a"));
    assertEquals(await namesIn(depot), ["f"]);
  });

  test("moves a file into the trash, back, and out of it for good", async (depot) => {
    await put(depot, ["f"], "hello");
    await depot.moveToTrash("t1", at("f"));
    assertEquals(await namesIn(depot), []);
    assertEquals(await depot.measureTrash("t1", at("f")), { bytes: 5, files: 1, entries: 1 });
    assertEquals(await depot.restoreTrash("t1", at("f"), { overwrite: "fail" }), ["f"]);
    assertEquals(await contentOf(depot, "f"), "hello");
    assertEquals(await depot.measureTrash("t1", at("f")), null);
    const again = () => depot.restoreTrash("t1", at("f"), { overwrite: "fail" });
    await assertCode("NOT_FOUND", again);
    await depot.moveToTrash("t2", at("f"));
    assertEquals(await depot.removeTrash("t2", "ada"), true);
    assertEquals(await depot.removeTrash("t2", "ada"), false);
    assertEquals(await depot.measureTrash("t2", at("f")), null);
  });

  test("moves a folder with all in it, only when asked to", async (depot) => {
    await depot.mkdir(at("a", "b"), { parents: true });
    await put(depot, ["a", "f"], "one");
    await put(depot, ["a", "b", "g"], "three");
    await assertCode("IS_FOLDER", () => depot.moveToTrash("t", at("a")));
    await assertCode("PERMISSION_DENIED", () => depot.moveToTrash("t", at(), { recursive: true }));
    await assertCode("NOT_FOUND", () => depot.moveToTrash("t", at("x")));
    await assertCode("NOT_FOUND", () => depot.moveToTrash("../t", at("a"), { recursive: true }));
    await depot.moveToTrash("t", at("a"), { recursive: true });
    assertEquals(await depot.measureTrash("t", at("a")), { bytes: 8, files: 2, entries: 4 });
    await depot.restoreTrash("t", at("a"), { overwrite: "fail" });
    assertEquals(await contentOf(depot, "a", "b", "g"), "three");
  });

  test("restores into folders that have gone, and beside what has the name", async (depot) => {
    await depot.mkdir(at("d"));
    await put(depot, ["d", "f.txt"], "old");
    await depot.moveToTrash("t", at("d", "f.txt"));
    await depot.removeFolder(at("d"));
    await depot.restoreTrash("t", at("d", "f.txt"), { overwrite: "fail" });
    await depot.moveToTrash("t", at("d", "f.txt"));
    await put(depot, ["d", "f.txt"], "new");
    const restore = (overwrite: "fail" | "rename") =>
      depot.restoreTrash("t", at("d", "f.txt"), { overwrite });
    await assertCode("EXISTS", () => restore("fail"));
    assertEquals(await depot.measureTrash("t", at("d", "f.txt")), {
      bytes: 3,
      files: 1,
      entries: 1,
    });
    assertEquals(await restore("rename"), ["d", "f (2).txt"]);
    assertEquals(await contentOf(depot, "d", "f.txt"), "new");
    assertEquals(await contentOf(depot, "d", "f (2).txt"), "old");
  });

  test("removes and moves nothing when the intent fails", async (depot) => {
    await put(depot, ["f"], "one");
    await put(depot, ["g"], "two");
    const intent = () => Promise.reject(new TrivetError("DISK_FULL", "No"));
    await assertCode("DISK_FULL", () => depot.moveToTrash("t", at("f"), { intent }));
    const move = { overwrite: "replace", intent } as const;
    await assertCode("DISK_FULL", () => depot.move(at("f"), at("g"), move));
    assertEquals(await depot.measureTrash("t", at("f")), null);
    assertEquals([await contentOf(depot, "f"), await contentOf(depot, "g")], ["one", "two"]);
  });

  test("refuses what changed while its intent was written down", async (depot) => {
    await put(depot, ["f"], "one");
    await put(depot, ["g"], "two");
    // A publication without an intent waits for nobody, as other programs do.
    const intent = async () => {
      await put(depot, ["f"], "newer");
    };
    await assertCode("CHANGED", () => depot.moveToTrash("t", at("f"), { intent }));
    await assertCode(
      "CHANGED",
      () => depot.move(at("f"), at("g"), { overwrite: "replace", intent }),
    );
    assertEquals([await contentOf(depot, "f"), await contentOf(depot, "g")], ["newer", "two"]);
  });

  test("waits with a removal for those who hold the home", async (depot) => {
    await put(depot, ["f"], "x");
    const held = await depot.holdHome("ada");
    const removed = depot.moveToTrash("t", at("f"));
    assertEquals(await depot.exists(at("f")), true);
    held[Symbol.dispose]();
    await removed;
    assertEquals(await depot.exists(at("f")), false);
  });
}

function testCopying(test: Test): void {
  test("copies a file into a part, which is published like any other", async (depot) => {
    await put(depot, ["f"], "content", { mtimeMs: 1000, mode: 0o755 });
    (await depot.createPart("c")).close();
    const copied = await depot.copyToPart("c", at("f"));
    assertEquals(copied, await depot.stat(at("f")));
    const options = { size: 7, overwrite: "fail", mtimeMs: 1000, mode: 0o755 } as const;
    const { entry } = await depot.commitPart("c", at("g"), options);
    assertEquals([entry.name, entry.size, entry.mtimeMs], ["g", 7, 1000]);
    assertEquals(entry.mode, (await depot.stat(at("f"))).mode);
    assertEquals(await contentOf(depot, "g"), "content");
    // It is a file of its own.
    await put(depot, ["f"], "other");
    assertEquals(await contentOf(depot, "g"), "content");
  });

  test("copies regular files only, into parts only, and not for those who gave up", async (depot) => {
    await depot.mkdir(at("d"));
    await put(depot, ["f"], "x");
    (await depot.createPart("c")).close();
    await assertCode("NOT_FOUND", () => depot.copyToPart("c", at("none")));
    await assertCode("IS_FOLDER", () => depot.copyToPart("c", at("d")));
    await assertCode("NOT_FOLDER", () => depot.copyToPart("c", at("f", "x")));
    await assertCode("UPLOAD_NOT_FOUND", () => depot.copyToPart("none", at("f")));
    const signal = AbortSignal.abort(new TrivetError("INTERRUPTED", "No"));
    await assertCode("INTERRUPTED", () => depot.copyToPart("c", at("f"), { signal }));
  });
}

function testRemovingUsers(test: Test): void {
  test("takes a home and its trash out of reach, and nobody else's", async (depot) => {
    const bob = { user: "bob", path: [] };
    await depot.createHome("bob");
    await depot.mkdir({ user: "bob", path: ["b"] });
    await put(depot, ["f"], "x");
    await put(depot, ["g"], "x");
    await depot.moveToTrash("t", at("g"));
    await depot.setAsideHome("ada");
    await assertCode("NOT_FOUND", () => depot.stat(at()));
    await assertCode("NOT_FOUND", () => put(depot, ["f"], "y"));
    assertEquals(await depot.measureTrash("t", at("g")), null);
    await depot.removeSetAside();
    assertEquals((await depot.list(bob, { limit: 10 })).entries.length, 1);
    await depot.createHome("ada");
    assertEquals(await namesIn(depot), []);
    // Again is harmless, and so is nothing to do.
    await depot.setAsideHome("eve");
    await depot.removeSetAside();
    await assertCode("USER_NAME_INVALID", () => depot.setAsideHome(".."));
  });

  test("keeps a home when only the trash is to go", async (depot) => {
    await put(depot, ["f"], "x");
    await put(depot, ["g"], "x");
    await depot.moveToTrash("t", at("g"));
    await depot.setAsideHome("ada", { keepHome: true });
    await depot.removeSetAside();
    assertEquals(await namesIn(depot), ["f"]);
    assertEquals(await depot.measureTrash("t", at("g")), null);
  });
}

function testMoving(test: Test, portable: Test): void {
  test("moves files and folders", async (depot) => {
    await depot.mkdir(at("a"));
    await depot.mkdir(at("b"));
    await put(depot, ["a", "f"], "x");
    const { name, type } = await depot.move(at("a", "f"), at("b", "g"), { overwrite: "fail" });
    assertEquals([name, type], ["g", "file"]);
    assertEquals((await depot.move(at("b"), at("a", "c"), { overwrite: "fail" })).type, "folder");
    assertEquals(await contentOf(depot, "a", "c", "g"), "x");
    assertEquals(await namesIn(depot), ["a"]);
  });

  test("moves over a file only with replace, and tells its size", async (depot) => {
    await put(depot, ["f"], "new");
    await put(depot, ["g"], "older");
    await assertCode("EXISTS", () => depot.move(at("f"), at("g"), { overwrite: "fail" }));
    const told: number[] = [];
    const intent = ({ replacedBytes }: { replacedBytes: number }) => {
      told.push(replacedBytes);
      return Promise.resolve();
    };
    await depot.move(at("f"), at("g"), { overwrite: "replace", intent });
    assertEquals([told, await namesIn(depot)], [[5], ["g"]]);
    assertEquals(await contentOf(depot, "g"), "new");
    await depot.move(at("g"), at("h"), { overwrite: "replace", intent });
    assertEquals(told, [5]);
  });

  test("refuses moves that would lose or tangle something", async (depot) => {
    await depot.mkdir(at("a", "b"), { parents: true });
    await depot.mkdir(at("empty"));
    await put(depot, ["f"], "x");
    const refused = (code: ErrorCode, from: string[], to: string[]) =>
      assertCode(code, () => depot.move(at(...from), at(...to), { overwrite: "replace" }));
    await refused("INTO_ITSELF", ["a"], ["a", "b", "c"]);
    await refused("EXISTS", ["a"], ["a"]);
    await refused("EXISTS", ["f"], ["f"]);
    await refused("EXISTS", ["a"], ["empty"]);
    await refused("EXISTS", ["a"], ["f"]);
    await refused("EXISTS", ["f"], []);
    await refused("IS_FOLDER", ["f"], ["empty"]);
    await refused("NOT_FOUND", ["x"], ["y"]);
    await refused("NOT_FOUND", ["f"], ["x", "y"]);
    await refused("NOT_FOLDER", ["a"], ["f", "y"]);
    await refused("PERMISSION_DENIED", [], ["x"]);
    assertEquals(await namesIn(depot), ["a", "empty", "f"]);
  });

  portable("knows the names that removals and moves leave", async (depot) => {
    await put(depot, ["f"], "x");
    await depot.move(at("f"), at("F"), { overwrite: "fail" });
    await assertCode("NAME_CASE_CONFLICT", () => put(depot, ["f"], "y"));
    await put(depot, ["g"], "z");
    await assertCode(
      "NAME_CASE_CONFLICT",
      () => depot.move(at("g"), at("f"), { overwrite: "replace" }),
    );
    await depot.moveToTrash("t", at("F"));
    await put(depot, ["f"], "y");
    await assertCode(
      "NAME_CASE_CONFLICT",
      () => depot.restoreTrash("t", at("F"), { overwrite: "rename" }),
    );
    await depot.mkdir(at("D"));
    await depot.removeFolder(at("D"));
    await depot.mkdir(at("d"));
    assertEquals(await namesIn(depot), ["d", "f", "g"]);
  });
}
