/**
 * Uploads, their chunk journal and the quota in SQLite. Functions here run inside a transaction of
 * the catalog.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { quoteName } from "../../lib/netdisk/path.ts";
import type {
  ChunkRecord,
  CommitIntent,
  NewUpload,
  OverwriteMode,
  UploadQuery,
  UploadRecord,
  WriteIntent,
} from "./catalog.ts";
import type { Row, SqliteDatabase } from "./sqlite_database.ts";
import { blob, integer, integerOrNull, pathOf, text } from "./sqlite_values.ts";

const COLUMNS = `number, id, user, kind, state, coalesce(commit_path, path) AS final_path,
  coalesce(commit_size, size) AS final_size, chunk_bytes, overwrite, reserved_bytes, reserved_files,
  replaced_bytes, replaced_files, created_at_ms, touched_at_ms`;

/** An upload with its row number. */
interface Stored {
  readonly number: number;
  readonly record: UploadRecord;
}

/** What is taken of a quota; negative numbers give back. */
export interface UsageChange {
  readonly bytes: number;
  readonly files: number;
}

/** Takes bytes and files of a user's quota, or gives them back. */
export function changeUsage(db: SqliteDatabase, user: string, { bytes, files }: UsageChange): void {
  // Files that somebody put into a home by hand were never counted, so that taking back what they
  // held could go below zero.
  const changed = db.run(
    `UPDATE users SET used_bytes = max(0, used_bytes + ?1), used_files = max(0, used_files + ?2)
     WHERE name = ?3 AND (?1 <= 0 OR used_bytes + ?1 <= quota_bytes)
       AND (?2 <= 0 OR quota_files IS NULL OR used_files + ?2 <= quota_files)`,
    ...[bytes, files, user],
  );
  if (changed === 0) throw overQuota(db, user, { bytes, files });
}

function overQuota(db: SqliteDatabase, user: string, { bytes, files }: UsageChange): TrivetError {
  const row = db.get(
    `SELECT max(0, quota_bytes - used_bytes) AS bytes, max(0, quota_files - used_files) AS files
     FROM users WHERE name = ?`,
    user,
  );
  if (row === undefined) {
    return new TrivetError("NOT_FOUND", `Cannot use quota: user ${quoteName(user)} does not exist`);
  }
  const haveBytes = integer(row, "bytes");
  if (bytes > haveBytes) {
    return new TrivetError(
      "QUOTA_EXCEEDED",
      `Cannot reserve ${bytes} bytes: ${haveBytes} are left of the quota`,
      { details: { need_bytes: bytes, have_bytes: haveBytes } },
    );
  }
  const haveFiles = integerOrNull(row, "files") ?? 0;
  return new TrivetError(
    "QUOTA_EXCEEDED",
    `Cannot add another file: ${haveFiles} are left of the quota`,
    { details: { need_files: files, have_files: haveFiles } },
  );
}

