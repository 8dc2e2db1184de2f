/**
 * After a crash or a failure: lets the disk say how far each removal, restoration, deletion and move
 * came. The intent is on the disk before the rename can be, so that what is found is one of:
 *
 * | row | on the disk | meaning | done about it |
 * | --- | --- | --- | --- |
 * | moving | not in the trash | died before the rename | the row goes, nothing was removed |
 * | moving | in the trash | died before it was measured | measured and kept |
 * | restoring | in the trash | died before the rename | kept again |
 * | restoring | not in the trash | died before it was settled | the row goes, its bytes stay counted |
 * | emptying | any | died while deleting | deleted, row and bytes go |
 * | move | the old path is there | died before the rename | the row goes |
 * | move | the old path is gone | died before it was settled | the row goes with the replaced bytes |
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import type { MoveIntent, TrashRecord } from "./catalog.ts";
import type { Stores } from "./recovery.ts";

/** Records that are read at a time. */
const PAGE_MAX = 1000;

/**
 * Ends all removals, restorations, deletions and moves, before the server takes requests.
 *
 * @param stores Catalog and depot of one data folder.
 * @returns How many were ended.
 */
export async function recoverMoves(stores: Stores): Promise<number> {
  let ended = 0;
  const states = ["moving", "restoring", "emptying"] as const;
  for (let after = "";;) {
    const page = await stores.catalog.listTrash({ states, after, limit: PAGE_MAX });
    for (const { id } of page) if (await isTrashEnded(stores, id)) ended++;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_MAX) break;
    after = last.id;
  }
  for (;;) {
    const page = await stores.catalog.listMoves(PAGE_MAX);
    for (const move of page) await endMove(stores, move);
    ended += page.length;
    if (page.length < PAGE_MAX) return ended;
  }
}

/**
 * Ends what an item of the trash is on its way to, once its outcome is unknown.
 *
 * @param stores Catalog and depot of one data folder.
 * @param id Of the item.
 * @returns The item if it is kept in the trash now; null if it is not.
 */
export async function endTrash(
  { catalog, depot }: Stores,
  id: string,
): Promise<TrashRecord | null> {
  const item = await catalog.findTrash(id);
  if (item === null || item.state === "kept") return item;
  const { user, path } = item;
  if (item.state === "emptying") {
    await depot.removeTrash(id, user);
    await catalog.finishTrashExit(id);
    return null;
  }
  const size = await depot.measureTrash(id, { user, path });
  if (item.state === "moving") {
    if (size !== null) await catalog.finishRemoval(id, size);
    else await catalog.abortTrash(id);
  } else {
    if (size !== null) await catalog.abortTrash(id);
    else await catalog.finishTrashExit(id);
  }
  // What is left then is the empty folder that the item would have had, or had.
  if (size === null) await depot.removeTrash(id, user);
  return await catalog.findTrash(id);
}

/**
 * Ends a move that was about to replace a file, once its outcome is unknown.
 *
 * @param stores Catalog and depot of one data folder.
 * @param move Its intent.
 */
export async function endMove({ catalog, depot }: Stores, move: MoveIntent): Promise<void> {
  const { id, user, from: path } = move;
  await catalog.endMove(id, !await depot.exists({ user, path }));
}

/** What cannot be deleted stays listed, to be tried again; it must not keep the server from starting. */
async function isTrashEnded(stores: Stores, id: string): Promise<boolean> {
  try {
    await endTrash(stores, id);
    return true;
  } catch (error) {
    if (error instanceof TrivetError && error.code === "PERMISSION_DENIED") return false;
    throw error;
  }
}
