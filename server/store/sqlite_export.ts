/**
 * Accounts out of and into SQLite as a whole. Functions here run inside a transaction of the catalog.
 *
 * @module
 */

import type { AccountImport, StoredAccount } from "./catalog_export.ts";
import { insertUser } from "./sqlite_accounts.ts";
import type { SqliteDatabase } from "./sqlite_database.ts";
import { updateDisabled, updateQuota, updateVerifier } from "./sqlite_users.ts";
import { blob, integer, integerOrNull, text } from "./sqlite_values.ts";

/** All accounts, by name. */
export function selectAccounts(db: SqliteDatabase): StoredAccount[] {
  return db.all("SELECT * FROM users ORDER BY name").map((row) => ({
    name: text(row, "name"),
    quotaBytes: integer(row, "quota_bytes"),
    quotaFiles: integerOrNull(row, "quota_files"),
    createdAtMs: integer(row, "created_at_ms"),
    disabled: integer(row, "disabled") === 1,
    verifier: {
      salt: blob(row, "salt"),
      iterations: integer(row, "iterations"),
      storedKey: blob(row, "stored_key"),
      serverKey: blob(row, "server_key"),
    },
  }));
}

/** Brings accounts in. */
export function importAccounts(
  db: SqliteDatabase,
  { added, changed }: AccountImport,
  nowMs: number,
): void {
  for (const account of added) {
    // Made now, as far as logins are concerned.
    insertUser(db, account, nowMs);
    db.run(
      "UPDATE users SET created_at_ms = ?, disabled = ? WHERE name = ?",
      ...[account.createdAtMs, account.disabled ? 1 : 0, account.name],
    );
  }
  for (const account of changed) {
    const { name, disabled, verifier } = account;
    const before = updateQuota(db, name, account);
    if (before.disabled !== disabled) updateDisabled(db, name, { disabled, nowMs });
    if (!isPasswordOf(db, account)) updateVerifier(db, name, { verifier, nowMs });
  }
}

function isPasswordOf(db: SqliteDatabase, { name, verifier }: StoredAccount): boolean {
  const row = db.get("SELECT stored_key FROM users WHERE name = ?", name);
  return row !== undefined && blob(row, "stored_key").toHex() === verifier.storedKey.toHex();
}
