/**
 * Reading many small files at once: their folders are walked to once before and once after, not twice
 * for each file.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { formatPath, quoteName } from "../../lib/netdisk/path.ts";
import type { BatchReading, SmallFile } from "./depot.ts";
import { sameFile } from "./depot_entry.ts";
import { asDepotError } from "./depot_errors.ts";
import type { FolderSpot, Walker } from "./depot_walk.ts";

/** The permission bits that are told. */
const PERMISSION_BITS = 0o777;

/** See `Depot.readBatch`. */
export function readBatch(walker: Walker, reading: BatchReading): (SmallFile | TrivetError)[] {
  const { user, paths, buffer, fileMaxBytes } = reading;
  const folders = new Map<string, FolderSpot>();
  const files: (SmallFile | TrivetError)[] = [];
  let used = 0;
  for (const path of paths) {
    if (buffer.length - used < fileMaxBytes) break;
    try {
      const folder = folderOf(walker, { user, path: path.slice(0, -1) }, folders);
      const room = buffer.subarray(used, used + fileMaxBytes);
      const file = readOne(walker, folder, { path, room });
      if (file.bytes !== null) used += file.bytes.length;
      files.push(file);
    } catch (error) {
      files.push(asDepotError(error, `read ${quoteName(formatPath(path))}`));
    }
  }
  checkFolders(walker, user, folders);
  return files;
}

function folderOf(
  walker: Walker,
  at: { readonly user: string; readonly path: readonly string[] },
  folders: Map<string, FolderSpot>,
): FolderSpot {
  const key = at.path.join("/");
  let folder = folders.get(key);
  if (folder === undefined) {
    folder = walker.folder(at);
    folders.set(key, folder);
  }
  return folder;
}

function readOne(
  walker: Walker,
  folder: FolderSpot,
  { path, room }: { readonly path: readonly string[]; readonly room: Uint8Array },
): SmallFile {
  const { diskPath, info } = walker.listedChild(folder, path.at(-1) ?? "", path);
  const shown = quoteName(formatPath(path));
  if (info === null) throw new TrivetError("NOT_FOUND", `Cannot open ${shown}: it does not exist`);
  if (info.isDirectory) throw new TrivetError("IS_FOLDER", `Cannot open ${shown}: it is a folder`);
  if (!info.isFile) {
    throw new TrivetError("NOT_REGULAR", `Cannot open ${shown}: it is not a regular file`);
  }
  const { size, mtime, mode } = info;
  const entry = { mtimeMs: mtime?.getTime() ?? 0, mode: (mode ?? 0) & PERMISSION_BITS };
  if (size > room.length) return { ...entry, bytes: null };
  using file = Deno.openSync(diskPath, { read: true });
  let done = 0;
  while (done < size) {
    const count = file.readSync(room.subarray(done, size)) ?? 0;
    if (count === 0) break;
    done += count;
  }
  // One look tells both that it is the file which was found, and that it stayed as it was.
  const after = file.statSync();
  const isSame = sameFile(info, after) && done === size && after.size === size &&
    after.mtime?.getTime() === mtime?.getTime();
  if (!isSame) throw changed(path);
  return { ...entry, bytes: room.subarray(0, size) };
}

/** What was read must have been read where the walk led, not where a link was put meanwhile. */
function checkFolders(
  walker: Walker,
  user: string,
  folders: ReadonlyMap<string, FolderSpot>,
): void {
  for (const [key, before] of folders) {
    const path = key === "" ? [] : key.split("/");
    const { info } = walker.folder({ user, path });
    if (!sameFile(before.info, info)) throw changed(path);
  }
}

function changed(path: readonly string[]): TrivetError {
  const shown = quoteName(formatPath(path));
  return new TrivetError("CHANGED", `Cannot open ${shown}: it changed while it was read`);
}
