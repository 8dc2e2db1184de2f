/**
 * Reads and writes the file of known servers: private, replaced whole, safe with several writers.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { KNOWN_SERVERS_MAX_BYTES, KnownServers } from "./known_servers.ts";

/** How long a writer waits for the others. */
const LOCK_TIMEOUT_MS = 5_000;
const LOCK_RETRY_MS = 20;

/**
 * Reads the known servers.
 *
 * @param path The file; where there is none, no server is known
 * @throws TrivetError `FAILED` when it is too large
 */
export async function readKnownServers(path: string): Promise<KnownServers> {
  try {
    const { size } = await Deno.stat(path);
    if (size > KNOWN_SERVERS_MAX_BYTES) {
      throw new TrivetError(
        "FAILED",
        `Cannot read "${path}": it has ${size} bytes, the limit is ${KNOWN_SERVERS_MAX_BYTES}`,
      );
    }
    return KnownServers.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return KnownServers.parse("");
    throw error;
  }
}

/**
 * Changes the known servers: reads them under a lock, lets `change` work on them, and replaces the
 * file in one step, with mode 0600. Of two writers at once, both changes stay.
 *
 * @param path The file; it and its folder are made where they do not exist
 * @param change What to do with the servers
 * @throws TrivetError `TIMEOUT` when another writer holds the lock for too long
 */
export async function updateKnownServers(
  path: string,
  change: (servers: KnownServers) => void,
): Promise<void> {
  const target = await realPathOf(path);
  const folderEnd = Math.max(target.lastIndexOf("/"), target.lastIndexOf("\\"));
  const folder = target.slice(0, Math.max(folderEnd, 0));
  if (folder !== "") await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  using _lock = await lockFile(`${target}.lock`);
  const servers = await readKnownServers(target);
  change(servers);
  await replaceFile(target, servers.toString());
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
async function lockFile(path: string): Promise<Deno.FsFile> {
  const file = await Deno.open(path, { create: true, write: true, mode: 0o600 });
  try {
    const deadline = performance.now() + LOCK_TIMEOUT_MS;
    while (!(await file.tryLock(true))) {
      if (performance.now() > deadline) {
        throw new TrivetError(
          "TIMEOUT",
          `Cannot lock "${path}": another program holds it for ${LOCK_TIMEOUT_MS} ms`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, LOCK_RETRY_MS));
    }
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    using file = await Deno.open(temporary, { createNew: true, write: true, mode: 0o600 });
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}
