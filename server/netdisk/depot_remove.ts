/**
 * Removing all that a user has: first out of reach, by renames into the trash's folder, then deleted.
 * A crash between the two leaves nothing that anybody could reach, and the next call goes on.
 *
 * @module
 */

import { join } from "node:path";
import { look } from "./depot_walk.ts";

/** No user's name begins with a dot, so that none of these is somebody's trash. */
export const ASIDE_PREFIX = ".removed-";

/** Times that others may be in the way of a deletion. */
const REMOVE_TRIES_MAX = 1000;

/**
 * Takes folders out of reach; those that are not there are left out.
 *
 * @param folders Their paths, on the same file system as the trash.
 * @param trash The folder of everybody's trash.
 * @returns How many were there.
 */
export function setAside(folders: readonly string[], trash: string): number {
  let count = 0;
  for (const folder of folders) {
    if (look(folder) === null) continue;
    Deno.renameSync(folder, join(trash, `${ASIDE_PREFIX}${crypto.randomUUID()}`));
    count++;
  }
  return count;
}

/** Deletes all that was set aside, following no link. */
export async function removeSetAside(trash: string): Promise<void> {
  for (const { name } of await Array.fromAsync(Deno.readDir(trash))) {
    if (name.startsWith(ASIDE_PREFIX)) await removeWhole(join(trash, name));
  }
}

/** Two who delete the same folder meet names that the other one was faster with. */
async function removeWhole(path: string): Promise<void> {
  for (let tries = 1; look(path) !== null; tries++) {
    try {
      await Deno.remove(path, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound) || tries === REMOVE_TRIES_MAX) throw error;
    }
  }
}
