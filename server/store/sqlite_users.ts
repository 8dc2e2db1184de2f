/**
 * What an administrator does to accounts and sessions, in SQLite. Functions here run inside a
 * transaction of the catalog.
 *
 * @module
 */

import type { Verifier } from "../../lib/auth/verifier.ts";
import { TrivetError } from "../../lib/errors.ts";
import { quoteName } from "../../lib/netdisk/path.ts";
import type { NewToken, TokenRecord, UserRecord } from "./catalog.ts";
import {
  type OpenLogin,
  type QuotaChange,
  SESSION_ID_BYTES,
  type SessionQuery,
  type SessionRecord,
  type UserQuery,
  type VerifierChange,
  type VerifierOptions,
} from "./catalog_accounts.ts";
import { insertToken, selectUser, toUser, USER_COLUMNS } from "./sqlite_accounts.ts";
import type { Row, SqliteDatabase } from "./sqlite_database.ts";
import { integer, integerOrNull, text } from "./sqlite_values.ts";

const SESSION_ID = `lower(hex(substr(hash, 1, ${SESSION_ID_BYTES})))`;

/** Accounts in order of their names. */
export function selectUsers(db: SqliteDatabase, query: UserQuery): UserRecord[] {
  const rows = db.all(
    `SELECT ${USER_COLUMNS} FROM users WHERE name > ? ORDER BY name LIMIT ?`,
    ...[query.after ?? "", query.limit],
  );
  return rows.map(toUser);
}

/** Changes a quota. */
export function updateQuota(db: SqliteDatabase, user: string, change: QuotaChange): UserRecord {
  requireUser(db, user);
  if (change.quotaBytes !== undefined) {
    db.run("UPDATE users SET quota_bytes = ? WHERE name = ?", change.quotaBytes, user);
  }
  if (change.quotaFiles !== undefined) {
    db.run("UPDATE users SET quota_files = ? WHERE name = ?", change.quotaFiles, user);
  }
  return requireUser(db, user);
}

/** Replaces a verifier and ends the account's logins. */
export function updateVerifier(
  db: SqliteDatabase,
  user: string,
  change: VerifierOptions & { verifier: Verifier; nowMs: number },
): VerifierChange {
  const { disabled } = requireUser(db, user);
  const { provenEpoch } = change;
  if (
    provenEpoch !== undefined && (disabled || selectAuthEpoch(db, user) !== provenEpoch)
  ) {
    throw new TrivetError("AUTH_REQUIRED", "The password was changed since this login");
  }
  const { salt, iterations, storedKey, serverKey } = change.verifier;
  db.run(
    `UPDATE users SET salt = ?, iterations = ?, stored_key = ?, server_key = ? WHERE name = ?`,
    ...[salt, iterations, storedKey, serverKey, user],
  );
  const ended = endLogins(db, user, { nowMs: change.nowMs, keep: change.keep ?? null });
  return { authEpoch: selectAuthEpoch(db, user) ?? 0, ended };
}

/** Refuses or allows logins; refusing ends those that there are. */
export function updateDisabled(
  db: SqliteDatabase,
  user: string,
  change: { disabled: boolean; nowMs: number },
): UserRecord {
  requireUser(db, user);
  db.run("UPDATE users SET disabled = ? WHERE name = ?", change.disabled ? 1 : 0, user);
  if (change.disabled) endLogins(db, user, { nowMs: change.nowMs });
  return requireUser(db, user);
}

/** Forgets an account with all that belongs to it; the ids of its uploads. */
export function deleteUser(db: SqliteDatabase, user: string): string[] {
  requireUser(db, user);
  const uploads = db.all("SELECT id FROM uploads WHERE user = ?", user);
  // The rest goes with the account's row.
  db.run("DELETE FROM users WHERE name = ?", user);
  return uploads.map((row) => text(row, "id"));
}

/** The epoch of an account. */
export function selectAuthEpoch(db: SqliteDatabase, user: string): number | null {
  const row = db.get("SELECT auth_epoch FROM users WHERE name = ?", user);
  return row === undefined ? null : integer(row, "auth_epoch");
}

