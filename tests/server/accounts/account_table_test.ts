import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { ACCOUNT_COLUMNS, fromRow, toRow } from "../../../server/accounts/account_row.ts";
import {
  decodeTable,
  encodeTable,
  formatOf,
  TABLE_FORMATS,
  TABLE_ROWS_MAX,
} from "../../../server/accounts/account_table.ts";
import type { StoredAccount } from "../../../server/store/catalog_export.ts";
import { account } from "./testing.ts";

/** One whose cells begin with what a spreadsheet program takes for a formula. */
const ACCOUNTS: readonly StoredAccount[] = [
  account("ada"),
  account("bob", {
    quotaBytes: Number.MAX_SAFE_INTEGER,
    quotaFiles: 0,
    disabled: true,
    verifier: {
      salt: new Uint8Array(16).fill(0xfb),
      iterations: 700_000,
      storedKey: new Uint8Array(32).fill(0xfb),
      serverKey: new Uint8Array(32).fill(0xff),
    },
  }),
];

const HEAD = ACCOUNT_COLUMNS.join(",");

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  const error = await assertRejects(() => promise, TrivetError);
  assertEquals(error.code, "FAILED");
  return error.message;
}

for (const format of TABLE_FORMATS) {
  Deno.test(`decodeTable() reads the ${format} that encodeTable() writes`, async () => {
    const bytes = await encodeTable(ACCOUNTS.map(toRow), format);
    const rows = await decodeTable(new Uint8Array(bytes), format);
    assertEquals(rows.map((row) => fromRow(row, 0)), ACCOUNTS);
  });

  Deno.test(`decodeTable() refuses what is no ${format}`, async () => {
    for (const text of ["\xff\x00\x01", '{"users": 1}', "PK\x03\x04 and no archive", ""]) {
      const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
      assert((await messageOf(decodeTable(bytes, format))).startsWith("Cannot read the table: "));
    }
  });
}

Deno.test("encodeTable() writes no cell that a spreadsheet program takes for a formula", async () => {
  const text = new TextDecoder().decode(await encodeTable(ACCOUNTS.map(toRow), "csv"));
  const cells = text.split("\n").flatMap((line) => line.split(","));
  assertEquals(cells.filter((cell) => /^[=+\-@\t\r]/.test(cell)), []);
  assertEquals(cells.filter((cell) => cell.startsWith("'+")).length, 2);
});

Deno.test("decodeTable() takes a table with its columns in another order, saved by another program", async () => {
  const [ada = toRow(account("ada"))] = ACCOUNTS.map(toRow);
  const names = [...ACCOUNT_COLUMNS].reverse();
  const cells = { ...ada, quota_bytes: "10G", disabled: "TRUE" };
  const text = `\ufeff${names.join(",")}\r\n${names.map((name) => cells[name]).join(",")}\r\n\r\n`;
  const rows = await decodeTable(bytesOf(text), "csv");
  const read = rows.map((row) => fromRow(row, 0));
  assertEquals(read, [account("ada", { quotaBytes: 10 * 1024 ** 3, disabled: true })]);
});

Deno.test("decodeTable() wants exactly the columns there are", async () => {
  const read = (head: string) => messageOf(decodeTable(bytesOf(`${head}\n`), "csv"));
  assert((await read(`${HEAD},password`)).includes('no column "password"'));
  assert((await read(HEAD.replace("salt,", ""))).includes('column "salt" is missing'));
  assert((await read(`${HEAD},name`)).includes("there twice"));
  const short = HEAD.replace("quota_files,disabled,created,", "");
  assertEquals(await decodeTable(bytesOf(`${short}\n`), "csv"), []);
});

Deno.test(`decodeTable() takes ${TABLE_ROWS_MAX} rows and no more`, async () => {
  const row = `${",".repeat(ACCOUNT_COLUMNS.length - 2)}x,x\n`;
  const read = (rows: number) => decodeTable(bytesOf(`${HEAD}\n${row.repeat(rows)}`), "csv");
  assertEquals((await read(TABLE_ROWS_MAX)).length, TABLE_ROWS_MAX);
  assert((await messageOf(read(TABLE_ROWS_MAX + 1))).includes("100001 rows"));
});

Deno.test("formatOf() goes by the ending", { permissions: "none" }, () => {
  assertEquals(["a.csv", "b.x.JSON", "/c/d.xlsx"].map(formatOf), ["csv", "json", "xlsx"]);
  for (const path of ["a.xls", "csv", "a", "a.csv/b"]) {
    assertEquals(assertThrows(() => formatOf(path), TrivetError).code, "USAGE", path);
  }
});
