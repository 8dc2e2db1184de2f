/**
 * An account as a row of an exported table: the columns, how they are written and how they are read
 * back. There is no column for a password, since no server has one.
 *
 * @module
 */

import { checkUserName } from "../../lib/auth/credentials.ts";
import { formatVerifier, parseVerifier } from "../../lib/auth/verifier.ts";
import { TrivetError } from "../../lib/errors.ts";
import { parseBytes, parseInteger, parseSwitch } from "../../lib/term/values.ts";
import type { StoredAccount } from "../store/catalog_export.ts";

/** Columns of the table, in their order. */
export const ACCOUNT_COLUMNS = [
  "name",
  "quota_bytes",
  "quota_files",
  "disabled",
  "created",
  "salt",
  "iterations",
  "stored_key",
  "server_key",
] as const;

/** A column of the table. */
export type AccountColumn = typeof ACCOUNT_COLUMNS[number];

/**
 * Columns that a table to import may lack: accounts are then enabled, new ones made now and without a
 * limit of files, while the limit of others stays.
 */
const OPTIONAL_COLUMNS: readonly AccountColumn[] = ["quota_files", "disabled", "created"];

/** A row as it is written. */
export type AccountRow = Readonly<Record<AccountColumn, string | number | boolean>>;

/** A row as it is read: texts, of columns that are there. */
export type RawRow = ReadonlyMap<AccountColumn, string>;

/** Writes an account as a row. */
export function toRow(
  { name, quotaBytes, quotaFiles, disabled, createdAtMs, verifier }: StoredAccount,
): AccountRow {
  return {
    name,
    quota_bytes: quotaBytes,
    quota_files: quotaFiles ?? "",
    disabled,
    created: new Date(createdAtMs).toISOString(),
    salt: verifier.salt.toBase64(),
    iterations: verifier.iterations,
    stored_key: verifier.storedKey.toBase64(),
    server_key: verifier.serverKey.toBase64(),
  };
}

/**
 * Reads an account from a row.
 *
 * @param row The texts of its cells.
 * @param nowMs When an account was made whose row does not say.
 * @throws {TrivetError} `USER_NAME_INVALID`, `INVALID_REQUEST` for a verifier, `FAILED` for others.
 */
export function fromRow(row: RawRow, nowMs: number): StoredAccount {
  const name = row.get("name") ?? "";
  checkUserName(name);
  const cell = <T>(column: AccountColumn, value: T | undefined): T => {
    if (value !== undefined) return value;
    throw new TrivetError("FAILED", `Cannot read ${column}: "${row.get(column) ?? ""}"`);
  };
  const quota = cell("quota_bytes", parseBytes(row.get("quota_bytes") ?? ""));
  const files = row.get("quota_files") || null;
  const quotaFiles = cell("quota_files", files === null ? null : parseFiles(files));
  const disabled = cell("disabled", parseSwitch(row.get("disabled") || "false"));
  const created = row.get("created") || new Date(nowMs).toISOString();
  const createdAtMs = Date.parse(created);
  const text = `SCRAM-SHA-256$${row.get("iterations") ?? ""}:${row.get("salt") ?? ""}$` +
    `${row.get("stored_key") ?? ""}:${row.get("server_key") ?? ""}`;
  return {
    name,
    quotaBytes: quota,
    quotaFiles,
    disabled,
    createdAtMs: cell("created", Number.isFinite(createdAtMs) ? createdAtMs : undefined),
    verifier: parseVerifier(text),
  };
}

function parseFiles(text: string): number | undefined {
  const files = parseInteger(text);
  return files === undefined || files < 0 ? undefined : files;
}

/**
 * Checks a table's columns.
 *
 * @param names The names that it has.
 * @returns The same names, in their order.
 * @throws {TrivetError} `FAILED` for a column that is unknown, missing or there twice.
 */
export function checkColumns(names: readonly string[]): AccountColumn[] {
  const columns = names.map((name) => {
    const column = ACCOUNT_COLUMNS.find((known) => known === name);
    if (column !== undefined) return column;
    throw new TrivetError("FAILED", `Cannot read the table: there is no column "${name}"`);
  });
  const missing = ACCOUNT_COLUMNS.find((column) =>
    !columns.includes(column) && !OPTIONAL_COLUMNS.includes(column)
  );
  if (missing !== undefined) {
    throw new TrivetError("FAILED", `Cannot read the table: the column "${missing}" is missing`);
  }
  if (new Set(columns).size < columns.length) {
    throw new TrivetError("FAILED", "Cannot read the table: a column is there twice");
  }
  return columns;
}

/** Whether two accounts are the same in what an import can change. */
export function isSameAccount(a: StoredAccount, b: StoredAccount): boolean {
  return a.quotaBytes === b.quotaBytes && a.quotaFiles === b.quotaFiles &&
    a.disabled === b.disabled &&
    formatVerifier(a.verifier) === formatVerifier(b.verifier);
}
