/**
 * Machine keys in SQLite. Functions here run inside a transaction of the catalog.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { quoteName } from "../../lib/netdisk/path.ts";
import { TOKEN_USE_ROUND_MS } from "./catalog.ts";
import type { KeyQuery, KeyRecord, NewKey } from "./catalog_keys.ts";
import type { Row, SqliteDatabase } from "./sqlite_database.ts";
import { SQLITE_CONSTRAINT, sqliteCode } from "./sqlite_errors.ts";
import { blob, integer, integerOrNull, pathOf, text } from "./sqlite_values.ts";

const COLUMNS = "id, name, services, created_at_ms, last_used_at_ms, expires_at_ms";

/** Adds a key. */
export function insertKey(db: SqliteDatabase, key: NewKey, nowMs: number): KeyRecord {
  const { id, name, services, sealed, expiresAtMs } = key;
  const list = services === null ? null : JSON.stringify(services);
  try {
    db.run(
      `INSERT INTO machine_keys (id, name, services, sealed, created_at_ms, expires_at_ms)
       VALUES (?, ?, ?, ?, ?, ?)`,
      ...[id, name, list, sealed, nowMs, expiresAtMs],
    );
  } catch (error) {
    if (sqliteCode(error) !== SQLITE_CONSTRAINT.UNIQUE) throw error;
    const text = `Cannot add machine key ${quoteName(name)}: the name is taken`;
    throw new TrivetError("KEY_EXISTS", text, { cause: error });
  }
  return { id, name, services, createdAtMs: nowMs, lastUsedAtMs: null, expiresAtMs };
}

/** Keys in order of their names. */
export function selectKeys(db: SqliteDatabase, query: KeyQuery): KeyRecord[] {
  const rows = db.all(
    `SELECT ${COLUMNS} FROM machine_keys WHERE name > ? ORDER BY name LIMIT ?`,
    ...[query.after ?? "", query.limit],
  );
  return rows.map(toKey);
}

/** What is stored of a key that opens a service now. */
export function selectSealedKey(
  db: SqliteDatabase,
  id: string,
  use: { readonly service: string; readonly nowMs: number },
): Uint8Array<ArrayBuffer> | null {
  const row = db.get(
    `SELECT sealed FROM machine_keys
     WHERE id = ?1 AND (expires_at_ms IS NULL OR expires_at_ms > ?2)
       AND (services IS NULL OR ?3 IN (SELECT value FROM json_each(services)))`,
    ...[id, use.nowMs, use.service],
  );
  return row === undefined ? null : blob(row, "sealed");
}

/** The name of a key. */
export function selectKeyName(db: SqliteDatabase, id: string): string | null {
  const row = db.get("SELECT name FROM machine_keys WHERE id = ?", id);
  return row === undefined ? null : text(row, "name");
}

/** The hour of a use that is not noted yet, or null. */
export function keyUseToNote(db: SqliteDatabase, id: string, nowMs: number): number | null {
  const roundedMs = Math.floor(nowMs / TOKEN_USE_ROUND_MS) * TOKEN_USE_ROUND_MS;
  const row = db.get(
    `SELECT 1 FROM machine_keys
     WHERE id = ?1 AND (last_used_at_ms IS NULL OR last_used_at_ms < ?2)`,
    ...[id, roundedMs],
  );
  return row === undefined ? null : roundedMs;
}

/** Notes a use. */
export function updateKeyUse(db: SqliteDatabase, id: string, usedAtMs: number): void {
  db.run("UPDATE machine_keys SET last_used_at_ms = ? WHERE id = ?", usedAtMs, id);
}

/** Forgets a key by its name, else by its id. */
export function deleteKey(db: SqliteDatabase, nameOrId: string): KeyRecord | null {
  const row = db.get(
    `SELECT ${COLUMNS} FROM machine_keys WHERE name = ?1 OR id = ?1 ORDER BY name = ?1 DESC LIMIT 1`,
    nameOrId,
  );
  if (row === undefined) return null;
  const key = toKey(row);
  db.run("DELETE FROM machine_keys WHERE id = ?", key.id);
  return key;
}

/** How many keys have ended by now: it grows at the moment that one does. */
export function countEndedKeys(db: SqliteDatabase, nowMs: number): number {
  const row = db.get("SELECT count(*) AS ended FROM machine_keys WHERE expires_at_ms <= ?", nowMs);
  return integer(row ?? {}, "ended");
}

/** Which of these keys have ended or are not there. */
export function selectEndedKeys(
  db: SqliteDatabase,
  ids: readonly string[],
  nowMs: number,
): string[] {
  const rows = db.all(
    `SELECT DISTINCT asked.value AS id FROM json_each(?1) AS asked
     WHERE NOT EXISTS (
       SELECT 1 FROM machine_keys
       WHERE id = asked.value AND (expires_at_ms IS NULL OR expires_at_ms > ?2))`,
    ...[JSON.stringify(ids), nowMs],
  );
  return rows.map((row) => text(row, "id"));
}

function toKey(row: Row): KeyRecord {
  return {
    id: text(row, "id"),
    name: text(row, "name"),
    services: row["services"] === null ? null : pathOf(row, "services"),
    createdAtMs: integer(row, "created_at_ms"),
    lastUsedAtMs: integerOrNull(row, "last_used_at_ms"),
    expiresAtMs: integerOrNull(row, "expires_at_ms"),
  };
}
