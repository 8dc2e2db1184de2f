/**
 * Answers `rm` and what is asked of the trash. The catalog learns of each change before the depot does
 * it, and afterwards how it ended; `recovery_moves.ts` settles what died in between.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import {
  type NetdiskRequest,
  type NetdiskResponse,
  TRASH_PAGE_MAX,
} from "../../lib/netdisk/messages.ts";
import { quoteName } from "../../lib/netdisk/path.ts";
import type { TrashRecord } from "../store/catalog.ts";
import type { Stores } from "../store/recovery.ts";
import { endTrash } from "../store/recovery_moves.ts";
import { entryPath, type NetdiskContext, requireWriter } from "./context.ts";

/** Digits of the time in an id, which make ids sort by it until the year 5188. */
const ID_TIME_DIGITS = 9;

/** Random bytes in an id. */
const ID_RANDOM_BYTES = 6;

/** Answers `rm`. */
export async function rm(
  context: NetdiskContext,
  request: NetdiskRequest<"rm">,
): Promise<NetdiskResponse<"rm">> {
  const at = entryPath(context, request.path);
  const { catalog, depot } = context;
  const id = newTrashId();
  let isIntended = false;
  try {
    await depot.moveToTrash(id, at, {
      recursive: request.recursive ?? false,
      intent: async ({ kind }) => {
        await catalog.beginRemoval({ id, user: at.user, path: at.path, kind });
        isIntended = true;
      },
    });
  } catch (error) {
    // It may lie in the trash all the same, as when only a folder could not be synced.
    if (isIntended) await endTrash(context, id);
    throw error;
  }
  // Measured where nobody changes it any more, so that the trash holds what its row says.
  const item = await endTrash(context, id);
  if (item === null) throw new TrivetError("CHANGED", "Another program emptied the trash");
  return { removed: item.entries, trashId: id };
}

/** Answers `trash.list`. */
export async function listTrash(
  context: NetdiskContext,
  request: NetdiskRequest<"trash.list">,
): Promise<NetdiskResponse<"trash.list">> {
  const items: NetdiskResponse<"trash.list">["items"] = [];
  for await (const record of reachableItems(context, request.after)) {
    if (items.length === TRASH_PAGE_MAX) return { items, more: true };
    const { id, path, deletedAtMs, bytes, entries, kind } = record;
    items.push({ id, path: [...path], deletedMs: deletedAtMs, bytes, entries, kind });
  }
  return { items, more: false };
}

/** Answers `trash.restore`. */
export async function restoreTrash(
  context: NetdiskContext,
  request: NetdiskRequest<"trash.restore">,
): Promise<NetdiskResponse<"trash.restore">> {
  requireWriter(context);
  const { catalog, depot } = context;
  const { id } = request;
  const { path } = await findItem(context, id);
  const at = entryPath(context, path);
  await catalog.beginTrashExit(id, "restoring");
  try {
    const overwrite = request.overwrite ?? "fail";
    const restored = await depot.restoreTrash(id, at, { overwrite });
    await catalog.finishTrashExit(id);
    return { path: restored };
  } catch (error) {
    await endTrash(context, id);
    throw error;
  }
}

/** Answers `trash.empty`. */
export async function emptyTrash(
  context: NetdiskContext,
  request: NetdiskRequest<"trash.empty">,
): Promise<NetdiskResponse<"trash.empty">> {
  requireWriter(context);
  const total = { items: 0, bytes: 0 };
  const add = async (item: TrashRecord) => {
    if (!await emptyItem(context, item)) return;
    total.items++;
    total.bytes += item.bytes;
  };
  if (request.ids === undefined) {
    for await (const item of reachableItems(context)) await add(item);
  } else {
    const items = [];
    // All are looked up first: with a wrong id nothing is deleted.
    for (const id of new Set(request.ids)) items.push(await findItem(context, id));
    for (const item of items) await add(item);
  }
  return total;
}

/** Deletes an item for good; false when somebody else came first. */
export async function emptyItem(
  { catalog, depot }: Stores,
  { id, user }: Pick<TrashRecord, "id" | "user">,
): Promise<boolean> {
  try {
    await catalog.beginTrashExit(id, "emptying");
  } catch (error) {
    if (error instanceof TrivetError && error.code === "TRASH_NOT_FOUND") return false;
    throw error;
  }
  await depot.removeTrash(id, user);
  return await catalog.finishTrashExit(id);
}

async function findItem(context: NetdiskContext, id: string): Promise<TrashRecord> {
  const item = await context.catalog.findTrash(id);
  if (item === null || item.user !== context.session.user || !isReachable(context, item)) {
    throw new TrivetError("TRASH_NOT_FOUND", `Cannot use ${quoteName(id)}: it is not in the trash`);
  }
  return item;
}

/** The user's items that the login reaches, in order of their ids. */
async function* reachableItems(
  context: NetdiskContext,
  first = "",
): AsyncGenerator<TrashRecord, void> {
  const { user } = context.session;
  const states = ["kept", "emptying"] as const;
  for (let after = first;;) {
    const page = await context.catalog.listTrash({ user, states, after, limit: TRASH_PAGE_MAX });
    for (const item of page) if (isReachable(context, item)) yield item;
    const last = page.at(-1);
    if (last === undefined || page.length < TRASH_PAGE_MAX) return;
    after = last.id;
  }
}

function isReachable({ session }: NetdiskContext, { path }: TrashRecord): boolean {
  const { pathPrefix } = session;
  return path.length > pathPrefix.length && pathPrefix.every((name, level) => path[level] === name);
}

/** A new id: the time, then random; all of them lower-case letters and digits. */
function newTrashId(): string {
  const time = Date.now().toString(36).padStart(ID_TIME_DIGITS, "0");
  return time + crypto.getRandomValues(new Uint8Array(ID_RANDOM_BYTES)).toHex();
}
