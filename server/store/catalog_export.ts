/**
 * The part of the catalog that takes accounts out and in as a whole, for export and import.
 *
 * @module
 */

import type { Verifier } from "../../lib/auth/verifier.ts";
import type { UserRecord } from "./catalog.ts";

/** An account with its verifier, and without what depends on its files. */
export interface StoredAccount extends Omit<UserRecord, "usedBytes" | "usedFiles"> {
  /** Verifier of the password. */
  readonly verifier: Verifier;
}

/** Accounts to bring in. */
export interface AccountImport {
  /** New ones. */
  readonly added: readonly StoredAccount[];
  /** Those that take the place of one with the same name; when it was made stays as it was. */
  readonly changed: readonly StoredAccount[];
}

/** See the module; part of `Catalog`. */
export interface ExportCatalog {
  /** All accounts, by name. */
  exportAccounts(): Promise<StoredAccount[]>;
  /**
   * Brings accounts in, durably, all or none; logins of an account that gets another password or is
   * disabled end. Throws `USER_EXISTS` when an added one is there, and `USER_NOT_FOUND` when a changed
   * one is not.
   */
  importAccounts(accounts: AccountImport): Promise<void>;
}
