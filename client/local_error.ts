/**
 * Failures of the local file system in the registry's words.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";
import { quoteName } from "../lib/netdisk/path.ts";
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
  const say = (code: "LOCAL_NOT_FOUND" | "LOCAL_DENIED" | "FAILED", reason: string) =>
    new TrivetError(code, `Cannot ${doing} ${quoteLocal(path)}: ${reason}`, { cause: error });
  if (error instanceof Deno.errors.NotFound) return say("LOCAL_NOT_FOUND", "it does not exist");
  if (error instanceof Deno.errors.NotADirectory) {
    return say("LOCAL_NOT_FOUND", "a part of the path is not a folder");
  }
  const isDenied = error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotCapable || /read-only/i.test(error.message);
  if (isDenied) return say("LOCAL_DENIED", "the system refuses it");
  if (!error.message.includes("os error")) return error;
  return say("FAILED", error.message);
}

/** A local path for a message: whole, with everything escaped that could steer a terminal. */
export function quoteLocal(path: string): string {
  const parts = path.match(/[^]{1,64}/gu) ?? [""];
  return `"${parts.map((part) => quoteName(part).slice(1, -1)).join("")}"`;
}
