/**
 * The contacts of `trivet chat peer`: a table for each, named as the contact, with `address` and
 * `key_file`.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { parseAddress } from "../link/address.ts";

/** UDP port of `trivet chat peer` when nobody says otherwise. */
export const PEER_PORT = 7465;
/** Most contacts. */
export const CONTACTS_MAX = 256;

/** Names begin lines, so they hold no space and no colon. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]{0,31}$/u;
const KEYS: readonly string[] = ["address", "key_file"];

/** One contact, as it stands in the file. */
export interface Contact {
  /** What this side calls them. */
  readonly name: string;
  /** Host and port; undefined where only they can begin. */
  readonly address: { readonly host: string; readonly port: number } | undefined;
  /** File with the key that both have; undefined where one key is for all. */
  readonly keyFile: string | undefined;
}

/**
 * Checks what a file of contacts says.
 *
 * @param tables What TOML or JSON made of the file.
 * @param path What errors call the file.
 * @returns The contacts in the file's order.
 * @throws {TrivetError} `USAGE`.
 */
export function readContacts(tables: unknown, path: string): Contact[] {
  if (!isTable(tables)) throw wrong(path, "it is no table of contacts");
  const contacts = Object.entries(tables).map(([name, table]) => readContact(name, table, path));
  if (contacts.length === 0) throw wrong(path, "it names nobody");
  if (contacts.length > CONTACTS_MAX) {
    throw wrong(path, `it names ${contacts.length} contacts, the limit is ${CONTACTS_MAX}`);
  }
  return contacts;
}

function readContact(name: string, table: unknown, path: string): Contact {
  const shown = JSON.stringify(name.slice(0, 64));
  if (!NAME.test(name)) {
    throw wrong(path, `${shown} is no name: use 1 to 32 letters, digits, ".", "_" and "-"`);
  }
  if (!isTable(table)) throw wrong(path, `${shown} is no table; write [${name}] above its keys`);
  const unknown = Object.keys(table).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) {
    throw wrong(path, `${shown} has the unknown key ${JSON.stringify(unknown.slice(0, 64))}`);
  }
  const { address, key_file: keyFile } = table;
  if (keyFile !== undefined && typeof keyFile !== "string") {
    throw wrong(path, `"key_file" of ${shown} is no text`);
  }
  if (address === undefined) return { name, address: undefined, keyFile };
  if (typeof address !== "string") throw wrong(path, `"address" of ${shown} is no text`);
  const parsed = parseAddress(address, PEER_PORT);
  if (parsed.transport === "unix") throw wrong(path, `${shown} has a Unix socket as its address`);
  return { name, address: { host: parsed.host, port: parsed.port }, keyFile };
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wrong(path: string, problem: string): TrivetError {
  return new TrivetError("USAGE", `Cannot use the contacts ${JSON.stringify(path)}: ${problem}`);
}
