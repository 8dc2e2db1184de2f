/**
 * What large files contain, in SQLite. Functions here run inside a transaction of the catalog.
 *
 * @module
 */

import type { ContentRecord } from "./catalog_contents.ts";
import type { SqliteDatabase } from "./sqlite_database.ts";
import { blob, integer, pathOf, text } from "./sqlite_values.ts";

/** Notes what a file contains. */
export function upsertContent(db: SqliteDatabase, content: ContentRecord, nowMs: number): void {
  const { user, path, size, digest, etag } = content;
  db.run(
    `INSERT INTO contents (user, path, size, digest, etag, noted_at_ms) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET size = excluded.size, digest = excluded.digest, etag = excluded.etag,
       noted_at_ms = excluded.noted_at_ms`,
    ...[user, JSON.stringify(path), size, digest, etag, nowMs],
  );
}

/** Files of a user with a size, and a digest if one is given. */
export function selectContents(
  db: SqliteDatabase,
  user: string,
  query: { readonly size: number; readonly digest?: Uint8Array; readonly limit: number },
): ContentRecord[] {
  const rows = db.all(
    `SELECT path, size, digest, etag FROM contents
     WHERE user = ?1 AND size = ?2 AND (?3 IS NULL OR digest = ?3)
     ORDER BY noted_at_ms DESC LIMIT ?4`,
    ...[user, query.size, query.digest ?? null, query.limit],
  );
  return rows.map((row) => ({
    user,
    path: pathOf(row, "path"),
    size: integer(row, "size"),
    digest: blob(row, "digest"),
    etag: text(row, "etag"),
  }));
}

/** Forgets what was noted for a path. */
export function deleteContent(db: SqliteDatabase, user: string, path: readonly string[]): void {
  db.run("DELETE FROM contents WHERE user = ? AND path = ?", user, JSON.stringify(path));
}
