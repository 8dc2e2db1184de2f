/**
 * Reading and writing the files of export and import; what is written is the owner's alone.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";

/** Largest file to read, in bytes. */
export const FILE_MAX_BYTES: number = 64 * 1024 * 1024;

const OWNER_ONLY = 0o600;

/**
 * Writes a file with mode 0600, replacing one that is there in one step, so that its mode does not count.
 *
 * @throws {TrivetError} `LOCAL_NOT_FOUND`, `LOCAL_DENIED` or `FAILED`.
 */
export async function writePrivate(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    await Deno.writeFile(temporary, bytes, { createNew: true, mode: OWNER_ONLY });
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw fileError(error, "write", path);
  }
}

/**
 * Reads a file.
 *
 * @throws {TrivetError} `LOCAL_NOT_FOUND`, `LOCAL_DENIED`, or `FAILED`, also for one that is too large.
 */
export async function readBounded(path: string): Promise<Uint8Array<ArrayBuffer>> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    const { size } = await Deno.stat(path);
    if (size > FILE_MAX_BYTES) {
      throw new Error(`it has ${size} bytes, the limit is ${FILE_MAX_BYTES}`);
    }
    bytes = await Deno.readFile(path);
  } catch (error) {
    throw fileError(error, "read", path);
  }
  return bytes;
}

function fileError(error: unknown, doing: string, path: string): TrivetError {
  const code = error instanceof Deno.errors.NotFound
    ? "LOCAL_NOT_FOUND"
    : error instanceof Deno.errors.PermissionDenied
    ? "LOCAL_DENIED"
    : "FAILED";
  const reason = error instanceof Error ? error.message : String(error);
  return new TrivetError(code, `Cannot ${doing} ${JSON.stringify(path)}: ${reason}`, {
    cause: error,
  });
}
