/**
 * Passwords and the management of tokens in SQLite. Functions here run inside a transaction of the
 * catalog.
 *
 * @module
 */

import type { Verifier } from "../../lib/auth/verifier.ts";
import { TrivetError } from "../../lib/errors.ts";
import { quoteName } from "../../lib/netdisk/path.ts";
import type { TokenRecord } from "./catalog.ts";
import { API_TOKENS_MAX, type NewPassword, type TokenQuery } from "./catalog_access.ts";
import { toToken } from "./sqlite_accounts.ts";
import type { SqliteDatabase } from "./sqlite_database.ts";
import { blob, integer } from "./sqlite_values.ts";

/** Sets a verifier if the one before is that which was proven; how many sessions ended. */
export function replaceVerifier(db: SqliteDatabase, user: string, change: NewPassword): number {
  const row = db.get("SELECT stored_key FROM users WHERE name = ? AND disabled = 0", user);
  if (row === undefined || blob(row, "stored_key").toHex() !== change.provenKey.toHex()) {
    throw new TrivetError("AUTH_REQUIRED", "The password was changed since this login");
  }
  return updateVerifier(db, user, change);
}

/** Sets a verifier; how many sessions ended. */
export function updateVerifier(
  db: SqliteDatabase,
  user: string,
  { verifier, keep }: { readonly verifier: Verifier; readonly keep: Uint8Array | null },
): number {
  const { salt, iterations, storedKey, serverKey } = verifier;
  const changed = db.run(
    "UPDATE users SET salt = ?, iterations = ?, stored_key = ?, server_key = ? WHERE name = ?",
    ...[salt, iterations, storedKey, serverKey, user],
  );
  if (changed === 0) {
    throw new TrivetError(
      "NOT_FOUND",
      `Cannot change password: user ${quoteName(user)} does not exist`,
    );
  }
  return db.run(
    "DELETE FROM tokens WHERE user = ? AND kind = 'session' AND hash IS NOT ?",
    ...[user, keep],
  );
}

/** A page of tokens. */
export function selectTokens(
  db: SqliteDatabase,
  { user, after, limit }: TokenQuery,
  nowMs: number,
): TokenRecord[] {
  const rows = db.all(
    `SELECT hash, user, kind, scope, path_prefix, expires_at_ms, created_at_ms AS made_at_ms,
       last_used_at_ms, label
     FROM tokens
     WHERE user = ? AND (expires_at_ms IS NULL OR expires_at_ms > ?) AND substr(hash, 1, 8) > ?
     ORDER BY hash LIMIT ?`,
    ...[user, nowMs, Uint8Array.fromHex(after ?? ""), limit],
  );
  return rows.map(toToken);
}

/** Removes tokens by id; their hashes. */
export function deleteTokens(
  db: SqliteDatabase,
  user: string,
  ids: readonly string[],
): Uint8Array[] {
  return [...new Set(ids)].flatMap((id) => {
    const rows = db.all(
      "DELETE FROM tokens WHERE user = ? AND substr(hash, 1, 8) = ? RETURNING hash",
      ...[user, Uint8Array.fromHex(id)],
    );
    if (rows.length > 0) return rows.map((row) => blob(row, "hash"));
    throw new TrivetError("NOT_FOUND", `There is no token ${quoteName(id)}`);
  });
}

/** Refuses one API token more than an account may have. */
export function requireTokenRoom(db: SqliteDatabase, user: string, nowMs: number): void {
  const row = db.get(
    `SELECT count(*) AS n FROM tokens
     WHERE user = ? AND kind = 'api' AND (expires_at_ms IS NULL OR expires_at_ms > ?)`,
    ...[user, nowMs],
  );
  if (row === undefined || integer(row, "n") < API_TOKENS_MAX) return;
  throw new TrivetError(
    "TOO_MANY",
    `Cannot add token: the account has ${API_TOKENS_MAX}, which is the limit`,
  );
}
