/**
 * Columns of SQLite rows with their types checked: a surprise in the database is an error here, not
 * a wrong value further on.
 *
 * @module
 */

import type { Row } from "./sqlite_database.ts";

/** An INTEGER column. */
export function integer(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw unexpected(column);
  return value;
}

/** An INTEGER column that may be NULL. */
export function integerOrNull(row: Row, column: string): number | null {
  return row[column] === null ? null : integer(row, column);
}

/** A TEXT column. */
export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw unexpected(column);
  return value;
}

/** A BLOB column. */
export function blob(row: Row, column: string): Uint8Array<ArrayBuffer> {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw unexpected(column);
  return new Uint8Array(value);
}

/** The components of a path, kept as a JSON array. */
export function pathOf(row: Row, column: string): string[] {
  const value: unknown = JSON.parse(text(row, column));
  if (!Array.isArray(value) || !value.every((part) => typeof part === "string")) {
    throw unexpected(column);
  }
  return value;
}

function unexpected(column: string): TypeError {
  return new TypeError(`Cannot read column "${column}": its value has an unexpected type`);
}
