/**
 * The port to what the care of the data needs of the database beyond {@linkcode Catalog}: what is
 * counted for each account, and setting it right.
 *
 * @module
 */

import type { TrashSize } from "./catalog.ts";

/** What the database counts for an account. */
export interface AccountCount {
  /** User name. */
  readonly name: string;
  /** Bytes taken in all. */
  readonly usedBytes: number;
  /** Of these, bytes that uploads have reserved. */
  readonly reservedBytes: number;
  /** Of these, bytes in the trash. */
  readonly trashBytes: number;
  /** Commits, removals and moves that have not ended: while there are any, the sum may be off. */
  readonly unsettled: number;
}

/** A page of accounts to ask for. */
export interface AccountQuery {
  /** Only names after this one. */
  readonly after?: string;
  /** Most records in the answer. */
  readonly limit: number;
}

/** See the module. Failures are those of `Catalog`. */
export interface CareCatalog {
  /** Accounts in order of their names. */
  accounts(query: AccountQuery): Promise<AccountCount[]>;
  /** One account; null when it does not exist. */
  account(name: string): Promise<AccountCount | null>;
  /** Sets what an account has taken, durably, whatever its quota. */
  setUsedBytes(name: string, bytes: number): Promise<void>;
  /** Sets what a kept item of the trash takes, durably, and counts the difference. */
  setTrashSize(id: string, size: TrashSize): Promise<void>;
  /** Closes the database. */
  close(): Promise<void>;
}
