/**
 * Small files that only their owner may read: read whole, replaced whole, safe with several writers.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";
import { replaceLocked } from "../lib/private_file.ts";
import { localError, quoteLocal } from "./local_error.ts";

/** Largest file that is read. */
export const PRIVATE_FILE_MAX_BYTES = 1024 * 1024;

const OTHERS = 0o077;

/** Options of {@linkcode readPrivateFile}. */
export interface ReadPrivateFileOptions {
  /** Refuses a file that others can read, since what it holds is a secret. */
  readonly secret?: boolean;
}

/**
 * Reads a file.
 *
 * @returns Its text, `undefined` where there is none.
 * @throws {TrivetError} `LOCAL_DENIED` if it is a secret that others can read, `FAILED` if it is too
 * large or no UTF-8.
 */
export async function readPrivateFile(
  path: string,
  options: ReadPrivateFileOptions = {},
): Promise<string | undefined> {
  try {
    using file = await Deno.open(path);
    const info = await file.stat();
    if (options.secret === true) checkMode(path, info.mode);
    if (info.size > PRIVATE_FILE_MAX_BYTES) {
      const sizes = `it has ${info.size} bytes, the limit is ${PRIVATE_FILE_MAX_BYTES}`;
      throw new TrivetError("FAILED", `Cannot read ${quoteLocal(path)}: ${sizes}`);
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(await readAll(file, info.size));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof TypeError) {
      const text = `Cannot read ${quoteLocal(path)}: it is not UTF-8`;
      throw new TrivetError("FAILED", text, { cause: error });
    }
    throw localError(error, "read", path);
  }
}

/**
 * Changes a file: reads it under a lock, lets `change` make the new text, and replaces the file in
 * one step, with mode 0600. Of two writers at once, both changes stay.
 *
 * @param path The file; it and its folder are made where they do not exist.
 * @param change Makes the new text of the old one; `undefined` where there is no file.
 * @throws {TrivetError} `LOCAL_IN_USE` when another writer holds the lock for too long.
 */
export async function updatePrivateFile(
  path: string,
  change: (text: string | undefined) => string,
): Promise<void> {
  try {
    await replaceLocked(path, async (target) => change(await readPrivateFile(target)));
  } catch (error) {
    throw localError(error, "write", path);
  }
}

function checkMode(path: string, mode: number | null): void {
  // Windows has no such bits; its home folders are private by their access lists.
  if (mode === null || Deno.build.os === "windows" || (mode & OTHERS) === 0) return;
  const octal = (mode & 0o777).toString(8).padStart(4, "0");
  throw new TrivetError(
    "LOCAL_DENIED",
    `Cannot use ${quoteLocal(path)}: its mode ${octal} lets others at the secrets in it; ` +
      `run "chmod 600" on it, and log in again if others may have read it`,
  );
}

async function readAll(file: Deno.FsFile, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let length = 0;
  while (length < size) {
    const count = await file.read(bytes.subarray(length));
    if (count === null) break;
    length += count;
  }
  return bytes.subarray(0, length);
}
