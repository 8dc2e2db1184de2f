/**
 * Accounts, tokens and settings in SQLite. Functions here run inside a transaction of the catalog.
 *
 * @module
 */

import type { Verifier } from "../../lib/auth/verifier.ts";
import { TrivetError } from "../../lib/errors.ts";
import { quoteName } from "../../lib/netdisk/path.ts";
import {
  type NewToken,
  type NewUser,
  TOKEN_USE_ROUND_MS,
  type TokenKind,
  type TokenRecord,
  type TokenScope,
  type UserRecord,
} from "./catalog.ts";
import { requireTokenRoom } from "./sqlite_access.ts";
import type { Row, SqliteDatabase } from "./sqlite_database.ts";
import { SQLITE_CONSTRAINT, sqliteCode } from "./sqlite_errors.ts";
import { blob, integer, integerOrNull, pathOf, text } from "./sqlite_values.ts";

/** The columns of an account's record. */
export const USER_COLUMNS =
  "name, quota_bytes, used_bytes, quota_files, used_files, created_at_ms, disabled";

/** Adds an account. */
export function insertUser(db: SqliteDatabase, user: NewUser, nowMs: number): UserRecord {
  const { salt, iterations, storedKey, serverKey } = user.verifier;
  const quotaFiles = user.quotaFiles ?? null;
  try {
    db.run(
      `INSERT INTO users (name, salt, iterations, stored_key, server_key, quota_bytes, quota_files,
         created_at_ms, auth_epoch)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[user.name, salt, iterations, storedKey, serverKey, user.quotaBytes, quotaFiles],
      ...[nowMs, nowMs],
    );
  } catch (error) {
    if (sqliteCode(error) !== SQLITE_CONSTRAINT.PRIMARYKEY) throw error;
    throw new TrivetError(
      "USER_EXISTS",
      `Cannot create user ${quoteName(user.name)}: the name is taken`,
      { cause: error },
    );
  }
  const { name, quotaBytes } = user;
  const used = { usedBytes: 0, usedFiles: 0 };
  return { name, quotaBytes, quotaFiles, ...used, createdAtMs: nowMs, disabled: false };
}

/** An account by name. */
export function selectUser(db: SqliteDatabase, name: string): UserRecord | null {
  const row = db.get(`SELECT ${USER_COLUMNS} FROM users WHERE name = ?`, name);
  return row === undefined ? null : toUser(row);
}

/** An account from {@linkcode USER_COLUMNS}. */
export function toUser(row: Row): UserRecord {
  return {
    name: text(row, "name"),
    quotaBytes: integer(row, "quota_bytes"),
    usedBytes: integer(row, "used_bytes"),
    quotaFiles: integerOrNull(row, "quota_files"),
    usedFiles: integer(row, "used_files"),
    createdAtMs: integer(row, "created_at_ms"),
    disabled: integer(row, "disabled") === 1,
  };
}

/** The verifier of an account that may log in. */
export function selectVerifier(db: SqliteDatabase, name: string): Verifier | null {
  const row = db.get(
    `SELECT salt, iterations, stored_key, server_key FROM users WHERE name = ? AND disabled = 0`,
    name,
  );
  if (row === undefined) return null;
  return {
    salt: blob(row, "salt"),
    iterations: integer(row, "iterations"),
    storedKey: blob(row, "stored_key"),
    serverKey: blob(row, "server_key"),
  };
}

/** Adds a token. */
export function insertToken(db: SqliteDatabase, token: NewToken, nowMs: number): TokenRecord {
  const { hash, user, kind, scope, expiresAtMs, label } = token;
  const prefix = JSON.stringify(token.pathPrefix);
  if (kind === "api") requireTokenRoom(db, user, nowMs);
  try {
    db.run(
      `INSERT INTO tokens (hash, user, kind, scope, path_prefix, expires_at_ms, created_at_ms, label)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[hash, user, kind, scope, prefix, expiresAtMs, nowMs, label],
    );
  } catch (error) {
    if (sqliteCode(error) !== SQLITE_CONSTRAINT.FOREIGNKEY) throw error;
    throw new TrivetError("NOT_FOUND", `Cannot add token: user ${quoteName(user)} does not exist`, {
      cause: error,
    });
  }
  return { ...token, createdAtMs: nowMs, lastUsedAtMs: null };
}

/** A token that is valid now. */
export function selectToken(
  db: SqliteDatabase,
  hash: Uint8Array,
  nowMs: number,
): TokenRecord | null {
  const row = db.get(
    `SELECT hash, user, kind, scope, path_prefix, expires_at_ms, tokens.created_at_ms AS made_at_ms,
       last_used_at_ms, label
     FROM tokens JOIN users ON users.name = tokens.user
     WHERE hash = ? AND disabled = 0 AND (expires_at_ms IS NULL OR expires_at_ms > ?)`,
    ...[hash, nowMs],
  );
  return row === undefined ? null : toToken(row);
}

/** The hour of a use that is not noted yet, or null. */
export function useToNote(token: TokenRecord, nowMs: number): number | null {
  const roundedMs = Math.floor(nowMs / TOKEN_USE_ROUND_MS) * TOKEN_USE_ROUND_MS;
  return token.lastUsedAtMs === null || roundedMs > token.lastUsedAtMs ? roundedMs : null;
}

/** A token from its row. */
export function toToken(row: Row): TokenRecord {
  return {
    hash: blob(row, "hash"),
    user: text(row, "user"),
    kind: text(row, "kind") as TokenKind,
    scope: text(row, "scope") as TokenScope,
    pathPrefix: pathOf(row, "path_prefix"),
    expiresAtMs: integerOrNull(row, "expires_at_ms"),
    createdAtMs: integer(row, "made_at_ms"),
    lastUsedAtMs: integerOrNull(row, "last_used_at_ms"),
    label: text(row, "label"),
  };
}
