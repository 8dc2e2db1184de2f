/**
 * The index of the chat's search. New messages enter it many at a time, which costs far less than one by one
 * and lets nobody wait for it; a search enters those that are missing first.
 *
 * @module
 */

import type { SqliteDatabase } from "./sqlite_database.ts";
import { integer, integerOrNull } from "./sqlite_values.ts";

/** Messages that enter the index in one transaction: a few milliseconds, in which nobody else is served. */
export const INDEX_BATCH = 256;

/** Whether so many messages wait that a batch is worth its while. */
export function isIndexDue(db: SqliteDatabase): boolean {
  const row = db.get("SELECT last - indexed AS behind FROM chat_sequence");
  return row !== undefined && integer(row, "behind") >= INDEX_BATCH;
}

/**
 * Takes a batch of messages into the index.
 *
 * @returns Whether there may be more.
 */
export function indexBatch(db: SqliteDatabase): boolean {
  return db.write(() => {
    const row = db.get(
      `SELECT count(*) AS found, max(id) AS top FROM
         (SELECT id FROM chat_messages WHERE id > (SELECT indexed FROM chat_sequence)
          ORDER BY id LIMIT ?)`,
      INDEX_BATCH,
    );
    const top = row === undefined ? null : integerOrNull(row, "top");
    if (row === undefined || top === null) {
      // Numbers of changes are in no index.
      db.run("UPDATE chat_sequence SET indexed = last WHERE indexed < last");
      return false;
    }
    db.run(
      `INSERT INTO chat_search (rowid, text) SELECT id, text FROM chat_messages
       WHERE id > (SELECT indexed FROM chat_sequence) AND id <= ? ORDER BY id`,
      top,
    );
    db.run("UPDATE chat_sequence SET indexed = ?", top);
    return integer(row, "found") === INDEX_BATCH;
  });
}

/** Takes all messages into the index that are not in it. */
export function indexAll(db: SqliteDatabase): void {
  while (indexBatch(db));
}
