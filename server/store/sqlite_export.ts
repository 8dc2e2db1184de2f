/**
 * Accounts out of and into SQLite as a whole. Functions here run inside a transaction of the catalog.
 *
 * @module
 */

import type { AccountImport, StoredAccount } from "./catalog_accounts.ts";
import { updateVerifier } from "./sqlite_access.ts";
import { insertUser } from "./sqlite_accounts.ts";
import type { SqliteDatabase } from "./sqlite_database.ts";
import { blob, integer, text } from "./sqlite_values.ts";

/** All accounts, by name. */
export function selectAccounts(db: SqliteDatabase): StoredAccount[] {
  return db.all("SELECT * FROM users ORDER BY name").map((row) => ({
    name: text(row, "name"),
    quotaBytes: integer(row, "quota_bytes"),
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
export function importAccounts(db: SqliteDatabase, { added, changed }: AccountImport): void {
  for (const account of added) {
    insertUser(db, account, account.createdAtMs);
    setState(db, account);
  }
  for (const account of changed) {
    const before = db.get("SELECT stored_key FROM users WHERE name = ?", account.name);
    const { verifier } = account;
    const isSamePassword = before !== undefined &&
      blob(before, "stored_key").toHex() === verifier.storedKey.toHex();
    if (!isSamePassword) updateVerifier(db, account.name, { verifier, keep: null });
    setState(db, account);
  }
}

function setState(db: SqliteDatabase, { name, quotaBytes, disabled }: StoredAccount): void {
  db.run(
    "UPDATE users SET quota_bytes = ?, disabled = ? WHERE name = ?",
    ...[quotaBytes, disabled ? 1 : 0, name],
  );
}
