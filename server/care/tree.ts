/**
 * Walks what lies in a folder of the server, following no symbolic link: every entry is lstat-ed, and
 * a folder must be the same one before and after it was read. Memory grows with the names of the
 * folders on the way, not with the number of files.
 *
 * @module
 */

import { join } from "node:path";
import { nextTurn } from "../../lib/turn.ts";
import { sameFile } from "../netdisk/depot_entry.ts";

/** Entries that are looked at before others may run. */
const TURN_ENTRIES = 1024;

/** What stands on a disk; `unreadable` is a folder that the server may not read. */
export type TreeKind = "file" | "folder" | "link" | "socket" | "pipe" | "device" | "unreadable";

/** One entry below the root of a walk. */
export interface TreeItem {
  /** Names from the root, as the disk has them. */
  readonly path: readonly string[];
  /** What it is. */
  readonly kind: TreeKind;
  /** Bytes of a file; 0 for everything else. */
  readonly size: number;
  /** What lstat said; absent where that is not known. */
  readonly info?: Deno.FileInfo;
}

interface Pending {
  readonly diskPath: string;
  readonly path: readonly string[];
}

/**
 * Walks a folder; the folder itself is not among the entries unless it cannot be read.
 *
 * @param root The folder. What is no folder has no entries.
 * @param signal Ends the walk.
 */
export async function* walkTree(
  root: string,
  signal?: AbortSignal,
): AsyncGenerator<TreeItem, void> {
  const pending: Pending[] = [{ diskPath: root, path: [] }];
  let seen = 0;
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const names = await namesOf(folder.diskPath);
    if (names === null) yield { path: folder.path, kind: "unreadable", size: 0 };
    for (const name of names ?? []) {
      if (++seen % TURN_ENTRIES === 0) await nextTurn();
      signal?.throwIfAborted();
      const diskPath = join(folder.diskPath, name);
      const info = lookAt(diskPath);
      if (info === null) continue;
      const path = [...folder.path, name];
      const kind = kindOf(info);
      if (kind === "folder") pending.push({ diskPath, path });
      yield { path, kind, size: kind === "file" ? info.size : 0, info };
    }
  }
}

/** lstat; null when nothing is there. Unlike `look()`, it sees links that lead nowhere. */
export function lookAt(diskPath: string): Deno.FileInfo | null {
  try {
    return Deno.lstatSync(diskPath);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return null;
    }
    throw error;
  }
}

/** What an entry is. */
export function kindOf(info: Deno.FileInfo): TreeKind {
  if (info.isFile) return "file";
  if (info.isDirectory) return "folder";
  if (info.isSymlink) return "link";
  if (info.isSocket) return "socket";
  return info.isFifo ? "pipe" : "device";
}

/** The names in a folder: none when it is gone or no folder, null when it may not be read. */
export async function namesOf(diskPath: string): Promise<string[] | null> {
  const before = lookAt(diskPath);
  if (before === null || !before.isDirectory) return [];
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(diskPath)) names.push(name);
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return null;
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  // Somebody may have put a link in its place in between.
  const after = lookAt(diskPath);
  return after !== null && after.isDirectory && sameFile(before, after) ? names : [];
}
