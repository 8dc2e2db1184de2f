/**
 * The one sequence that numbers messages and their changes. A client that was told a number goes on behind
 * it, so no number may ever mean two things, also where a power cut takes messages back.
 *
 * @module
 */

import type { SqliteDatabase } from "./sqlite_database.ts";
import { integer } from "./sqlite_values.ts";

/** Numbers left out after messages may have been taken back: far more than the system holds back. */
const SKIPPED_NUMBERS = 1_000_000;

/** The newest number. */
export function lastNumber(db: SqliteDatabase): number {
  const row = db.get("SELECT last FROM chat_sequence");
  return row === undefined ? 0 : integer(row, "last");
}

/** The next number; taken back with the transaction. */
export function nextNumber(db: SqliteDatabase): number {
  const row = db.get("UPDATE chat_sequence SET last = last + 1 RETURNING last");
  if (row === undefined) throw new TypeError("The sequence of the chat is missing");
  return integer(row, "last");
}

/**
 * Begins to give out numbers: behind all that were given out before, also by a server that did not wait
 * for the disk and has not ended well.
 *
 * @param db The database.
 * @param isUnsynced Whether this server does not wait for the disk either.
 */
export function openSequence(db: SqliteDatabase, isUnsynced: boolean): void {
  const row = db.get("SELECT unsynced FROM chat_sequence");
  const wasUnsynced = row !== undefined && integer(row, "unsynced") === 1;
  if (!wasUnsynced && !isUnsynced) return;
  db.write(() =>
    db.run(
      "UPDATE chat_sequence SET last = last + ?, unsynced = ?",
      ...[wasUnsynced ? SKIPPED_NUMBERS : 0, isUnsynced ? 1 : 0],
    )
  );
}

/**
 * Notes that the server has ended well. The log is written in order: whoever finds this finds all numbers
 * that were given out.
 */
export function closeSequence(db: SqliteDatabase): void {
  db.write(() => db.run("UPDATE chat_sequence SET unsynced = 0 WHERE unsynced = 1"));
}
