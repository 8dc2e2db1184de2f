import { assert, assertEquals, assertThrows } from "@std/assert";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { TrivetError } from "../../../lib/errors.ts";
import { SCHEMA_VERSION } from "../../../server/store/migrations.ts";
import { SqliteDatabase } from "../../../server/store/sqlite_database.ts";
import { asCatalogError } from "../../../server/store/sqlite_errors.ts";
import { SqliteCatalog } from "../../../server/store/sqlite_catalog.ts";
import { testAccountCatalog } from "./catalog_accounts_contract.ts";
import { testKeyCatalog } from "./catalog_keys_contract.ts";
import {
  addUser,
  assertCode,
  type FakeClock,
  newUpload,
  testCatalog,
  used,
  type WithCatalog,
} from "./catalog_contract.ts";

async function withFile(work: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "trivet-catalog-" });
  try {
    await work(join(folder, "trivet.db"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const withCatalog: WithCatalog = (work) =>
  withFile(async (path) => {
    const clock: FakeClock = { nowMs: 0 };
    const catalog = SqliteCatalog.open(path, { now: () => clock.nowMs });
    try {
      await work(catalog, clock);
    } finally {
      await catalog.close();
    }
  });

testCatalog("SqliteCatalog", withCatalog);
testAccountCatalog("SqliteCatalog", withCatalog);
testKeyCatalog("SqliteCatalog", withCatalog);

function rawly(path: string, work: (db: DatabaseSync) => void): void {
  const db = new DatabaseSync(path);
  try {
    work(db);
  } finally {
    db.close();
  }
}

Deno.test("SqliteCatalog.open() keeps what was written before", () =>
  withFile(async (path) => {
    const first = SqliteCatalog.open(path);
    await addUser(first);
    await first.openUpload(newUpload("a"));
    await first.close();
    const second = SqliteCatalog.open(path);
    assertEquals(await used(second), 100);
    assertEquals((await second.findUploadById("a"))?.id, "a");
    await second.close();
  }));

Deno.test({
  name: "SqliteCatalog.open() makes files that only the server reads",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFile(async (path) => {
      await Deno.writeTextFile(path, "", { mode: 0o644 });
      const catalog = SqliteCatalog.open(path);
      await addUser(catalog);
      for (const suffix of ["", "-wal", "-shm"]) {
        assertEquals((Deno.statSync(path + suffix).mode ?? 0) & 0o777, 0o600, suffix);
      }
      await catalog.close();
    }),
});

Deno.test("SqliteCatalog.open() refuses the schema of a newer program", () =>
  withFile(async (path) => {
    await SqliteCatalog.open(path).close();
    rawly(path, (db) => db.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`));
    const error = assertThrows(() => SqliteCatalog.open(path), TrivetError);
    assertEquals(error.code, "VERSION_MISMATCH");
    assertEquals(error.details, {
      schema_version: SCHEMA_VERSION + 1,
      known_version: SCHEMA_VERSION,
    });
  }));

Deno.test("SqliteCatalog.open() brings a database of the first schema up to date", () =>
  withFile(async (path) => {
    const first = SqliteCatalog.open(path);
    await addUser(first);
    await first.openUpload(newUpload("a"));
    await first.close();
    // What version 1 lacked.
    const later = [
      "trash",
      "moves",
      "batches",
      "contents",
      "digests",
      "scrub_rounds",
      "invites",
      "chat_search",
      "chat_reactions",
      "chat_messages",
      "chat_members",
      "chat_conversations",
      "chat_sequence",
    ];
    rawly(path, (db) => {
      for (const table of later) db.exec(`DROP TABLE ${table}`);
      db.exec(
        `DROP TABLE machine_keys; ALTER TABLE users DROP COLUMN auth_epoch;
         ALTER TABLE users DROP COLUMN quota_files; ALTER TABLE users DROP COLUMN used_files;
         ALTER TABLE uploads DROP COLUMN reserved_files;
         ALTER TABLE uploads DROP COLUMN replaced_files;
         PRAGMA user_version = 1`,
      );
    });
    const catalog = SqliteCatalog.open(path);
    assertEquals(await catalog.usage("ada"), {
      quotaBytes: 1000,
      usedBytes: 100,
      partialBytes: 100,
      trashBytes: 0,
      quotaFiles: null,
      usedFiles: 0,
    });
    await catalog.beginRemoval({ id: "t", user: "ada", path: ["a"], kind: "file" });
    assertEquals((await catalog.findTrash("t"))?.state, "moving");
    await catalog.close();
  }));

Deno.test("SqliteCatalog.open() fails on a file that is no database", () =>
  withFile(async (path) => {
    await Deno.writeTextFile(path, "This is not a database, and long enough to tell. ".repeat(20));
    const error = assertThrows(() => SqliteCatalog.open(path), TrivetError);
    assertEquals(error.code, "INTERNAL");
    assert(error.cause instanceof Error);
  }));

Deno.test("SqliteCatalog serves two openers", () =>
  withFile(async (path) => {
    const server = SqliteCatalog.open(path);
    const admin = SqliteCatalog.open(path);
    await addUser(admin);
    await server.openUpload(newUpload("a"));
    assertEquals(await used(admin), 100);
    await Promise.all([addUser(server, "bob"), addUser(admin, "eve")]);
    assert(await server.findUser("eve") !== null && await admin.findUser("bob") !== null);
    await assertCode("USER_EXISTS", () => addUser(server, "eve"));
    await admin.close();
    await server.close();
  }));

Deno.test("SqliteCatalog reports SERVER_BUSY while another program holds the lock", () =>
  withFile(async (path) => {
    const catalog = SqliteCatalog.open(path, { busyTimeoutMs: 20 });
    await addUser(catalog);
    const { hash } = await catalog.addToken({
      hash: new Uint8Array(32),
      user: "ada",
      kind: "api",
      scope: "read",
      pathPrefix: [],
      expiresAtMs: null,
      label: "",
    });
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const error = await assertCode("SERVER_BUSY", () => catalog.openUpload(newUpload("a")));
    assert(error.retry);
    await assertCode("SERVER_BUSY", () => addUser(catalog, "bob"));
    assert(await catalog.findToken(hash) !== null, "a login needs no lock");
    other.exec("ROLLBACK");
    other.close();
    await catalog.openUpload(newUpload("a"));
    await addUser(catalog, "bob");
    await catalog.close();
  }));

Deno.test("asCatalogError() tells full, busy and broken apart", () => {
  const failure = (errcode: number) => Object.assign(new Error("failed"), { errcode });
  assertEquals(asCatalogError(failure(13)).code, "DISK_FULL");
  assertEquals(asCatalogError(failure(517)).code, "SERVER_BUSY");
  const broken = failure(11);
  assertEquals(asCatalogError(broken).code, "INTERNAL");
  assertEquals(asCatalogError(broken).cause, broken);
});

Deno.test("SqliteDatabase.write() undoes all when the disk is full, and goes on later", () =>
  withFile((path) => {
    const db = SqliteDatabase.open(path);
    const pages = Number(db.get("PRAGMA page_count")?.["page_count"]);
    const insert = (name: string) =>
      db.run("INSERT INTO settings (name, value) VALUES (?, ?)", name, new Uint8Array(100_000));
    // A cap on the pages fails as a full disk does, with SQLITE_FULL.
    db.get(`PRAGMA max_page_count = ${pages + 40}`);
    const error = assertThrows(() =>
      db.write(() => {
        insert("a");
        insert("b");
      })
    );
    assertEquals(asCatalogError(error).code, "DISK_FULL");
    assertEquals(db.get("SELECT count(*) AS n FROM settings")?.["n"], 0);
    db.get("PRAGMA max_page_count = 10000");
    db.write(() => insert("a"));
    assertEquals(db.get("SELECT count(*) AS n FROM settings")?.["n"], 1);
    return db.close();
  }));

Deno.test("SqliteCatalog lets no disabled user in", () =>
  withFile(async (path) => {
    const catalog = SqliteCatalog.open(path);
    await addUser(catalog);
    const hash = new Uint8Array(32).fill(9);
    await catalog.addToken({
      hash,
      user: "ada",
      kind: "session",
      scope: "full",
      pathPrefix: [],
      expiresAtMs: null,
      label: "",
    });
    rawly(path, (db) => db.exec("UPDATE users SET disabled = 1"));
    assertEquals(await catalog.findVerifier("ada"), null);
    assertEquals(await catalog.findToken(hash), null);
    assertEquals((await catalog.findUser("ada"))?.disabled, true);
    await catalog.close();
  }));

Deno.test("SqliteCatalog answers SHUTTING_DOWN after close()", () =>
  withFile(async (path) => {
    const catalog = SqliteCatalog.open(path);
    await catalog.close();
    await catalog.close();
    await assertCode("SHUTTING_DOWN", () => catalog.findUser("ada"));
    await assertCode("SHUTTING_DOWN", () => addUser(catalog));
    await assertCode("SHUTTING_DOWN", () => catalog.openUpload(newUpload("a")));
  }));

Deno.test("SqliteCatalog.loginsMark() is another one after a change by another program", () =>
  withFile(async (path) => {
    const server = SqliteCatalog.open(path);
    await addUser(server);
    const admin = SqliteCatalog.open(path);
    const before = await server.loginsMark();
    await server.openUpload(newUpload("a"));
    assertEquals(await server.loginsMark(), before);
    await admin.setDisabled("ada", true);
    const after = await server.loginsMark();
    assert(after !== before);
    assertEquals(await server.loginsMark(), after);
    await admin.close();
    await server.close();
  }));