/** Adds an open upload and reserves its bytes. */
export function insertUpload(db: SqliteDatabase, upload: NewUpload, nowMs: number): UploadRecord {
  const { reserveBytes, reserveFiles } = upload;
  changeUsage(db, upload.user, { bytes: reserveBytes, files: reserveFiles });
  db.run(
    `INSERT INTO uploads (id, user, kind, state, path, path_key, size, chunk_bytes, overwrite,
       reserved_bytes, reserved_files, created_at_ms, touched_at_ms)
     VALUES (?, ?, 'upload', 'open', ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[upload.id, upload.user, JSON.stringify(upload.path), upload.pathKey, upload.size],
    ...[upload.chunkBytes, upload.overwrite, reserveBytes, reserveFiles, nowMs, nowMs],
  );
  return requireUpload(db, upload.id).record;
}

/** Adds a small file that is about to be published and reserves its bytes. */
export function insertWrite(db: SqliteDatabase, intent: WriteIntent, nowMs: number): void {
  // A second intent of the same file, whose name was taken meanwhile, is written over the first.
  deleteUpload(db, intent.id);
  const files = 1 - intent.replacedFiles;
  changeUsage(db, intent.user, { bytes: intent.size, files });
  db.run(
    `INSERT INTO uploads (id, user, kind, state, path, size, chunk_bytes, overwrite, reserved_bytes,
       reserved_files, replaced_bytes, replaced_files, created_at_ms, touched_at_ms)
     VALUES (?, ?, 'small', 'committing', ?, ?, 0, 'replace', ?, ?, ?, ?, ?, ?)`,
    ...[intent.id, intent.user, JSON.stringify(intent.path), intent.size, intent.size],
    ...[files, intent.replacedBytes, intent.replacedFiles, nowMs, nowMs],
  );
}

/** The upload of a user for a path. */
export function selectUpload(db: SqliteDatabase, user: string, key: string): UploadRecord | null {
  const row = db.get(`SELECT ${COLUMNS} FROM uploads WHERE user = ? AND path_key = ?`, user, key);
  return row === undefined ? null : toUpload(row);
}

/** An upload by id. */
export function selectUploadById(db: SqliteDatabase, id: string): Stored | null {
  const row = db.get(`SELECT ${COLUMNS} FROM uploads WHERE id = ?`, id);
  return row === undefined ? null : { number: integer(row, "number"), record: toUpload(row) };
}

/** An upload by id, in a given state if one is given. */
export function requireUpload(
  db: SqliteDatabase,
  id: string,
  state?: UploadRecord["state"],
): Stored {
  const stored = selectUploadById(db, id);
  if (stored !== null && (state === undefined || stored.record.state === state)) return stored;
  const reason = stored === null ? "it does not exist" : `it is ${stored.record.state}`;
  throw new TrivetError("UPLOAD_NOT_FOUND", `Cannot use upload ${quoteName(id)}: ${reason}`);
}

/** Uploads in order of their ids. */
export function selectUploads(db: SqliteDatabase, query: UploadQuery): UploadRecord[] {
  const { state = null, touchedBeforeMs = null, after = "", limit } = query;
  const rows = db.all(
    `SELECT ${COLUMNS} FROM uploads
     WHERE id > ?1 AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR touched_at_ms < ?3)
     ORDER BY id LIMIT ?4`,
    ...[after, state, touchedBeforeMs, limit],
  );
  return rows.map(toUpload);
}

/** Sets an upload's reservation. */
export function setReservation(
  db: SqliteDatabase,
  { number, record }: Stored,
  change: { bytes: number; files?: number; nowMs: number },
): void {
  const { bytes, files = record.reservedFiles, nowMs } = change;
  changeUsage(db, record.user, {
    bytes: bytes - record.reservedBytes,
    files: files - record.reservedFiles,
  });
  db.run(
    "UPDATE uploads SET reserved_bytes = ?, reserved_files = ?, touched_at_ms = ? WHERE number = ?",
    ...[bytes, files, nowMs, number],
  );
}

/** Writes an upload's intent down; reserves what the size needs beyond the reservation. */
export function markCommitting(
  db: SqliteDatabase,
  id: string,
  change: CommitIntent & { nowMs: number },
): void {
  const stored = requireUpload(db, id);
  const { reservedBytes, reservedFiles } = stored.record;
  const bytes = Math.max(change.size, reservedBytes);
  // The file that it was to replace may have gone meanwhile.
  const files = Math.max(1 - change.replacedFiles, reservedFiles);
  if (bytes > reservedBytes || files > reservedFiles) {
    setReservation(db, stored, { bytes, files, nowMs: change.nowMs });
  }
  db.run(
    `UPDATE uploads SET state = 'committing', commit_path = ?, commit_size = ?, replaced_bytes = ?,
       replaced_files = ?, touched_at_ms = ? WHERE number = ?`,
    ...[JSON.stringify(change.path), change.size, change.replacedBytes, change.replacedFiles],
    ...[change.nowMs, stored.number],
  );
}

/** Swaps the reservation for the size and forgets the upload. */
export function settle(db: SqliteDatabase, id: string): void {
  const { number, record } = requireUpload(db, id, "committing");
  // A committing upload has its size and reserved at least that much, so this never takes more.
  const bytes = (record.size ?? 0) - record.reservedBytes - record.replacedBytes;
  const files = 1 - record.reservedFiles - record.replacedFiles;
  changeUsage(db, record.user, { bytes, files });
  removeUpload(db, number);
}

/** Makes a committing upload open again; a small file is discarded. */
export function reopen(db: SqliteDatabase, id: string): void {
  const { number, record } = requireUpload(db, id, "committing");
  if (record.kind === "small") {
    releaseReservation(db, record);
    removeUpload(db, number);
    return;
  }
  db.run(
    `UPDATE uploads SET state = 'open', commit_path = NULL, commit_size = NULL, replaced_bytes = 0,
       replaced_files = 0
     WHERE number = ?`,
    number,
  );
}

/**
 * Forgets an upload and releases its reservation; whether it existed, and with `untouchedSinceMs` was
 * open and not touched since.
 */
export function deleteUpload(db: SqliteDatabase, id: string, untouchedSinceMs?: number): boolean {
  const stored = selectUploadById(db, id);
  if (stored === null) return false;
  const { state, touchedAtMs } = stored.record;
  const isUsed = untouchedSinceMs !== undefined && touchedAtMs >= untouchedSinceMs;
  if (isUsed || (untouchedSinceMs !== undefined && state !== "open")) return false;
  releaseReservation(db, stored.record);
  removeUpload(db, stored.number);
  return true;
}

/** Writes chunks to an open upload's journal. */
export function insertChunks(
  db: SqliteDatabase,
  id: string,
  change: { chunks: readonly ChunkRecord[]; nowMs: number },
): void {
  const { number } = requireUpload(db, id, "open");
  for (const { index, digest } of change.chunks) {
    db.run(
      `INSERT INTO chunks (upload, chunk, digest) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET digest = excluded.digest`,
      ...[number, index, digest],
    );
  }
  db.run("UPDATE uploads SET touched_at_ms = ? WHERE number = ?", change.nowMs, number);
}

/** Chunks of the journal, ascending. */
export function selectChunks(
  db: SqliteDatabase,
  id: string,
  page: { from: number; limit: number },
): ChunkRecord[] {
  const rows = db.all(
    `SELECT chunk, digest FROM chunks
     WHERE upload = (SELECT number FROM uploads WHERE id = ?) AND chunk >= ?
     ORDER BY chunk LIMIT ?`,
    ...[id, page.from, page.limit],
  );
  return rows.map((row) => ({ index: integer(row, "chunk"), digest: blob(row, "digest") }));
}

/** Removes chunks from the journal. */
export function deleteChunks(db: SqliteDatabase, id: string, indices: readonly number[]): void {
  const stored = selectUploadById(db, id);
  if (stored === null) return;
  for (const index of indices) {
    db.run("DELETE FROM chunks WHERE upload = ? AND chunk = ?", stored.number, index);
  }
}

function releaseReservation(db: SqliteDatabase, record: UploadRecord): void {
  const { user, reservedBytes, reservedFiles } = record;
  changeUsage(db, user, { bytes: -reservedBytes, files: -reservedFiles });
}

function removeUpload(db: SqliteDatabase, number: number): void {
  db.run("DELETE FROM uploads WHERE number = ?", number);
}

function toUpload(row: Row): UploadRecord {
  return {
    id: text(row, "id"),
    user: text(row, "user"),
    kind: text(row, "kind") as UploadRecord["kind"],
    state: text(row, "state") as UploadRecord["state"],
    path: pathOf(row, "final_path"),
    size: integerOrNull(row, "final_size"),
    chunkBytes: integer(row, "chunk_bytes"),
    overwrite: text(row, "overwrite") as OverwriteMode,
    reservedBytes: integer(row, "reserved_bytes"),
    reservedFiles: integer(row, "reserved_files"),
    replacedBytes: integer(row, "replaced_bytes"),
    replacedFiles: integer(row, "replaced_files"),
    createdAtMs: integer(row, "created_at_ms"),
    touchedAtMs: integer(row, "touched_at_ms"),
  };
}
