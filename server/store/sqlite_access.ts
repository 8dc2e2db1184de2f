/**
 * The management of tokens in SQLite. Functions here run inside a transaction of the
 * catalog.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { quoteName } from "../../lib/netdisk/path.ts";
import type { TokenRecord } from "./catalog.ts";
import { API_TOKENS_MAX, type TokenQuery } from "./catalog_access.ts";
import { toToken } from "./sqlite_accounts.ts";
import type { SqliteDatabase } from "./sqlite_database.ts";
import { integer } from "./sqlite_values.ts";

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

/** Removes tokens by id; how many. */
export function deleteTokens(
  db: SqliteDatabase,
  user: string,
  ids: readonly string[],
): number {
  let removed = 0;
  for (const id of new Set(ids)) {
    const count = db.run(
      "DELETE FROM tokens WHERE user = ? AND substr(hash, 1, 8) = ?",
      ...[user, Uint8Array.fromHex(id)],
    );
    if (count === 0) throw new TrivetError("TOKEN_NOT_FOUND", `There is no token ${quoteName(id)}`);
    removed += count;
  }
  return removed;
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
