/**
 * Making folders in the homes.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { formatPath, quoteName } from "../../lib/netdisk/path.ts";
import type { HomePath, NewFolder } from "./depot.ts";
import { toTime } from "./depot_entry.ts";
import { asDepotError } from "./depot_errors.ts";
import { refuseTwin } from "./depot_publish.ts";
import { toFolder, type Walker } from "./depot_walk.ts";

const FOLDER_MODE = 0o755;

/**
 * Makes the folder at a checked path.
 *
 * @param walker The homes.
 * @param at The folder to make.
 * @param parents Whether missing ancestors are made and an existing folder is no error.
 * @returns The folders in which something was made, for the caller to sync; none when it was there.
 */
export function makeFolders(walker: Walker, at: HomePath, parents: boolean): string[] {
  const { user, path } = at;
  let folder = walker.home(user);
  const changed: string[] = [];
  if (path.length === 0 && !parents) throw exists(path);
  for (const [level, name] of path.entries()) {
    const here = path.slice(0, level + 1);
    const isLeaf = level === path.length - 1;
    const spot = walker.child(folder, name, here);
    if (spot.info !== null) {
      if (isLeaf && !(parents && spot.info.isDirectory)) throw exists(path);
      folder = toFolder({ diskPath: spot.diskPath, info: spot.info }, here);
      continue;
    }
    if (!isLeaf && !parents) {
      throw new TrivetError(
        "NOT_FOUND",
        `Cannot create ${quoteName(formatPath(path))}: ${
          quoteName(formatPath(here))
        } does not exist`,
      );
    }
    refuseTwin(spot, here);
    Deno.mkdirSync(spot.diskPath, { mode: FOLDER_MODE });
    walker.added(spot);
    changed.push(folder.diskPath);
    folder = toFolder({ diskPath: spot.diskPath, info: Deno.lstatSync(spot.diskPath) }, here);
  }
  return changed;
}

/**
 * Makes folders with their missing ancestors, and gives times to those that have one.
 *
 * @param walker The homes.
 * @param user Whose home.
 * @param folders Checked paths, ancestors before what is in them.
 * @returns What became of each, and the folders in which something was made, for the caller to sync.
 */
export function writeFolders(
  walker: Walker,
  user: string,
  folders: readonly NewFolder[],
): { results: (boolean | TrivetError)[]; changed: Set<string> } {
  const changed = new Set<string>();
  const results = folders.map(({ path, mtimeMs }) => {
    try {
      const made = makeFolders(walker, { user, path }, true);
      for (const folder of made) changed.add(folder);
      if (mtimeMs !== undefined) {
        const time = toTime(mtimeMs);
        Deno.utimeSync(walker.folder({ user, path }).diskPath, time, time);
      }
      return made.length > 0;
    } catch (error) {
      return asDepotError(error, `create ${quoteName(formatPath(path))}`);
    }
  });
  return { results, changed };
}

function exists(path: readonly string[]): TrivetError {
  return new TrivetError(
    "EXISTS",
    `Cannot create ${quoteName(formatPath(path))}: the name is taken`,
  );
}
