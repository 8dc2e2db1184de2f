/**
 * What every `Catalog` must do for an administrator. An implementation's test file calls
 * `testAccountCatalog` with a way to open one that is empty.
 *
 * @module
 */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Verifier } from "../../../lib/auth/verifier.ts";
import type { Catalog, NewToken } from "../../../server/store/catalog.ts";
import {
  addUser,
  assertCode,
  type FakeClock,
  newUpload,
  type WithCatalog,
} from "./catalog_contract.ts";

/** A verifier whose every byte is `fill`. */
function verifierOf(fill: number): Verifier {
  return {
    salt: new Uint8Array(16).fill(fill),
    iterations: 600_000,
    storedKey: new Uint8Array(32).fill(fill),
    serverKey: new Uint8Array(32).fill(fill),
  };
}

function hashOf(fill: number): Uint8Array {
  return new Uint8Array(32).fill(fill);
}

/** Id of the session whose token's hash is `hashOf(fill)`. */
function idOf(fill: number): string {
  return fill.toString(16).padStart(2, "0").repeat(6);
}

function tokenOf(fill: number, change: Partial<NewToken> = {}): NewToken {
  return {
    hash: hashOf(fill),
    user: "ada",
    kind: "session",
    scope: "full",
    pathPrefix: [],
    expiresAtMs: null,
    label: `device ${fill}`,
    ...change,
  };
}

type Test = (
  behaviour: string,
  work: (catalog: Catalog, clock: FakeClock) => Promise<void>,
) => void;

/** Registers the suite. */
export function testAccountCatalog(name: string, withCatalog: WithCatalog): void {
  const test: Test = (behaviour, work) =>
    Deno.test(`${name} ${behaviour}`, () => withCatalog(work));
  testUsers(test);
  testFileQuota(test);
  testRemoval(test);
  testSessions(test);
  testEndedLogins(test);
}

function testUsers(test: Test): void {
  test("lists accounts by name, in pages", async (catalog) => {
    for (const name of ["bob", "ada", "cy"]) await addUser(catalog, name);
    const names = async (query: { after?: string; limit: number }) =>
      (await catalog.listUsers(query)).map((user) => user.name);
    assertEquals(await names({ limit: 10 }), ["ada", "bob", "cy"]);
    assertEquals(await names({ limit: 2 }), ["ada", "bob"]);
    assertEquals(await names({ after: "bob", limit: 2 }), ["cy"]);
  });

  test("counts the next reservation against a new quota", async (catalog) => {
    await addUser(catalog, "ada", 150);
    await catalog.openUpload(newUpload("a"));
    await assertCode("QUOTA_EXCEEDED", () => catalog.openUpload(newUpload("b")));
    assertEquals((await catalog.setQuota("ada", { quotaBytes: 200 })).quotaBytes, 200);
    await catalog.openUpload(newUpload("b"));
    // Below what is used: nothing is taken away, nothing more fits.
    await catalog.setQuota("ada", { quotaBytes: 10 });
    const error = await assertCode("QUOTA_EXCEEDED", () => catalog.openUpload(newUpload("c")));
    assertEquals(error.details, { need_bytes: 100, have_bytes: 0 });
    assertEquals((await catalog.setQuota("ada", {})).quotaBytes, 10);
  });

  test("replaces a verifier and ends sessions, but not access tokens", async (catalog, clock) => {
    await addUser(catalog);
    await catalog.addToken(tokenOf(1));
    await catalog.addToken(tokenOf(2, { kind: "api" }));
    const epoch = await catalog.authEpoch("ada");
    clock.nowMs = 77;
    await catalog.setVerifier("ada", verifierOf(9));
    assertEquals(await catalog.findVerifier("ada"), verifierOf(9));
    assertEquals(await catalog.findToken(hashOf(1)), null);
    assertEquals((await catalog.findToken(hashOf(2)))?.kind, "api");
    assertNotEquals(await catalog.authEpoch("ada"), epoch);
  });

  test("refuses and allows logins; refusing ends sessions for good", async (catalog) => {
    await addUser(catalog);
    await catalog.addToken(tokenOf(1));
    await catalog.addToken(tokenOf(2, { kind: "api" }));
    assertEquals((await catalog.setDisabled("ada", true)).disabled, true);
    assertEquals(await catalog.findVerifier("ada"), null);
    assertEquals(await catalog.findToken(hashOf(2)), null);
    assertEquals((await catalog.setDisabled("ada", false)).disabled, false);
    assertNotEquals(await catalog.findVerifier("ada"), null);
    assertEquals(await catalog.findToken(hashOf(1)), null);
    assertEquals((await catalog.findToken(hashOf(2)))?.kind, "api");
  });

  test("knows no account that is not there", async (catalog) => {
    await assertCode("USER_NOT_FOUND", () => catalog.setQuota("eve", { quotaBytes: 1 }));
    await assertCode("USER_NOT_FOUND", () => catalog.setVerifier("eve", verifierOf(1)));
    await assertCode("USER_NOT_FOUND", () => catalog.setDisabled("eve", true));
    await assertCode("USER_NOT_FOUND", () => catalog.removeUser("eve"));
    await assertCode("USER_NOT_FOUND", () => catalog.endSessions("eve"));
    assertEquals(await catalog.authEpoch("eve"), null);
  });
}

