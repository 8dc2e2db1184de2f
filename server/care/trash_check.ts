/**
 * Compares the trash in the database with the one on the disk.
 *
 * @module
 */

import { join } from "node:path";
import { formatPath } from "../../lib/netdisk/path.ts";
import type { TrashRecord, TrashSize } from "../store/catalog.ts";
import { type CheckedData, PAGE_MAX } from "./checked_data.ts";
import type { Finding, Suspect } from "./finding.ts";
import { ASIDE_PREFIX } from "../netdisk/depot_remove.ts";
import { lookAt, namesOf, walkTree } from "./tree.ts";

/** Where a repair puts what lies in the trash unknown to the database; no user has this name. */
export const LOST_FOLDER = ".lost";

/** Kept items, of one user if one is given, that are not on the disk, or not with their size. */
export async function* suspectTrash(
  data: CheckedData,
  user?: string,
): AsyncGenerator<Suspect, void> {
  const only = user === undefined ? {} : { user };
  for (let after = "";;) {
    const query = { ...only, states: ["kept"] as const, after, limit: PAGE_MAX };
    const page = await data.catalog.listTrash(query);
    for (const { id } of page) {
      const look = () => lookAtItem(data, id);
      const finding = await look();
      if (finding !== null) yield { finding, look };
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_MAX) return;
    after = last.id;
  }
}

async function lookAtItem(data: CheckedData, id: string): Promise<Finding | null> {
  const item = await data.catalog.findTrash(id);
  if (item === null || item.state !== "kept") return null;
  const { user, bytes, files } = item;
  const size = await measureItem(data, item);
  const where = `trash/${user}/${id}`;
  if (size === null) {
    const detail = `${formatPath(item.path)} is not in the trash`;
    return { kind: "row-without-trash", user, where, detail, id };
  }
  if (size.bytes === bytes && size.files === files) return null;
  const counted = `${formatPath(item.path)} is counted with ${bytes} bytes (files: ${files})`;
  const detail = `${counted} and takes ${size.bytes} (files: ${size.files})`;
  const counts = {
    ...{ countedBytes: bytes, realBytes: size.bytes },
    ...{ countedFiles: files, realFiles: size.files },
  };
  return { kind: "trash-size", user, where, detail, id, ...counts };
}

/** What an item takes on the disk; null when it is not there. */
export async function measureItem(
  { folders }: Pick<CheckedData, "folders">,
  { user, id, path }: TrashRecord,
): Promise<TrashSize | null> {
  const place = join(folders.trash, user, id, path.at(-1) ?? "");
  const info = lookAt(place);
  if (info === null) return null;
  const size = { bytes: info.isFile ? info.size : 0, entries: 1, files: info.isFile ? 1 : 0 };
  for await (const item of walkTree(place)) {
    if (item.kind === "unreadable") continue;
    size.bytes += item.size;
    size.entries++;
    if (item.kind === "file") size.files++;
  }
  return size;
}

/** What lies in the trash, of one user if one is given, and is no item of the database. */
export async function* suspectTrashFolders(
  data: CheckedData,
  only?: string,
): AsyncGenerator<Suspect, void> {
  const { folders, catalog } = data;
  for (const user of await namesOf(folders.trash) ?? []) {
    // What an interrupted removal of an account left: the next start deletes it.
    if (user === LOST_FOLDER || user.startsWith(ASIDE_PREFIX)) continue;
    if (only !== undefined && user !== only) continue;
    const look = (): Promise<Finding | null> => {
      const info = lookAt(join(folders.trash, user));
      const where = `trash/${user}`;
      if (info === null || info.isDirectory) return Promise.resolve(null);
      return Promise.resolve({ kind: "foreign", user: null, where, detail: "Nobody's trash" });
    };
    const finding = await look();
    if (finding !== null) yield { finding, look };
    for (const id of await namesOf(join(folders.trash, user)) ?? []) {
      const look = async (): Promise<Finding | null> => {
        if (lookAt(join(folders.trash, user, id)) === null) return null;
        const item = await catalog.findTrash(id);
        if (item !== null && item.user === user) return null;
        const detail = "The database knows no such item of the trash";
        return { kind: "trash-without-row", user, where: `trash/${user}/${id}`, detail, id };
      };
      const finding = await look();
      if (finding !== null) yield { finding, look };
    }
  }
}
