/**
 * The trash, moves and what takes up a quota in SQLite. Functions here run inside a transaction of
 * the catalog.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { quoteName } from "../../lib/netdisk/path.ts";
import type {
  MoveIntent,
  NewTrash,
  TrashExit,
  TrashQuery,
  TrashRecord,
  TrashSize,
  Usage,
} from "./catalog.ts";
import type { Row, SqliteDatabase } from "./sqlite_database.ts";
import { changeUsage } from "./sqlite_uploads.ts";
import { integer, integerOrNull, pathOf, text } from "./sqlite_values.ts";

/** What takes up an account's quota. */
export function selectUsage(db: SqliteDatabase, user: string): Usage | null {
  const row = db.get(
    `SELECT quota_bytes, used_bytes, quota_files, used_files,
       (SELECT coalesce(sum(reserved_bytes), 0) FROM uploads WHERE user = name) AS partial_bytes,
       (SELECT coalesce(sum(bytes), 0) FROM trash WHERE user = name) AS trash_bytes
     FROM users WHERE name = ?`,
    user,
  );
  if (row === undefined) return null;
  return {
    quotaBytes: integer(row, "quota_bytes"),
    usedBytes: integer(row, "used_bytes"),
    partialBytes: integer(row, "partial_bytes"),
    trashBytes: integer(row, "trash_bytes"),
    quotaFiles: integerOrNull(row, "quota_files"),
    usedFiles: integer(row, "used_files"),
  };
}

/** Adds an item on its way into the trash. */
export function insertTrash(db: SqliteDatabase, item: NewTrash, nowMs: number): void {
  requireUser(db, item.user);
  db.run(
    `INSERT INTO trash (id, user, state, kind, path, deleted_at_ms)
     VALUES (?, ?, 'moving', ?, ?, ?)`,
    ...[item.id, item.user, item.kind, JSON.stringify(item.path), nowMs],
  );
}

/** Notes that an item has arrived in the trash. */
export function keepTrash(db: SqliteDatabase, id: string, size: TrashSize): void {
  const changed = db.run(
    `UPDATE trash SET state = 'kept', bytes = ?, files = ?, entries = ?
     WHERE id = ? AND state = 'moving'`,
    ...[size.bytes, size.files, size.entries, id],
  );
  if (changed === 0) throw notInTrash(id);
}

/** Notes that an item is about to leave the trash. */
export function markExit(db: SqliteDatabase, id: string, exit: TrashExit): void {
  // A deletion that failed half-way is begun again; what it left cannot be restored.
  const again = exit === "emptying" ? "emptying" : "kept";
  const changed = db.run(
    "UPDATE trash SET state = ? WHERE id = ? AND state IN ('kept', ?)",
    ...[exit, id, again],
  );
  if (changed === 0) throw notInTrash(id);
}

/** Forgets an item that has left; whether there was one. */
export function settleExit(db: SqliteDatabase, id: string): boolean {
  const item = selectTrash(db, id);
  if (item === null || (item.state !== "emptying" && item.state !== "restoring")) return false;
  if (item.state === "emptying") {
    changeUsage(db, item.user, { bytes: -item.bytes, files: -item.files });
  }
  db.run("DELETE FROM trash WHERE id = ?", id);
  return true;
}

/** Undoes an intent whose change never happened. */
export function abortTrash(db: SqliteDatabase, id: string): void {
  db.run("DELETE FROM trash WHERE id = ? AND state = 'moving'", id);
  db.run("UPDATE trash SET state = 'kept' WHERE id = ? AND state = 'restoring'", id);
}

/** An item by id. */
export function selectTrash(db: SqliteDatabase, id: string): TrashRecord | null {
  const row = db.get("SELECT * FROM trash WHERE id = ?", id);
  return row === undefined ? null : toTrash(row);
}

/** Items in order of their ids. */
export function selectTrashPage(db: SqliteDatabase, query: TrashQuery): TrashRecord[] {
  const { user = null, states, after = "", limit } = query;
  const rows = db.all(
    `SELECT * FROM trash
     WHERE id > ?1 AND (?2 IS NULL OR user = ?2) AND state IN (SELECT value FROM json_each(?3))
     ORDER BY id LIMIT ?4`,
    ...[after, user, JSON.stringify(states), limit],
  );
  return rows.map(toTrash);
}

/** Adds a move that is about to replace a file. */
export function insertMove(db: SqliteDatabase, intent: MoveIntent): void {
  requireUser(db, intent.user);
  db.run(
    "INSERT INTO moves (id, user, from_path, to_path, replaced_bytes) VALUES (?, ?, ?, ?, ?)",
    ...[intent.id, intent.user, JSON.stringify(intent.from), JSON.stringify(intent.to)],
    intent.replacedBytes,
  );
}

/** Forgets a move; with `moved`, the replaced bytes are given back. */
export function settleMove(db: SqliteDatabase, id: string, moved: boolean): void {
  const row = db.get("SELECT user, replaced_bytes FROM moves WHERE id = ?", id);
  if (row === undefined) return;
  if (moved) {
    changeUsage(db, text(row, "user"), { bytes: -integer(row, "replaced_bytes"), files: -1 });
  }
  db.run("DELETE FROM moves WHERE id = ?", id);
}

/** Moves in order of their ids. */
export function selectMoves(db: SqliteDatabase, limit: number): MoveIntent[] {
  return db.all("SELECT * FROM moves ORDER BY id LIMIT ?", limit).map((row) => ({
    id: text(row, "id"),
    user: text(row, "user"),
    from: pathOf(row, "from_path"),
    to: pathOf(row, "to_path"),
    replacedBytes: integer(row, "replaced_bytes"),
  }));
}

function requireUser(db: SqliteDatabase, user: string): void {
  if (db.get("SELECT 1 FROM users WHERE name = ?", user) !== undefined) return;
  throw new TrivetError(
    "NOT_FOUND",
    `Cannot change files: user ${quoteName(user)} does not exist`,
  );
}

function notInTrash(id: string): TrivetError {
  return new TrivetError("TRASH_NOT_FOUND", `Cannot use ${quoteName(id)}: it is not in the trash`);
}

function toTrash(row: Row): TrashRecord {
  return {
    id: text(row, "id"),
    user: text(row, "user"),
    state: text(row, "state") as TrashRecord["state"],
    kind: text(row, "kind") as TrashRecord["kind"],
    path: pathOf(row, "path"),
    deletedAtMs: integer(row, "deleted_at_ms"),
    bytes: integer(row, "bytes"),
    files: integer(row, "files"),
    entries: integer(row, "entries"),
  };
}