/** Files that ada's account counts. */
async function files(catalog: Catalog): Promise<number> {
  return (await catalog.findUser("ada"))?.usedFiles ?? -1;
}

const INTENT = { path: ["docs", "a"], size: 100, durability: "os" } as const;
const NEW = { ...INTENT, replacedBytes: 0, replacedFiles: 0 };
const REPLACING = { ...INTENT, replacedBytes: 100, replacedFiles: 1 };

function testFileQuota(test: Test): void {
  test("holds a quota in files, and says what is needed and left", async (catalog) => {
    await catalog.createUser({
      name: "ada",
      verifier: verifierOf(1),
      quotaBytes: 1000,
      quotaFiles: 2,
    });
    assertEquals((await catalog.findUser("ada"))?.quotaFiles, 2);
    await catalog.openUpload(newUpload("a"));
    await catalog.beginWrite({ ...NEW, id: "s", user: "ada" });
    await catalog.finishCommit("s");
    assertEquals(await files(catalog), 2);
    const error = await assertCode("QUOTA_EXCEEDED", () => catalog.openUpload(newUpload("b")));
    assertEquals(error.details, { need_files: 1, have_files: 0 });
    await assertCode("QUOTA_EXCEEDED", () => catalog.beginWrite({ ...NEW, id: "t", user: "ada" }));
    // What is refused takes nothing, of bytes neither.
    assertEquals((await catalog.usage("ada"))?.usedBytes, 200);
    // Replacing needs no place.
    await catalog.openUpload(newUpload("c", { reserveFiles: 0 }));
    await catalog.beginWrite({ ...REPLACING, id: "t", user: "ada" });
    await catalog.finishCommit("t");
    assertEquals(await files(catalog), 2);
    await catalog.setQuota("ada", { quotaFiles: 3 });
    await catalog.openUpload(newUpload("d"));
    await assertCode("QUOTA_EXCEEDED", () => catalog.openUpload(newUpload("e")));
    await catalog.setQuota("ada", { quotaFiles: null });
    await catalog.openUpload(newUpload("e"));
    assertEquals(await files(catalog), 4);
    assertEquals((await catalog.usage("ada"))?.quotaFiles, null);
  });

  test("counts each file once, however its upload ends", async (catalog) => {
    await addUser(catalog, "ada", 10_000);
    const commit = async (id: string, reserveFiles: number, intent: typeof NEW) => {
      await catalog.openUpload(newUpload(id, { reserveFiles }));
      await catalog.beginCommit(id, intent);
      await catalog.finishCommit(id);
      return await files(catalog);
    };
    assertEquals(await commit("a", 1, NEW), 1);
    assertEquals(await commit("b", 0, REPLACING), 1);
    // The name was taken meanwhile, or has become free.
    assertEquals(await commit("c", 1, REPLACING), 1);
    assertEquals(await commit("d", 0, NEW), 2);
    await catalog.openUpload(newUpload("e"));
    await catalog.reserve("e", 500);
    assertEquals(await files(catalog), 3);
    await catalog.beginCommit("e", NEW);
    await catalog.abortCommit("e");
    assertEquals(await files(catalog), 3);
    await catalog.discardUpload("e");
    assertEquals(await files(catalog), 2);
    await catalog.beginWrite({ ...NEW, id: "s", user: "ada" });
    await catalog.abortCommit("s");
    assertEquals(await files(catalog), 2);
    await catalog.setQuota("ada", { quotaFiles: 2 });
    await catalog.openUpload(newUpload("f", { reserveFiles: 0 }));
    await assertCode("QUOTA_EXCEEDED", () => catalog.beginCommit("f", NEW));
    await catalog.beginCommit("f", REPLACING);
    await catalog.finishCommit("f");
    assertEquals(await files(catalog), 2);
  });

  test("counts files in the trash until it is emptied, and those that moves replace", async (catalog) => {
    await addUser(catalog, "ada", 10_000);
    for (const id of ["a", "b", "c"]) {
      await catalog.beginWrite({ ...NEW, id, user: "ada" });
      await catalog.finishCommit(id);
    }
    const item = { id: "t", user: "ada", path: ["d"], kind: "folder" } as const;
    await catalog.beginRemoval(item);
    await catalog.finishRemoval("t", { bytes: 200, files: 2, entries: 3 });
    assertEquals([await files(catalog), (await catalog.findTrash("t"))?.files], [3, 2]);
    await catalog.beginTrashExit("t", "emptying");
    await catalog.finishTrashExit("t");
    assertEquals(await files(catalog), 1);
    const move = { user: "ada", from: ["x"], to: ["y"], replacedBytes: 0 };
    await catalog.beginMove({ ...move, id: "m" });
    await catalog.endMove("m", false);
    assertEquals(await files(catalog), 1);
    await catalog.beginMove({ ...move, id: "n" });
    await catalog.endMove("n", true);
    assertEquals(await files(catalog), 0);
  });
}

