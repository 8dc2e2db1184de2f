/**
 * Reads and writes the file of known servers: private, replaced whole, safe with several writers.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { replaceLocked } from "../private_file.ts";
import { KNOWN_SERVERS_MAX_BYTES, KnownServers } from "./known_servers.ts";

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
 * @throws TrivetError `LOCAL_IN_USE` when another writer holds the lock for too long
 */
export async function updateKnownServers(
  path: string,
  change: (servers: KnownServers) => void,
): Promise<void> {
  await replaceLocked(path, async (target) => {
    const servers = await readKnownServers(target);
    change(servers);
    return servers.toString();
  });
}
