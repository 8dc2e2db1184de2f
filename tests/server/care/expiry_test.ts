import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { TrivetError } from "../../../lib/errors.ts";
import { Expiry, type ExpiryOptions, ROUND_MAX } from "../../../server/care/expiry.ts";
import { ActiveUploads } from "../../../server/netdisk/active_uploads.ts";
import { FolderDepot } from "../../../server/netdisk/folder_depot.ts";
import { SqliteCatalog } from "../../../server/store/sqlite_catalog.ts";
import { endTrash } from "../../../server/store/recovery_moves.ts";
import { addUser, newUpload } from "../store/catalog_contract.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** A catalog with a clock of its own, and a depot with the home of `ada`. */
class Stores implements AsyncDisposable {
  nowMs = 100 * DAY_MS;
  readonly data: string;
  readonly catalog: SqliteCatalog;
  readonly depot: FolderDepot;
  readonly activeUploads = new ActiveUploads();

  private constructor(data: string) {
    this.data = data;
    this.catalog = SqliteCatalog.open(join(data, "trivet.db"), { now: () => this.nowMs });
    this.depot = FolderDepot.open(data);
  }

  static async open(): Promise<Stores> {
    const stores = new Stores(await Deno.makeTempDir({ prefix: "trivet-test-" }));
    await addUser(stores.catalog);
    await stores.depot.createHome("ada");
    return stores;
  }

  async upload(id: string): Promise<void> {
    await this.catalog.openUpload({ ...newUpload(id), pathKey: id, reserveBytes: 1 });
    (await this.depot.createPart(id)).close();
  }

  /** Puts a file of one byte into the trash. */
  async trash(id: string): Promise<void> {
    const at = { user: "ada", path: [id] };
    await Deno.writeFile(join(this.data, "homes", "ada", id), new Uint8Array(1));
    const intent = () => this.catalog.beginRemoval({ id, ...at, kind: "file" });
    await this.depot.moveToTrash(id, at, { intent });
    await endTrash(this, id);
  }

  async expire(options: ExpiryOptions = {}) {
    await using expiry = new Expiry(this, { now: () => this.nowMs, ...options });
    return await expiry.round;
  }

  async uploads(): Promise<string[]> {
    return (await this.catalog.listUploads({ limit: 2000 })).map(({ id }) => id);
  }

  async items(): Promise<string[]> {
    return (await this.catalog.listTrash({ states: ["kept"], limit: 2000 })).map(({ id }) => id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.catalog.close();
    await Deno.remove(this.data, { recursive: true });
  }
}

Deno.test("Expiry removes what is older than a week and 30 days, and nothing younger", async () => {
  await using stores = await Stores.open();
  await stores.trash("a");
  stores.nowMs += 1;
  await stores.trash("b");
  stores.nowMs += 23 * DAY_MS - 1;
  await stores.upload("old");
  stores.nowMs += 1;
  await stores.upload("young");
  stores.nowMs += 7 * DAY_MS;
  assertEquals(await stores.expire(), { partials: 1, trash: 1, failed: 0 });
  assertEquals(await stores.uploads(), ["young"]);
  assertEquals(await stores.depot.listParts(), ["young"]);
  assertEquals(await stores.items(), ["b"]);
  const usage = await stores.catalog.usage("ada");
  assertEquals([usage?.partialBytes, usage?.trashBytes], [1, 1]);
  assertEquals(await stores.expire(), { partials: 0, trash: 0, failed: 0 });
  stores.nowMs += 1;
  assertEquals(await stores.expire(), { partials: 1, trash: 1, failed: 0 });
});

Deno.test("Expiry keeps for ever what it is told to", async () => {
  await using stores = await Stores.open();
  await stores.trash("a");
  await stores.upload("u");
  stores.nowMs += 10_000 * DAY_MS;
  const none = { partials: 0, trash: 0, failed: 0 };
  assertEquals(await stores.expire({ keepPartialsMs: 0, keepTrashMs: 0 }), none);
  assertEquals(await stores.expire({ keepPartialsMs: 0 }), { ...none, trash: 1 });
  assertEquals(await stores.expire({ keepTrashMs: 0 }), { ...none, partials: 1 });
});

Deno.test("Expiry keeps uploads in use, and those that were touched or are being published", async () => {
  await using stores = await Stores.open();
  for (const id of ["active", "committing", "touched"]) await stores.upload(id);
  stores.activeUploads.add({ id: "active", user: "ada", end: () => Promise.resolve() });
  const intent = {
    path: ["f"],
    size: 1,
    replacedBytes: 0,
    replacedFiles: 0,
    durability: "os",
  } as const;
  await stores.catalog.beginCommit("committing", intent);
  stores.nowMs += 8 * DAY_MS;
  await stores.catalog.touchUpload("touched");
  assertEquals((await stores.expire()).partials, 0);
  assertEquals((await stores.uploads()).length, 3);
  assertEquals(await stores.catalog.discardUpload("touched", { untouchedSinceMs: 0 }), false);
  assertEquals(await stores.catalog.discardUpload("committing", { untouchedSinceMs: 1e15 }), false);
});

Deno.test("Expiry takes 1000 of each in a round", async () => {
  await using stores = await Stores.open();
  for (let i = 0; i <= ROUND_MAX; i++) {
    await stores.catalog.openUpload({
      ...newUpload(`u${i}`),
      pathKey: `u${i}`,
      reserveBytes: 0,
    });
  }
  stores.nowMs += 8 * DAY_MS;
  assertEquals((await stores.expire()).partials, ROUND_MAX);
  assertEquals((await stores.expire()).partials, 1);
});

Deno.test("Expiry goes on behind what it cannot remove", async () => {
  await using stores = await Stores.open();
  await stores.upload("a");
  await stores.upload("b");
  // A disk that refuses one of them.
  const removePart = stores.depot.removePart.bind(stores.depot);
  stores.depot.removePart = (id) =>
    id === "a" ? Promise.reject(new TrivetError("PERMISSION_DENIED", "Refused")) : removePart(id);
  stores.nowMs += 8 * DAY_MS;
  assertEquals(await stores.expire(), { partials: 1, trash: 0, failed: 1 });
  assertEquals(await stores.uploads(), []);
});