function testRemoval(test: Test): void {
  test("removes an account with all that is its own, and nobody else's", async (catalog, clock) => {
    for (const name of ["ada", "bob"]) await addUser(catalog, name);
    await catalog.addToken(tokenOf(1));
    await catalog.addToken(tokenOf(2, { user: "bob" }));
    await catalog.openUpload(newUpload("a"));
    await catalog.addChunks("a", [{ index: 0, digest: new Uint8Array(16) }]);
    await catalog.openUpload(newUpload("b", { user: "bob" }));
    await catalog.beginRemoval({ id: "t1", user: "ada", path: ["x"], kind: "file" });
    const move = { from: ["x"], to: ["y"], replacedBytes: 1 };
    await catalog.beginMove({ id: "m1", user: "ada", ...move });
    const epoch = await catalog.authEpoch("ada");

    assertEquals(await catalog.removeUser("ada"), ["a"]);
    assertEquals(await catalog.findUser("ada"), null);
    assertEquals(await catalog.findToken(hashOf(1)), null);
    assertEquals(await catalog.findUploadById("a"), null);
    assertEquals(await catalog.findTrash("t1"), null);
    assertEquals(await catalog.listMoves(10), []);
    assertEquals((await catalog.findToken(hashOf(2)))?.user, "bob");
    assertEquals((await catalog.findUploadById("b"))?.user, "bob");
    await assertCode("NOT_FOUND", () => catalog.openUpload(newUpload("c")));

    // Whoever is logged in to the account of before is not logged in to this one.
    clock.nowMs = 60_000;
    await addUser(catalog);
    const login = { user: "ada", tokenHash: null, authEpoch: epoch ?? -1 };
    assertEquals(await catalog.endedLogins([login]), [0]);
  });
}

