/**
 * What a failure of SQLite means for whoever asked.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";

// https://www.sqlite.org/rescode.html: the low byte is the primary result code.
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_FULL = 13;

/** Result codes of SQLite that callers tell apart. */
export const SQLITE_CONSTRAINT = {
  PRIMARYKEY: 1555,
  UNIQUE: 2067,
  FOREIGNKEY: 787,
} as const;

/**
 * The extended result code of an error of SQLite.
 *
 * @param error Anything that was thrown.
 * @returns The code, or undefined when it did not come from SQLite.
 */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode : undefined;
}

/**
 * Turns what SQLite threw into an error of the registry.
 *
 * @param error Anything that was thrown; a {@linkcode TrivetError} stays itself.
 */
export function asCatalogError(error: unknown): TrivetError {
  if (error instanceof TrivetError) return error;
  const code = sqliteCode(error);
  switch (code === undefined ? undefined : code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return new TrivetError(
        "SERVER_BUSY",
        "Cannot use database: another program holds its lock",
        { cause: error },
      );
    case SQLITE_FULL:
      return new TrivetError("DISK_FULL", "Cannot write database: the disk is full", {
        cause: error,
      });
    default: {
      const detail = code === undefined ? {} : { details: { sqlite_code: code } };
      return new TrivetError("INTERNAL", "Cannot use database: an operation failed", {
        cause: error,
        ...detail,
      });
    }
  }
}
