/**
 * What a failure of the file system means for whoever asked. Paths of the server stay in the cause.
 *
 * @module
 */

import { type ErrorCode, TrivetError } from "../../lib/errors.ts";
import { asStorageError } from "../../lib/transfer/storage_error.ts";

/** POSIX names, as Deno puts them into `code` on every system. */
const MEANINGS: Readonly<Record<string, readonly [code: ErrorCode, reason: string]>> = {
  ENOENT: ["NOT_FOUND", "it does not exist"],
  EEXIST: ["EXISTS", "the name is taken"],
  ENOTEMPTY: ["FOLDER_NOT_EMPTY", "the folder is not empty"],
  ENOTDIR: ["NOT_FOLDER", "a part of the path is not a folder"],
  EISDIR: ["IS_FOLDER", "it is a folder"],
  ELOOP: ["SYMLINK_REFUSED", "a part of the path is a symbolic link"],
  EACCES: ["PERMISSION_DENIED", "the server may not access it"],
  EPERM: ["PERMISSION_DENIED", "the file system does not permit it"],
  EROFS: ["PERMISSION_DENIED", "the file system is read-only"],
  ENAMETOOLONG: ["PATH_TOO_LONG", "the server's file system takes no path this long"],
  EILSEQ: ["PATH_ENCODING", "the server's file system cannot store the name"],
  EMFILE: ["SERVER_BUSY", "the server has too many files open"],
  ENFILE: ["SERVER_BUSY", "the system has too many files open"],
};

/**
 * Turns what a file operation threw into an error of the registry.
 *
 * @param error Anything that was thrown; a {@linkcode TrivetError} stays itself.
 * @param doing What was being done, behind "Cannot": `open "/a/b"`.
 */
export function asDepotError(error: unknown, doing: string): TrivetError {
  const known = asStorageError(error, doing);
  if (known instanceof TrivetError) return known;
  const [code, reason] = MEANINGS[errnoOf(error) ?? ""] ??
    ["INTERNAL", "an operation of the file system failed"] as const;
  return new TrivetError(code, `Cannot ${doing}: ${reason}`, { cause: error });
}

/**
 * The POSIX name of a file system's error.
 *
 * @param error Anything that was thrown.
 * @returns `ENOENT` and the like, or undefined.
 */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  if (error instanceof Deno.errors.NotFound) return "ENOENT";
  if (error instanceof Deno.errors.AlreadyExists) return "EEXIST";
  if (error instanceof Deno.errors.PermissionDenied) return "EACCES";
  return undefined;
}
