/**
 * Failures of the local file system in the registry's words.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";
import { quoteName } from "../lib/netdisk/path.ts";
import { systemReason } from "../lib/system_error.ts";
import { asStorageError } from "../lib/transfer/storage_error.ts";

/**
 * Says what a failed call on a local file means.
 *
 * @param error What was thrown.
 * @param doing What was being done, behind "Cannot": `read`.
 * @param path The local path.
 * @returns A `TrivetError`; what the registry has no word for becomes `FAILED`.
 */
export function localError(error: unknown, doing: string, path: string): unknown {
  if (!(error instanceof Error) || error instanceof TrivetError) return error;
  const known = asStorageError(error, `${doing} ${quoteLocal(path)}`);
  if (known instanceof TrivetError) return known;
  const said = systemReason(error);
  if (said === undefined) return error;
  const text = `Cannot ${doing} ${quoteLocal(path)}: ${said.reason}`;
  return new TrivetError(said.code, text, { cause: error });
}

/** A local path for a message: whole, with everything escaped that could steer a terminal. */
export function quoteLocal(path: string): string {
  const parts = path.match(/[^]{1,64}/gu) ?? [""];
  return `"${parts.map((part) => quoteName(part).slice(1, -1)).join("")}"`;
}
