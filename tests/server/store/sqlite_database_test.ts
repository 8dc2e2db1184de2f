import { assert, assertEquals } from "@std/assert";
import { setImmediate } from "node:timers";
import { SqliteDatabase, type SqliteOptions } from "../../../server/store/sqlite_database.ts";

/** A database of its own, and how often the disk was asked for its log. */
async function withDatabase(
  options: SqliteOptions,
  test: (db: SqliteDatabase, syncs: { count: number }, path: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const syncs = { count: 0 };
  const sync = () => {
    syncs.count += 1;
    return Promise.resolve();
  };
  try {
    const path = `${folder}/trivet.db`;
    await using stack = new AsyncDisposableStack();
    const db = stack.adopt(
      SqliteDatabase.open(path, { log: { sync, close: () => {} }, ...options }),
      (opened) => opened.close(),
    );
    db.run("CREATE TABLE notes (text)");
    await test(db, syncs, path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const note = (db: SqliteDatabase, text: string | Uint8Array = "") =>
  db.durable(() => db.run("INSERT INTO notes VALUES (?)", text));

for (
  const { first, more, gathers, syncs } of [
    { first: 1, more: [0], gathers: 1, syncs: 1 },
    { first: 7, more: [0], gathers: 1, syncs: 1 },
    { first: 8, more: [0, 0], gathers: 2, syncs: 1 },
    { first: 8, more: [0, 24, 24, 0], gathers: 4, syncs: 1 },
    { first: 200, more: [0, 56], gathers: 2, syncs: 1 },
    { first: 200, more: [0, 57], gathers: 3, syncs: 2 },
  ]
) {
  const name = `SqliteDatabase.durable() asks the disk ${syncs} × for ${first} operations and ${
    more.filter((count) => count > 0).join(", ") || "none"
  } behind them`;
  Deno.test(name, async () => {
    let gathered = 0;
    const work: Promise<number>[] = [];
    let add = (_count: number) => {};
    const gather = () => {
      add(more[gathered] ?? 0);
      gathered += 1;
      return Promise.resolve();
    };
    await withDatabase({ gather }, async (db, asked) => {
      add = (count) => {
        for (let i = 0; i < count; i++) work.push(note(db));
      };
      add(first);
      await work[0];
      for (let done = 0; done < work.length; done = work.length) await Promise.all(work);
      assertEquals({ gathers: gathered, syncs: asked.count }, { gathers, syncs });
    });
  });
}

Deno.test("SqliteDatabase.durable() makes one operation after another wait for no turn", () =>
  withDatabase({}, async (db, asked) => {
    await note(db);
    let hasTurned = false;
    const turn = new Promise<void>((resolve) => {
      setImmediate(() => {
        hasTurned = true;
        resolve();
      });
    });
    await note(db);
    assertEquals({ hasTurned, asked: asked.count }, { hasTurned: false, asked: 2 });
    await turn;
  }));

Deno.test("SqliteDatabase lets its log grow to 12 MiB and uses it again", () =>
  withDatabase({}, async (db, _asked, path) => {
    let largest = 0;
    for (let i = 0; i < 300; i++) {
      await note(db, new Uint8Array(100_000));
      largest = Math.max(largest, (await Deno.stat(`${path}-wal`)).size);
    }
    const mebibytes = largest / 1024 / 1024;
    assert(mebibytes > 11.5 && mebibytes < 13, `${mebibytes} MiB`);
  }));
