/**
 * What every `Catalog` must do. An implementation's test file calls `testCatalog` with a way to open
 * one that is empty.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Verifier } from "../../../lib/auth/verifier.ts";
import { type ErrorCode, TrivetError } from "../../../lib/errors.ts";
import {
  type Catalog,
  type NewToken,
  type NewUpload,
  TOKEN_USE_ROUND_MS,
  type TrashQuery,
} from "../../../server/store/catalog.ts";
import { testBatches } from "./catalog_batch_contract.ts";
import { testAccess } from "./access_contract.ts";
import { testWholeAccounts } from "./accounts_contract.ts";
import { testInvites } from "./invites_contract.ts";

/** A clock that tests set. */
export interface FakeClock {
  nowMs: number;
}

/** Opens an empty catalog and runs `work` with it. */
export type WithCatalog = (
  work: (catalog: Catalog, clock: FakeClock) => Promise<void>,
) => Promise<void>;

const VERIFIER: Verifier = {
  salt: new Uint8Array(16).fill(1),
  iterations: 600_000,
  storedKey: new Uint8Array(32).fill(2),
  serverKey: new Uint8Array(32).fill(3),
};

/** A user with a quota. */
export async function addUser(catalog: Catalog, name = "ada", quotaBytes = 1000): Promise<void> {
  await catalog.createUser({ name, verifier: VERIFIER, quotaBytes });
}

/** An upload to open. */
export function newUpload(id: string, change: Partial<NewUpload> = {}): NewUpload {
  return {
    id,
    user: "ada",
    path: ["docs", id],
    pathKey: `docs/${id}`,
    size: 100,
    chunkBytes: 1024 * 1024,
    overwrite: "replace",
    reserveBytes: 100,
    reserveFiles: 1,
    ...change,
  };
}

