/**
 * Tables of accounts as bytes: `.csv`, `.json` and `.xlsx`, by the file's ending. The packages that
 * know these formats are loaded when they are needed.
 *
 * A spreadsheet program takes a text that begins with `=`, `+`, `-` or `@` for a formula, and base64
 * may begin with `+`. In CSV such cells get a `'` in front, which reading takes away; in .xlsx cells
 * have types, and every text is written as text.
 *
 * @module
 */

import * as v from "valibot";
import { TrivetError } from "../../lib/errors.ts";
import {
  ACCOUNT_COLUMNS,
  type AccountColumn,
  type AccountRow,
  checkColumns,
  type RawRow,
} from "./account_row.ts";

/** The formats, which are the endings of files too. */
export const TABLE_FORMATS = ["csv", "json", "xlsx"] as const;

/** A format of a table. */
export type TableFormat = typeof TABLE_FORMATS[number];

/** Most rows of a table to import. */
export const TABLE_ROWS_MAX = 100_000;

/** A guarded cell: `'` before what a spreadsheet program would take for a formula. */
const GUARDED = /^'(?=[=+\-@\t\r])/;

/** Largest whole number that a spreadsheet program keeps exactly: it has 15 digits. */
const XLSX_NUMBER_MAX = 999_999_999_999_999;

const Cell = v.union([v.string(), v.number(), v.boolean()]);
const JsonTable = v.strictObject({ users: v.array(v.record(v.string(), Cell)) });

/**
 * The format of a file.
 *
 * @param path Its name.
 * @throws {TrivetError} `USAGE` for another ending.
 */
export function formatOf(path: string): TableFormat {
  const ending = path.slice(path.lastIndexOf(".") + 1).toLowerCase();
  const format = TABLE_FORMATS.find((known) => known === ending);
  if (format !== undefined && path.includes(".")) return format;
  throw new TrivetError("USAGE", `The file's name must end with .csv, .json or .xlsx: "${path}"`);
}

/** Writes a table. */
export async function encodeTable(
  rows: readonly AccountRow[],
  format: TableFormat,
): Promise<Uint8Array> {
  switch (format) {
    case "json":
      return new TextEncoder().encode(`${JSON.stringify({ users: rows }, null, 2)}\n`);
    case "csv": {
      const { stringify } = await import("csv-stringify/sync");
      const options = { header: true, columns: [...ACCOUNT_COLUMNS], escape_formulas: true };
      const cast = { boolean: String };
      return new TextEncoder().encode(stringify([...rows], { ...options, cast }));
    }
    case "xlsx": {
      const { default: writeXlsx } = await import("write-excel-file/universal");
      const head = ACCOUNT_COLUMNS.map(textCell);
      const body = rows.map((row) => ACCOUNT_COLUMNS.map((column) => typedCell(row[column])));
      const blob = await writeXlsx([head, ...body]).toBlob();
      return new Uint8Array(await blob.arrayBuffer());
    }
  }
}

/**
 * Reads a table. Cells are texts; what they mean, `fromRow()` knows.
 *
 * @throws {TrivetError} `FAILED` for what is no such table, or has more than `TABLE_ROWS_MAX` rows.
 */
export async function decodeTable(
  bytes: Uint8Array<ArrayBuffer>,
  format: TableFormat,
): Promise<RawRow[]> {
  let rows: RawRow[];
  try {
    rows = format === "json" ? readJson(bytes) : readRecords(
      format === "csv" ? await readCsv(bytes) : await readXlsx(bytes),
    );
  } catch (error) {
    if (error instanceof TrivetError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new TrivetError("FAILED", `Cannot read the table: ${reason}`, { cause: error });
  }
  if (rows.length <= TABLE_ROWS_MAX) return rows;
  throw new TrivetError(
    "FAILED",
    `Cannot read the table: it has ${rows.length} rows, the limit is ${TABLE_ROWS_MAX}`,
  );
}

function readJson(bytes: Uint8Array): RawRow[] {
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  const { users } = v.parse(JsonTable, JSON.parse(text));
  return users.map((user) => {
    const columns = checkColumns(Object.keys(user));
    return new Map(columns.map((column) => [column, String(user[column])]));
  });
}

async function readCsv(bytes: Uint8Array): Promise<string[][]> {
  const { parse } = await import("csv-parse/sync");
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  const records: string[][] = parse(text, { skip_empty_lines: true, trim: true });
  return records.map((record) => record.map((cell) => cell.replace(GUARDED, "")));
}

async function readXlsx({ buffer }: Uint8Array<ArrayBuffer>): Promise<string[][]> {
  const { readSheet } = await import("read-excel-file/universal");
  const records: readonly (readonly unknown[])[] = await readSheet(buffer);
  return records.map((record) => record.map(cellText));
}

/** Rows from records, the first of which names the columns. */
function readRecords([head, ...records]: readonly string[][]): RawRow[] {
  if (head === undefined) throw new TrivetError("FAILED", "Cannot read the table: it is empty");
  const columns = checkColumns(head);
  return records.map((record) =>
    new Map(columns.map((column, i): [AccountColumn, string] => [column, record[i] ?? ""]))
  );
}

function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return "";
  return cell instanceof Date ? cell.toISOString() : String(cell).trim();
}

function textCell(text: string): { value: string; type: StringConstructor } {
  return { value: text, type: String };
}

function typedCell(value: string | number | boolean) {
  if (typeof value === "boolean") return { value, type: Boolean };
  if (typeof value === "number" && value <= XLSX_NUMBER_MAX) return { value, type: Number };
  return textCell(String(value));
}
