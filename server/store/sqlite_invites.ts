/**
 * Invites in SQLite. Functions here run inside a transaction of the catalog.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { quoteName } from "../../lib/netdisk/path.ts";
import type { NewUser, UserRecord } from "./catalog.ts";
import { type InviteRecord, INVITES_MAX, type NewInvite } from "./catalog_invites.ts";
import { insertUser } from "./sqlite_accounts.ts";
import type { Row, SqliteDatabase } from "./sqlite_database.ts";
import { blob, integer, integerOrNull } from "./sqlite_values.ts";

/** Adds an invite. */
export function insertInvite(db: SqliteDatabase, invite: NewInvite, nowMs: number): InviteRecord {
  db.run("DELETE FROM invites WHERE expires_at_ms <= ? OR uses_left = 0", nowMs);
  const row = db.get("SELECT count(*) AS n FROM invites");
  if (row !== undefined && integer(row, "n") >= INVITES_MAX) {
    throw new TrivetError(
      "TOO_MANY",
      `Cannot add invite: there are ${INVITES_MAX}, which is the limit`,
    );
  }
  const { hash, quotaBytes, quotaFiles, uses, expiresAtMs } = invite;
  db.run(
    `INSERT INTO invites (hash, quota_bytes, quota_files, uses, uses_left, expires_at_ms,
       created_at_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ...[hash, quotaBytes, quotaFiles, uses, uses, expiresAtMs, nowMs],
  );
  return { ...invite, usesLeft: uses, createdAtMs: nowMs };
}

/** Invites that can be used now. */
export function selectInvites(db: SqliteDatabase, nowMs: number): InviteRecord[] {
  const rows = db.all(
    `SELECT * FROM invites WHERE expires_at_ms > ? AND uses_left > 0
     ORDER BY created_at_ms, hash LIMIT ?`,
    ...[nowMs, INVITES_MAX],
  );
  return rows.map(toInvite);
}

/** Removes invites by id; how many. */
export function deleteInvites(db: SqliteDatabase, ids: readonly string[]): number {
  const distinct = new Set(ids);
  for (const id of distinct) {
    const isHex = /^[0-9a-f]{16}$/.test(id);
    const removed = isHex
      ? db.run("DELETE FROM invites WHERE substr(hash, 1, 8) = ?", Uint8Array.fromHex(id))
      : 0;
    if (removed === 0) throw new TrivetError("NOT_FOUND", `There is no invite ${quoteName(id)}`);
  }
  return distinct.size;
}

/** Uses an invite for an account; null when it cannot be used. */
export function redeemInvite(
  db: SqliteDatabase,
  hash: Uint8Array,
  { user, nowMs }: { readonly user: NewUser; readonly nowMs: number },
): UserRecord | null {
  const [row] = db.all(
    `UPDATE invites SET uses_left = uses_left - 1
     WHERE hash = ? AND uses_left > 0 AND expires_at_ms > ? RETURNING *`,
    ...[hash, nowMs],
  );
  if (row === undefined) return null;
  const { quotaBytes, quotaFiles } = toInvite(row);
  return insertUser(
    db,
    { ...user, quotaBytes: quotaBytes ?? user.quotaBytes, quotaFiles },
    nowMs,
  );
}

function toInvite(row: Row): InviteRecord {
  return {
    hash: blob(row, "hash"),
    quotaBytes: integerOrNull(row, "quota_bytes"),
    quotaFiles: integerOrNull(row, "quota_files"),
    uses: integer(row, "uses"),
    usesLeft: integer(row, "uses_left"),
    expiresAtMs: integer(row, "expires_at_ms"),
    createdAtMs: integer(row, "created_at_ms"),
  };
}