function newToken(change: Partial<NewToken> = {}): NewToken {
  return {
    hash: new Uint8Array(32).fill(7),
    user: "ada",
    kind: "session",
    scope: "full",
    pathPrefix: [],
    expiresAtMs: null,
    label: "laptop",
    ...change,
  };
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

/** Bytes that a user's account counts. */
export async function used(catalog: Catalog, name = "ada"): Promise<number> {
  return (await catalog.findUser(name))?.usedBytes ?? -1;
}

const INTENT = {
  path: ["docs", "a"],
  size: 100,
  replacedBytes: 0,
  replacedFiles: 0,
  durability: "commit",
} as const;

/** Registers the suite. */
export function testCatalog(name: string, withCatalog: WithCatalog): void {
  const test = (
    behaviour: string,
    work: (catalog: Catalog, clock: FakeClock) => Promise<void>,
  ) => Deno.test(`${name} ${behaviour}`, () => withCatalog(work));
  testAccounts(test);
  testUploads(test);
  testQuota(test);
  testCommits(test);
  testTrash(test);
  testMoves(test);
  testBatches(test);
  testAccess(test);
  testInvites(test);
  testWholeAccounts(test);
}

/** Registers one test of the suite. */
export type Test = (
  behaviour: string,
  work: (catalog: Catalog, clock: FakeClock) => Promise<void>,
) => void;

function testAccounts(test: Test): void {
  test("keeps an account and its verifier", async (catalog, clock) => {
    clock.nowMs = 5000;
    await addUser(catalog);
    assertEquals(await catalog.findUser("ada"), {
      name: "ada",
      quotaBytes: 1000,
      usedBytes: 0,
      quotaFiles: null,
      usedFiles: 0,
      createdAtMs: 5000,
      disabled: false,
    });
    assertEquals(await catalog.findVerifier("ada"), VERIFIER);
    assertEquals(await catalog.findUser("eve"), null);
    assertEquals(await catalog.findVerifier("eve"), null);
  });

  test("refuses a name that is taken, also by two at once", async (catalog) => {
    const results = await Promise.allSettled([
      addUser(catalog),
      addUser(catalog),
      addUser(catalog),
    ]);
    assertEquals(results.filter(({ status }) => status === "fulfilled").length, 1);
    await assertCode("USER_EXISTS", () => addUser(catalog));
  });

  test("finds a token until it ends or is revoked", async (catalog, clock) => {
    await addUser(catalog);
    clock.nowMs = 1000;
    const token = newToken({ expiresAtMs: 2000, pathPrefix: ["a", "b"], scope: "read" });
    assertEquals((await catalog.addToken(token)).createdAtMs, 1000);
    clock.nowMs = 1999;
    const found = await catalog.findToken(token.hash);
    assertEquals(found, { ...token, createdAtMs: 1000, lastUsedAtMs: 0 });
    clock.nowMs = 2000;
    assertEquals(await catalog.findToken(token.hash), null);
    clock.nowMs = 1000;
    assertEquals(await catalog.revokeToken(token.hash), true);
    assertEquals(await catalog.revokeToken(token.hash), false);
    assertEquals(await catalog.findToken(token.hash), null);
  });

  test("rounds the last use of a token", async (catalog, clock) => {
    await addUser(catalog);
    const { hash } = await catalog.addToken(newToken());
    clock.nowMs = 2 * TOKEN_USE_ROUND_MS + 1;
    assertEquals((await catalog.findToken(hash))?.lastUsedAtMs, 2 * TOKEN_USE_ROUND_MS);
    clock.nowMs = 3 * TOKEN_USE_ROUND_MS - 1;
    assertEquals((await catalog.findToken(hash))?.lastUsedAtMs, 2 * TOKEN_USE_ROUND_MS);
    clock.nowMs = 3 * TOKEN_USE_ROUND_MS;
    assertEquals((await catalog.findToken(hash))?.lastUsedAtMs, 3 * TOKEN_USE_ROUND_MS);
  });

  test("removes tokens that have ended, and no others", async (catalog, clock) => {
    await addUser(catalog);
    await catalog.addToken(newToken({ hash: new Uint8Array(32).fill(1), expiresAtMs: 10 }));
    await catalog.addToken(newToken({ hash: new Uint8Array(32).fill(2), expiresAtMs: 11 }));
    await catalog.addToken(newToken({ hash: new Uint8Array(32).fill(3) }));
    clock.nowMs = 10;
    assertEquals(await catalog.removeExpiredTokens(), 1);
    assert(await catalog.findToken(new Uint8Array(32).fill(2)) !== null);
    assert(await catalog.findToken(new Uint8Array(32).fill(3)) !== null);
  });

  test("refuses a token and an upload of nobody", async (catalog) => {
    await assertCode("NOT_FOUND", () => catalog.addToken(newToken()));
    await assertCode("NOT_FOUND", () => catalog.openUpload(newUpload("a")));
  });

  test("makes a setting once", async (catalog) => {
    const made = await Promise.all(
      [1, 2].map((n) => catalog.setting("secret", () => new Uint8Array([n]))),
    );
    assertEquals(made[0], made[1]);
    assertEquals(await catalog.setting("secret", () => new Uint8Array([9])), made[0]);
    assertEquals(await catalog.setting("other", () => new Uint8Array([9])), new Uint8Array([9]));
  });
}

function testUploads(test: Test): void {
  test("opens one upload for a path", async (catalog, clock) => {
    await addUser(catalog);
    clock.nowMs = 7;
    const first = await catalog.openUpload(newUpload("a"));
    assertEquals(first, {
      created: true,
      upload: {
        id: "a",
        user: "ada",
        kind: "upload",
        state: "open",
        path: ["docs", "a"],
        size: 100,
        chunkBytes: 1024 * 1024,
        overwrite: "replace",
        reservedBytes: 100,
        reservedFiles: 1,
        replacedBytes: 0,
        replacedFiles: 0,
        createdAtMs: 7,
        touchedAtMs: 7,
      },
    });
    const again = await catalog.openUpload(newUpload("b", { pathKey: "docs/a", size: 1 }));
    assertEquals(again, { created: false, upload: first.upload });
    assertEquals(await catalog.findUpload("ada", "docs/a"), first.upload);
    assertEquals(await catalog.findUploadById("a"), first.upload);
    assertEquals(await catalog.findUpload("ada", "docs/b"), null);
    assertEquals(await catalog.findUploadById("b"), null);
    assertEquals(await used(catalog), 100);
  });

  test("notes the use of an upload", async (catalog, clock) => {
    await addUser(catalog);
    await catalog.openUpload(newUpload("a", { size: null, reserveBytes: 0 }));
    clock.nowMs = 50;
    await catalog.touchUpload("a", { overwrite: "fail" });
    const upload = await catalog.findUploadById("a");
    assertEquals([upload?.touchedAtMs, upload?.overwrite, upload?.size], [50, "fail", null]);
    await catalog.touchUpload("a");
    assertEquals((await catalog.findUploadById("a"))?.overwrite, "fail");
    await assertCode("UPLOAD_NOT_FOUND", () => catalog.touchUpload("b"));
  });

  test("lists uploads by page, state and age", async (catalog, clock) => {
    await addUser(catalog);
    for (const id of ["c", "a", "b"]) {
      clock.nowMs++;
      await catalog.openUpload(newUpload(id, { reserveBytes: 1, size: 1 }));
    }
    await catalog.beginCommit("b", { ...INTENT, size: 1 });
    const ids = async (query: Parameters<Catalog["listUploads"]>[0]) =>
      (await catalog.listUploads(query)).map(({ id }) => id);
    assertEquals(await ids({ limit: 2 }), ["a", "b"]);
    assertEquals(await ids({ after: "b", limit: 2 }), ["c"]);
    assertEquals(await ids({ state: "committing", limit: 9 }), ["b"]);
    assertEquals(await ids({ state: "open", limit: 9 }), ["a", "c"]);
    assertEquals(await ids({ touchedBeforeMs: 2, limit: 9 }), ["c"]);
  });

  test("keeps a journal of chunks", async (catalog) => {
    await addUser(catalog);
    await catalog.openUpload(newUpload("a"));
    await catalog.openUpload(newUpload("b"));
    const digest = (n: number) => new Uint8Array(16).fill(n);
    await catalog.addChunks("a", [5, 0, 3].map((index) => ({ index, digest: digest(index) })));
    await catalog.addChunks("b", [{ index: 1, digest: digest(9) }]);
    await catalog.addChunks("a", [{ index: 3, digest: digest(33) }]);
    assertEquals(await catalog.countChunks("a"), 3);
    assertEquals(await catalog.chunks("a", 0, 2), [
      { index: 0, digest: digest(0) },
      { index: 3, digest: digest(33) },
    ]);
    assertEquals(await catalog.chunks("a", 4, 2), [{ index: 5, digest: digest(5) }]);
    await catalog.removeChunks("a", [0, 5, 77]);
    assertEquals((await catalog.chunks("a", 0, 9)).map(({ index }) => index), [3]);
    await catalog.discardUpload("a");
    assertEquals(await catalog.countChunks("a"), 0);
    assertEquals(await catalog.countChunks("b"), 1);
    await assertCode("UPLOAD_NOT_FOUND", () => catalog.addChunks("a", []));
    await catalog.removeChunks("a", [1]);
  });
}

function testQuota(test: Test): void {
  test("refuses an upload beyond the quota, with the numbers", async (catalog) => {
    await addUser(catalog, "ada", 1000);
    await catalog.openUpload(newUpload("a", { reserveBytes: 600 }));
    const error = await assertCode(
      "QUOTA_EXCEEDED",
      () => catalog.openUpload(newUpload("b", { reserveBytes: 401 })),
    );
    assertEquals(error.details, { need_bytes: 401, have_bytes: 400 });
    assertEquals(await catalog.findUploadById("b"), null);
    assertEquals(await used(catalog), 600);
    await catalog.openUpload(newUpload("b", { reserveBytes: 400 }));
    assertEquals(await used(catalog), 1000);
    await catalog.openUpload(newUpload("empty", { reserveBytes: 0, size: 0 }));
  });

  test("lets exactly one of three uploads in that fit only alone", async (catalog) => {
    await addUser(catalog, "ada", 45);
    const results = await Promise.allSettled(
      ["a", "b", "c"].map((id) => catalog.openUpload(newUpload(id, { reserveBytes: 40 }))),
    );
    assertEquals(results.filter(({ status }) => status === "fulfilled").length, 1);
    assertEquals(await used(catalog), 40);
  });

  test("grows and shrinks a reservation", async (catalog) => {
    await addUser(catalog, "ada", 1000);
    await catalog.openUpload(newUpload("a", { size: null, reserveBytes: 0 }));
    await catalog.reserve("a", 1000);
    assertEquals(await used(catalog), 1000);
    const error = await assertCode("QUOTA_EXCEEDED", () => catalog.reserve("a", 1001));
    assertEquals(error.details, { need_bytes: 1, have_bytes: 0 });
    await catalog.reserve("a", 10);
    assertEquals(await used(catalog), 10);
    assertEquals((await catalog.findUploadById("a"))?.reservedBytes, 10);
    assertEquals(await catalog.discardUpload("a"), true);
    assertEquals(await catalog.discardUpload("a"), false);
    assertEquals(await used(catalog), 0);
    await assertCode("UPLOAD_NOT_FOUND", () => catalog.reserve("a", 1));
  });

  test("counts users apart", async (catalog) => {
    await addUser(catalog, "ada", 100);
    await addUser(catalog, "bob", 100);
    await catalog.openUpload(newUpload("a", { reserveBytes: 100 }));
    await catalog.openUpload(newUpload("b", { user: "bob", pathKey: "docs/a", reserveBytes: 99 }));
    assertEquals([await used(catalog, "ada"), await used(catalog, "bob")], [100, 99]);
  });
}

function testCommits(test: Test): void {
  test("swaps the reservation for the size and releases what was replaced", async (catalog) => {
    await addUser(catalog);
    await catalog.openUpload(newUpload("old", { reserveBytes: 300 }));
    await catalog.beginCommit("old", { ...INTENT, size: 300 });
    await catalog.finishCommit("old");
    assertEquals(await used(catalog), 300);

    await catalog.openUpload(newUpload("a", { size: null, reserveBytes: 500 }));
    await catalog.addChunks("a", [{ index: 0, digest: new Uint8Array(16) }]);
    await catalog.beginCommit("a", {
      ...INTENT,
      path: ["docs", "a (2)"],
      replacedBytes: 300,
      replacedFiles: 1,
    });
    const upload = await catalog.findUploadById("a");
    assertEquals(
      [upload?.state, upload?.path, upload?.size, upload?.replacedBytes],
      ["committing", ["docs", "a (2)"], 100, 300],
    );
    assertEquals(await used(catalog), 800);
    await assertCode("UPLOAD_NOT_FOUND", () => catalog.addChunks("a", []));
    await catalog.finishCommit("a");
    assertEquals(await used(catalog), 100);
    assertEquals(await catalog.findUploadById("a"), null);
    await assertCode("UPLOAD_NOT_FOUND", () => catalog.finishCommit("a"));
  });

  test("opens an upload again when its commit is aborted", async (catalog) => {
    await addUser(catalog);
    const { upload } = await catalog.openUpload(newUpload("a"));
    await catalog.addChunks("a", [{ index: 0, digest: new Uint8Array(16) }]);
    await assertCode("UPLOAD_NOT_FOUND", () => catalog.finishCommit("a"));
    await catalog.beginCommit("a", { ...INTENT, path: ["other"], replacedBytes: 5 });
    await catalog.abortCommit("a");
    assertEquals(await catalog.findUploadById("a"), upload);
    assertEquals(await catalog.countChunks("a"), 1);
    assertEquals(await used(catalog), 100);
  });

  test("reserves a size above the reservation at the commit", async (catalog) => {
    await addUser(catalog, "ada", 200);
    await catalog.openUpload(newUpload("a", { size: null, reserveBytes: 100 }));
    await assertCode("QUOTA_EXCEEDED", () => catalog.beginCommit("a", { ...INTENT, size: 201 }));
    assertEquals((await catalog.findUploadById("a"))?.state, "open");
    await catalog.beginCommit("a", { ...INTENT, size: 200 });
    assertEquals(await used(catalog), 200);
    await catalog.finishCommit("a");
    assertEquals(await used(catalog), 200);
  });

  test("counts a small file between its intent and its end", async (catalog) => {
    await addUser(catalog, "ada", 200);
    await catalog.beginWrite({ ...INTENT, id: "s", user: "ada" });
    assertEquals((await catalog.findUploadById("s"))?.kind, "small");
    assertEquals(await used(catalog), 100);
    const second = { ...INTENT, id: "s", user: "ada", path: ["a (2)"], replacedBytes: 0 };
    await catalog.beginWrite(second);
    assertEquals((await catalog.findUploadById("s"))?.path, ["a (2)"]);
    assertEquals(await used(catalog), 100);
    await catalog.finishCommit("s");
    assertEquals(await used(catalog), 100);
    await assertCode(
      "QUOTA_EXCEEDED",
      () => catalog.beginWrite({ ...INTENT, id: "t", user: "ada", size: 101 }),
    );
    assertEquals(await catalog.findUploadById("t"), null);
    await catalog.beginWrite({ ...INTENT, id: "t", user: "ada", replacedBytes: 100 });
    await catalog.abortCommit("t");
    assertEquals(await catalog.findUploadById("t"), null);
    assertEquals(await used(catalog), 100);
  });

  test("takes many small files at once, each on its own", async (catalog) => {
    await addUser(catalog, "ada", 1000);
    const results = await Promise.allSettled(
      Array.from(
        { length: 30 },
        (_, i) => catalog.beginWrite({ ...INTENT, id: `s${i}`, user: i === 3 ? "eve" : "ada" }),
      ),
    );
    assertEquals(results.filter(({ status }) => status === "fulfilled").length, 10);
    assertEquals(results[3]?.status, "rejected");
    assertEquals(await used(catalog), 1000);
    assertEquals((await catalog.listUploads({ limit: 99 })).length, 10);
  });

  test("never counts below zero", async (catalog) => {
    await addUser(catalog);
    await catalog.beginWrite({ ...INTENT, id: "s", user: "ada", size: 1, replacedBytes: 500 });
    await catalog.finishCommit("s");
    assertEquals(await used(catalog), 0);
  });
}

/** Bytes of a small file that the user's account counts. */
async function addFile(catalog: Catalog, id: string, size: number): Promise<void> {
  await catalog.beginWrite({ ...INTENT, id, user: "ada", size });
  await catalog.finishCommit(id);
}

const ITEM = { id: "t1", user: "ada", path: ["docs", "a"], kind: "file" } as const;

function testTrash(test: Test): void {
  test("counts what lies in the trash until it is deleted", async (catalog, clock) => {
    await addUser(catalog);
    await addFile(catalog, "f", 300);
    clock.nowMs = 77;
    await catalog.beginRemoval(ITEM);
    assertEquals((await catalog.findTrash("t1"))?.state, "moving");
    await assertCode("TRASH_NOT_FOUND", () => catalog.beginTrashExit("t1", "emptying"));
    await catalog.finishRemoval("t1", { bytes: 300, files: 1, entries: 1 });
    await assertCode(
      "TRASH_NOT_FOUND",
      () => catalog.finishRemoval("t1", { bytes: 1, files: 1, entries: 1 }),
    );
    const kept = {
      ...ITEM,
      state: "kept",
      deletedAtMs: 77,
      bytes: 300,
      files: 1,
      entries: 1,
    } as const;
    assertEquals(await catalog.findTrash("t1"), { ...kept, path: ["docs", "a"] });
    assertEquals(await catalog.finishTrashExit("t1"), false);
    assertEquals(await catalog.usage("ada"), {
      quotaBytes: 1000,
      usedBytes: 300,
      partialBytes: 0,
      trashBytes: 300,
      quotaFiles: null,
      usedFiles: 1,
    });
    await catalog.beginTrashExit("t1", "emptying");
    await catalog.beginTrashExit("t1", "emptying");
    await assertCode("TRASH_NOT_FOUND", () => catalog.beginTrashExit("t1", "restoring"));
    await catalog.abortTrash("t1");
    assertEquals((await catalog.findTrash("t1"))?.state, "emptying");
    assertEquals(await used(catalog), 300);
    assertEquals(await catalog.finishTrashExit("t1"), true);
    assertEquals(await catalog.finishTrashExit("t1"), false);
    assertEquals(await used(catalog), 0);
    assertEquals(await catalog.findTrash("t1"), null);
  });

  test("counts what was restored as before", async (catalog) => {
    await addUser(catalog);
    await addFile(catalog, "f", 300);
    await catalog.beginRemoval(ITEM);
    await catalog.finishRemoval("t1", { bytes: 300, files: 1, entries: 1 });
    await catalog.beginTrashExit("t1", "restoring");
    await assertCode("TRASH_NOT_FOUND", () => catalog.beginTrashExit("t1", "restoring"));
    await catalog.abortTrash("t1");
    assertEquals((await catalog.findTrash("t1"))?.state, "kept");
    await catalog.beginTrashExit("t1", "restoring");
    assertEquals(await catalog.finishTrashExit("t1"), true);
    assertEquals([await used(catalog), await catalog.findTrash("t1")], [300, null]);
  });

  test("forgets a removal that never happened, and knows no items of nobody", async (catalog) => {
    await assertCode("NOT_FOUND", () => catalog.beginRemoval(ITEM));
    await addUser(catalog);
    await catalog.beginRemoval(ITEM);
    await catalog.abortTrash("t1");
    assertEquals(await catalog.findTrash("t1"), null);
    await assertCode("TRASH_NOT_FOUND", () => catalog.beginTrashExit("t1", "emptying"));
    assertEquals(await catalog.usage("eve"), null);
  });

  test("lists the trash in pages, by user and state", async (catalog) => {
    await addUser(catalog);
    await addUser(catalog, "bob");
    for (const id of ["3", "1", "2"]) {
      await catalog.beginRemoval({ ...ITEM, id });
      await catalog.finishRemoval(id, { bytes: 0, files: 1, entries: 1 });
    }
    await catalog.beginRemoval({ ...ITEM, id: "4" });
    await catalog.beginRemoval({ ...ITEM, id: "5", user: "bob" });
    const list = async (query: Omit<TrashQuery, "limit">, limit = 9) =>
      (await catalog.listTrash({ ...query, limit })).map(({ id }) => id);
    const states = ["kept"] as const;
    assertEquals(await list({ user: "ada", states }), ["1", "2", "3"]);
    assertEquals(await list({ user: "ada", states, after: "1" }, 1), ["2"]);
    assertEquals(await list({ states: ["moving"] }), ["4", "5"]);
    assertEquals(await list({ user: "bob", states }), []);
  });
}

function testMoves(test: Test): void {
  const MOVE = { user: "ada", from: ["a"], to: ["docs", "b"], replacedBytes: 30 };

  test("gives the bytes of a replaced file back once the move is done", async (catalog) => {
    await assertCode("NOT_FOUND", () => catalog.beginMove({ ...MOVE, id: "m" }));
    await addUser(catalog);
    await addFile(catalog, "f", 100);
    await catalog.openUpload(newUpload("u"));
    await catalog.beginMove({ ...MOVE, id: "m2" });
    await catalog.beginMove({ ...MOVE, id: "m1" });
    assertEquals(await catalog.listMoves(1), [{ ...MOVE, id: "m1" }]);
    assertEquals((await catalog.listMoves(3)).length, 2);
    await catalog.endMove("m1", false);
    assertEquals(await used(catalog), 200);
    await catalog.endMove("m2", true);
    await catalog.endMove("m2", true);
    assertEquals(await catalog.listMoves(3), []);
    const usage = await catalog.usage("ada");
    assertEquals([usage?.usedBytes, usage?.partialBytes], [170, 100]);
  });
}