function testSessions(test: Test): void {
  test("lists sessions that go on, in pages and by user", async (catalog, clock) => {
    for (const name of ["ada", "bob"]) await addUser(catalog, name);
    clock.nowMs = 100;
    await catalog.addToken(tokenOf(1, { expiresAtMs: 1000 }));
    await catalog.addToken(tokenOf(2, { user: "bob" }));
    await catalog.addToken(tokenOf(3, { kind: "api" }));
    await catalog.addToken(tokenOf(4, { expiresAtMs: 200 }));
    clock.nowMs = 200;
    assertEquals(await catalog.listSessions({ user: "ada", limit: 10 }), [{
      id: idOf(1),
      user: "ada",
      label: "device 1",
      createdAtMs: 100,
      lastUsedAtMs: null,
      expiresAtMs: 1000,
    }]);
    const ids = async (query: { after?: string; limit: number }) =>
      (await catalog.listSessions(query)).map((session) => session.id);
    assertEquals(await ids({ limit: 10 }), [idOf(1), idOf(2)]);
    assertEquals(await ids({ limit: 1 }), [idOf(1)]);
    assertEquals(await ids({ after: idOf(1), limit: 10 }), [idOf(2)]);
  });

  test("ends one session, or all of an account", async (catalog) => {
    for (const name of ["ada", "bob"]) await addUser(catalog, name);
    for (const fill of [1, 2, 3]) await catalog.addToken(tokenOf(fill));
    await catalog.addToken(tokenOf(4, { user: "bob" }));
    await catalog.addToken(tokenOf(5, { kind: "api" }));
    assertEquals((await catalog.endSession(idOf(1)))?.label, "device 1");
    assertEquals(await catalog.endSession(idOf(1)), null);
    assertEquals(await catalog.endSession(idOf(5)), null);
    assertEquals(await catalog.findToken(hashOf(1)), null);
    assertEquals(await catalog.endSessions("ada"), 2);
    assertEquals((await catalog.findToken(hashOf(4)))?.user, "bob");
    assertEquals((await catalog.findToken(hashOf(5)))?.kind, "api");
  });

  test("adds no session after a change of the account during the login", async (catalog) => {
    await addUser(catalog);
    const before = await catalog.authEpoch("ada") ?? -1;
    await catalog.addSession(tokenOf(1), before);
    await catalog.setVerifier("ada", verifierOf(9));
    await assertCode("AUTH_FAILED", () => catalog.addSession(tokenOf(2), before));
    const after = await catalog.authEpoch("ada") ?? -1;
    await catalog.addSession(tokenOf(2), after);
    await catalog.setDisabled("ada", true);
    const disabled = await catalog.authEpoch("ada") ?? -1;
    await assertCode("AUTH_FAILED", () => catalog.addSession(tokenOf(3), disabled));
    await catalog.removeUser("ada");
    await assertCode("AUTH_FAILED", () => catalog.addSession(tokenOf(3), disabled));
  });
}

function testEndedLogins(test: Test): void {
  test("tells which logins have ended", async (catalog) => {
    for (const name of ["ada", "bob", "cy"]) await addUser(catalog, name);
    for (const fill of [1, 2]) await catalog.addToken(tokenOf(fill));
    await catalog.addToken(tokenOf(3, { kind: "api" }));
    await catalog.addToken(tokenOf(4, { user: "bob" }));
    const authEpoch = await catalog.authEpoch("ada") ?? -1;
    const logins = [
      { user: "ada", tokenHash: hashOf(1) },
      { user: "ada", tokenHash: hashOf(2) },
      { user: "ada", tokenHash: hashOf(3) },
      { user: "bob", tokenHash: hashOf(4) },
      { user: "ada", tokenHash: null, authEpoch },
      { user: "cy", tokenHash: null },
    ];
    const ended = () => catalog.endedLogins(logins);
    assertEquals(await ended(), []);
    assertEquals(await catalog.endedLogins([]), []);
    await catalog.endSession(idOf(1));
    assertEquals(await ended(), [0]);
    await catalog.setVerifier("ada", verifierOf(9));
    assertEquals(await ended(), [0, 1, 4]);
    await catalog.setDisabled("ada", true);
    assertEquals(await ended(), [0, 1, 2, 4]);
    await catalog.removeUser("bob");
    assertEquals(await ended(), [0, 1, 2, 3, 4]);
    await catalog.removeUser("cy");
    assertEquals(await ended(), [0, 1, 2, 3, 4, 5]);
  });

  test("tells that a token is at its end, which is no change", async (catalog, clock) => {
    await addUser(catalog);
    clock.nowMs = 100;
    await catalog.addToken(tokenOf(1, { expiresAtMs: 1000 }));
    await catalog.addToken(tokenOf(2));
    const logins = [1, 2].map((fill) => ({ user: "ada", tokenHash: hashOf(fill) }));
    clock.nowMs = 999;
    const before = await catalog.loginsMark();
    assertEquals(await catalog.endedLogins(logins), []);
    clock.nowMs = 1000;
    assert(await catalog.loginsMark() !== before);
    assertEquals(await catalog.endedLogins(logins), [0]);
  });

  test("has another mark after each change that may end logins", async (catalog) => {
    await addUser(catalog);
    for (const fill of [1, 2, 3]) await catalog.addToken(tokenOf(fill));
    const changes: (() => Promise<unknown>)[] = [
      () => catalog.revokeToken(hashOf(1)),
      () => catalog.endSession(idOf(2)),
      () => catalog.endSessions("ada"),
      () => catalog.setVerifier("ada", verifierOf(9)),
      () => catalog.setDisabled("ada", true),
      () => catalog.removeUser("ada"),
    ];
    for (const change of changes) {
      const before = await catalog.loginsMark();
      assertEquals(await catalog.loginsMark(), before);
      await change();
      assert(await catalog.loginsMark() !== before, String(change));
    }
  });
}
