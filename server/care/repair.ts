/**
 * Sets right what a check found, while no server runs. Files of users are never deleted: what lies in
 * the trash unknown to the database goes to `trash/.lost/<user>/<id>`, and homes stay as they are.
 *
 * @module
 */

import { join } from "node:path";
import type { Depot } from "../netdisk/depot.ts";
import { makePrivateFolder } from "../netdisk/depot_setup.ts";
import { endCommit } from "../store/recovery.ts";
import { endBatch } from "../store/recovery_batches.ts";
import { endMove, endTrash } from "../store/recovery_moves.ts";
import { type CheckedData, PAGE_MAX } from "./checked_data.ts";
import type { Finding } from "./finding.ts";
import { lookAt } from "./tree.ts";
import { LOST_FOLDER, measureItem } from "./trash_check.ts";

/** The data to repair. */
export interface RepairedData extends CheckedData {
  /** The same folders. */
  readonly depot: Depot;
}

/** How a repair ended. */
export interface Repair {
  /** Whether it is right now. */
  readonly isDone: boolean;
  /** What was done, or why nothing was. */
  readonly text: string;
}

/**
 * Sets one finding right; what cannot be must not keep the others from it.
 *
 * @param data Of the check.
 * @param finding What it found.
 */
export async function repairFinding(data: RepairedData, finding: Finding): Promise<Repair> {
  try {
    const text = await setRight(data, finding);
    if (text === null) return { isDone: false, text: "not repaired: it is yours to decide" };
    return { isDone: true, text };
  } catch (error) {
    if (error instanceof Error) return { isDone: false, text: `not repaired: ${error.message}` };
    throw error;
  }
}

/** Answers what was done; null for what people must decide. */
async function setRight(data: RepairedData, finding: Finding): Promise<string | null> {
  const { catalog, depot, care } = data;
  const { kind, user, id = "" } = finding;
  switch (kind) {
    case "unsettled-commit":
      return `settled: ${await endCommit(data, id) ?? "it had ended"}`;
    case "unsettled-trash":
      return `settled: ${await endTrash(data, id) === null ? "gone" : "kept in the trash"}`;
    case "unsettled-move":
      for (const move of await catalog.listMoves(PAGE_MAX)) {
        if (move.id === id) await endMove(data, move);
      }
      return "settled";
    case "unsettled-batch":
      for (const batch of await catalog.listBatches(PAGE_MAX)) {
        if (batch.id === id) await endBatch(data, batch);
      }
      return "settled";
    case "upload-without-part":
      await catalog.discardUpload(id);
      return "the upload is forgotten";
    case "part-without-upload":
      await depot.removePart(id);
      return "the part is deleted";
    case "row-without-trash":
      await catalog.beginTrashExit(id, "emptying");
      await catalog.finishTrashExit(id);
      return "the item is forgotten";
    case "trash-without-row":
      return `moved to ${setAside(data.folders.trash, user ?? "", id)}`;
    case "trash-size":
      return await countItem(data, id);
    case "account-without-home":
      await depot.createHome(user ?? "");
      return "an empty home is made";
    case "quota":
      await care.setUsed(user ?? "", {
        bytes: finding.realBytes ?? 0,
        files: finding.realFiles ?? 0,
      });
      return "counted anew";
    case "home-without-account":
    case "foreign":
    case "unreadable":
      return null;
  }
}

async function countItem(data: RepairedData, id: string): Promise<string | null> {
  const item = await data.catalog.findTrash(id);
  const size = item === null ? null : await measureItem(data, item);
  if (size === null) return null;
  await data.care.setTrashSize(id, size);
  return "counted anew";
}

/** Moves something out of a user's trash; answers where it is, from the data folder. */
function setAside(trash: string, user: string, id: string): string {
  const folder = makePrivateFolder(join(makePrivateFolder(join(trash, LOST_FOLDER)), user));
  let name = id;
  for (let number = 2; lookAt(join(folder, name)) !== null; number++) name = `${id} (${number})`;
  Deno.renameSync(join(trash, user, id), join(folder, name));
  return ["trash", LOST_FOLDER, user, name].join("/");
}
