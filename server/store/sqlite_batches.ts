/**
 * Batches of small files in SQLite. Functions here run inside a transaction of the catalog.
 *
 * @module
 */

import * as v from "valibot";
import type { BatchRecord } from "./catalog_batches.ts";
import type { Row, SqliteDatabase } from "./sqlite_database.ts";
import { changeUsage } from "./sqlite_uploads.ts";
import { text } from "./sqlite_values.ts";

const Files = v.array(v.object({
  index: v.number(),
  path: v.array(v.string()),
  size: v.number(),
  replacedBytes: v.number(),
  replacedFiles: v.number(),
}));

/** Adds a batch and reserves its bytes. */
export function insertBatch(db: SqliteDatabase, batch: BatchRecord, nowMs: number): void {
  const change = { bytes: 0, files: 0 };
  for (const { size, replacedFiles } of batch.files) {
    change.bytes += size;
    change.files += 1 - replacedFiles;
  }
  changeUsage(db, batch.user, change);
  db.run(
    "INSERT INTO batches (id, user, files, created_at_ms) VALUES (?, ?, ?, ?)",
    ...[batch.id, batch.user, JSON.stringify(batch.files), nowMs],
  );
}

/** Ends a batch: what was published is kept, the rest released. */
export function settleBatch(db: SqliteDatabase, id: string, published: ReadonlySet<number>): void {
  const row = db.get("SELECT id, user, files FROM batches WHERE id = ?", id);
  if (row === undefined) return;
  const { user, files } = toBatch(row);
  const change = { bytes: 0, files: 0 };
  for (const { index, size, replacedBytes, replacedFiles } of files) {
    change.bytes -= published.has(index) ? replacedBytes : size;
    change.files -= published.has(index) ? 0 : 1 - replacedFiles;
  }
  if (change.bytes !== 0 || change.files !== 0) changeUsage(db, user, change);
  db.run("DELETE FROM batches WHERE id = ?", id);
}

/** Batches in order of their ids. */
export function selectBatches(db: SqliteDatabase, limit: number): BatchRecord[] {
  return db.all("SELECT id, user, files FROM batches ORDER BY id LIMIT ?", limit).map(toBatch);
}

function toBatch(row: Row): BatchRecord {
  const files = v.parse(Files, JSON.parse(text(row, "files")));
  return { id: text(row, "id"), user: text(row, "user"), files };
}
