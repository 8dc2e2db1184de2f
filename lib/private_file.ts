/**
 * Changes small files that only their owner may read: replaced whole, safe with several writers.
 *
 * @module
 */

import { TrivetError } from "./errors.ts";

/** How long a writer waits for the others, in milliseconds. */
export const LOCK_TIMEOUT_MS = 5_000;

const LOCK_RETRY_MS = 20;
const OWNER_ONLY_FILE = 0o600;
const OWNER_ONLY_FOLDER = 0o700;

/** Options of {@linkcode replaceLocked}. */
export interface ReplaceLockedOptions {
  /** How long to wait for other writers (default {@linkcode LOCK_TIMEOUT_MS}). */
  readonly lockTimeoutMs?: number;
}

/**
 * Replaces a file in one step, with mode 0600, while no other writer is at it: what `makeText` reads
 * is still there when its answer is written.
 *
 * @param path The file; it and its folder are made where they do not exist. A link stays one.
 * @param makeText Reads the file, whose real path it gets, and answers its new text.
 * @param options How long to wait.
 * @throws {TrivetError} `LOCAL_IN_USE` when another writer holds the lock for too long.
 */
export async function replaceLocked(
  path: string,
  makeText: (path: string) => Promise<string>,
  options: ReplaceLockedOptions = {},
): Promise<void> {
  const target = await realPathOf(path);
  const folder = target.slice(0, Math.max(target.lastIndexOf("/"), target.lastIndexOf("\\"), 0));
  if (folder !== "") await Deno.mkdir(folder, { recursive: true, mode: OWNER_ONLY_FOLDER });
  using _lock = await lockFile(`${target}.lock`, options.lockTimeoutMs ?? LOCK_TIMEOUT_MS);
  await replaceFile(target, await makeText(target));
}

/** The file that a link stands for, so that replacing it keeps the link. */
async function realPathOf(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return path;
    throw error;
  }
}

/** The lock file stays: whoever removed it could remove another writer's lock. */
async function lockFile(path: string, timeoutMs: number): Promise<Deno.FsFile> {
  const file = await Deno.open(path, { create: true, write: true, mode: OWNER_ONLY_FILE });
  try {
    const deadlineMs = performance.now() + timeoutMs;
    while (!(await file.tryLock(true))) {
      if (performance.now() > deadlineMs) {
        const text = `Cannot lock "${path}": another program holds it for ${timeoutMs} ms`;
        throw new TrivetError("LOCAL_IN_USE", text);
      }
      await new Promise((resolve) => setTimeout(resolve, LOCK_RETRY_MS));
    }
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * Replaces a file in one step, with mode 0600: whole or not at all, also when the power goes.
 *
 * @param path The file.
 * @param text What it says from now on.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    const options = { createNew: true, write: true, mode: OWNER_ONLY_FILE };
    using file = await Deno.open(temporary, options);
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}
