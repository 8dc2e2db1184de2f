/**
 * What a failed read or write of a file means for whoever asked for it.
 *
 * @module
 */

import { type ErrorCode, TrivetError } from "../errors.ts";

/** POSIX names, as Deno puts them into `code` on every system. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: "DISK_FULL",
  EDQUOT: "DISK_FULL",
  EFBIG: "FILE_TOO_LARGE",
};

/** Numbers that Deno leaves in the message only: EDQUOT of macOS, three of Windows. */
const OS_ERRORS: ReadonlyMap<number, ErrorCode> = Deno.build.os === "windows"
  ? new Map([[39, "DISK_FULL"], [112, "DISK_FULL"], [1295, "DISK_FULL"]])
  : new Map([[28, "DISK_FULL"], [Deno.build.os === "linux" ? 122 : 69, "DISK_FULL"]]);

/**
 * Turns "no space" and "over quota" of the file system into an error of the registry.
 *
 * @param error What the system threw.
 * @param doing What was being done, behind "Cannot": `write the file`.
 * @returns A {@linkcode TrivetError}, or `error` itself when the registry has no better word for it.
 */
export function asStorageError(error: unknown, doing: string): unknown {
  if (error instanceof TrivetError || !(error instanceof Error)) return error;
  const code = storageCode(error);
  if (code === undefined) return error;
  const reason = code === "DISK_FULL" ? "the disk is full" : "the file system takes no larger file";
  return new TrivetError(code, `Cannot ${doing}: ${reason}`, { cause: error });
}

function storageCode(error: Error): ErrorCode | undefined {
  if ("code" in error && typeof error.code === "string" && Object.hasOwn(CODES, error.code)) {
    return CODES[error.code];
  }
  const number = /\(os error (\d+)\)/.exec(error.message)?.[1];
  return number === undefined ? undefined : OS_ERRORS.get(Number(number));
}
