/**
 * What an import of accounts would do, row by row, before anything is done.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import type { StoredAccount } from "../store/catalog_export.ts";
import { fromRow, isSameAccount, type RawRow } from "./account_row.ts";

/** What becomes of a row: a new account, another one for a name, nothing to do, or refused. */
export type ImportAction = "add" | "change" | "same" | "refuse";

/** One row of the plan. */
export interface PlannedRow {
  /** Number of the row in the table, from 1; the head is not counted. */
  readonly row: number;
  /** The name in the row, as far as there is one. */
  readonly name: string;
  /** What becomes of it. */
  readonly action: ImportAction;
  /** Why it is refused. */
  readonly reason: string | null;
  /** The account, unless it is refused. */
  readonly account: StoredAccount | null;
}

/** Options of {@linkcode planImport}. */
export interface ImportOptions {
  /** The accounts that there are. */
  readonly existing: readonly StoredAccount[];
  /** Whether accounts that there are may be changed. */
  readonly canUpdate: boolean;
  /** The time, for new accounts whose row does not say when they were made. */
  readonly nowMs: number;
}

/** Decides about every row. */
export function planImport(rows: readonly RawRow[], options: ImportOptions): PlannedRow[] {
  const existing = new Map(options.existing.map((account) => [account.name, account]));
  const seen = new Set<string>();
  return rows.map((raw, i) => {
    const name = raw.get("name") ?? "";
    const planned = { row: i + 1, name };
    try {
      const read = fromRow(raw, options.nowMs);
      if (seen.has(name)) throw new TrivetError("FAILED", "The name is in the table twice");
      seen.add(name);
      const before = existing.get(name);
      const quotaFiles = raw.has("quota_files") ? read.quotaFiles : before?.quotaFiles ?? null;
      const account = { ...read, quotaFiles };
      if (before === undefined) return { ...planned, action: "add", reason: null, account };
      if (isSameAccount(before, account)) {
        return { ...planned, action: "same", reason: null, account };
      }
      if (options.canUpdate) return { ...planned, action: "change", reason: null, account };
      throw new TrivetError("FAILED", "The account is there and differs; --update changes it");
    } catch (error) {
      if (!(error instanceof TrivetError)) throw error;
      return { ...planned, action: "refuse", reason: error.message, account: null };
    }
  });
}