/** Adds a session, unless what its login was checked against has changed meanwhile. */
export function insertSession(
  db: SqliteDatabase,
  token: NewToken,
  login: { authEpoch: number; nowMs: number },
): TokenRecord {
  const row = db.get("SELECT auth_epoch FROM users WHERE name = ? AND disabled = 0", token.user);
  if (row === undefined || integer(row, "auth_epoch") !== login.authEpoch) {
    throw new TrivetError("AUTH_FAILED", "The account was changed during the login");
  }
  return insertToken(db, token, login.nowMs);
}

/** Sessions that have not ended, in order of their ids. */
export function selectSessions(
  db: SqliteDatabase,
  query: SessionQuery,
  nowMs: number,
): SessionRecord[] {
  const rows = db.all(
    `SELECT ${SESSION_ID} AS id, user, label, created_at_ms, last_used_at_ms, expires_at_ms
     FROM tokens
     WHERE kind = 'session' AND ${SESSION_ID} > ?1 AND (?2 IS NULL OR user = ?2)
       AND (expires_at_ms IS NULL OR expires_at_ms > ?3)
     ORDER BY hash LIMIT ?4`,
    ...[query.after ?? "", query.user ?? null, nowMs, query.limit],
  );
  return rows.map(toSession);
}

/** Ends one session; null when there is none. */
export function deleteSession(db: SqliteDatabase, id: string): SessionRecord | null {
  const row = db.get(
    `DELETE FROM tokens WHERE kind = 'session' AND ${SESSION_ID} = ?
     RETURNING ${SESSION_ID} AS id, user, label, created_at_ms, last_used_at_ms, expires_at_ms`,
    id,
  );
  return row === undefined ? null : toSession(row);
}

/** Ends all logins of an account but those by access tokens and one session; how many sessions. */
export function endLogins(
  db: SqliteDatabase,
  user: string,
  { nowMs, keep = null }: { nowMs: number; keep?: Uint8Array | null },
): number {
  requireUser(db, user);
  // The time keeps an account that is made again under its old name apart from the one before.
  db.run(
    "UPDATE users SET auth_epoch = max(auth_epoch + 1, ?) WHERE name = ?",
    ...[nowMs, user],
  );
  return db.run(
    "DELETE FROM tokens WHERE user = ? AND kind = 'session' AND hash IS NOT ?",
    ...[user, keep],
  );
}

/** How many tokens have reached their end: it grows without a commit. */
export function countEndedTokens(db: SqliteDatabase, nowMs: number): number {
  const row = db.get("SELECT count(*) AS ended FROM tokens WHERE expires_at_ms <= ?", nowMs);
  return integer(row ?? {}, "ended");
}

/** Which of these logins have ended. */
export function selectEnded(
  db: SqliteDatabase,
  logins: readonly OpenLogin[],
  nowMs: number,
): number[] {
  const list = logins.map(({ user, tokenHash, authEpoch }) => ({
    user,
    token: tokenHash?.toHex() ?? null,
    epoch: authEpoch ?? null,
  }));
  const rows = db.all(
    `SELECT login.key AS place FROM json_each(?) AS login
     WHERE NOT EXISTS (
         SELECT 1 FROM users
         WHERE name = login.value ->> 'user' AND disabled = 0
           AND (login.value ->> 'epoch' IS NULL OR auth_epoch = login.value ->> 'epoch'))
       OR (login.value ->> 'token' IS NOT NULL AND NOT EXISTS (
         SELECT 1 FROM tokens
         WHERE hash = unhex(login.value ->> 'token') AND user = login.value ->> 'user'
           AND (expires_at_ms IS NULL OR expires_at_ms > ?)))`,
    ...[JSON.stringify(list), nowMs],
  );
  return rows.map((row) => integer(row, "place"));
}

function requireUser(db: SqliteDatabase, name: string): UserRecord {
  const user = selectUser(db, name);
  if (user !== null) return user;
  throw new TrivetError("USER_NOT_FOUND", `User ${quoteName(name)} does not exist`);
}

function toSession(row: Row): SessionRecord {
  return {
    id: text(row, "id"),
    user: text(row, "user"),
    label: text(row, "label"),
    createdAtMs: integer(row, "created_at_ms"),
    lastUsedAtMs: integerOrNull(row, "last_used_at_ms"),
    expiresAtMs: integerOrNull(row, "expires_at_ms"),
  };
}
