/**
 * Reading from the homes: opening files and listing folders.
 *
 * @module
 */

import { join } from "node:path";
import { TrivetError } from "../../lib/errors.ts";
import type { NetdiskEntry } from "../../lib/netdisk/messages.ts";
import { checkPath, compareNames, formatPath, quoteName } from "../../lib/netdisk/path.ts";
import { FileSource } from "../../lib/transfer/source.ts";
import type { HomePath, ListOptions, ListPage, ReadHandle } from "./depot.ts";
import { entryOf, etagOf, sameFile } from "./depot_entry.ts";
import { type FolderSpot, lookAtPresent, type Walker } from "./depot_walk.ts";

/** Tries to open a file that is being replaced. */
const OPEN_TRIES_MAX = 3;

/** Folders whose own size is not above this, some hundred names, are read in one call without a pause. */
const READ_AT_ONCE_MAX_BYTES = 32 * 1024;

/** The entry at a checked path. */
export function statEntry(walker: Walker, at: HomePath): NetdiskEntry {
  if (at.path.length === 0) return entryOf("", walker.home(at.user).info);
  const { name, info } = walker.spot(at);
  if (info === null) throw notFound(at);
  return entryOf(name, info);
}

/** Opens the file at a checked path. */
export function openForReading(walker: Walker, at: HomePath): ReadHandle {
  for (let tries = 0; tries < OPEN_TRIES_MAX; tries++) {
    const { name, diskPath } = regularFile(walker, at);
    // A path that lstat just called a regular file; see depot_walk.ts for the gap between.
    const file = Deno.openSync(diskPath, { read: true });
    try {
      const info = file.statSync();
      const again = regularFile(walker, at);
      if (info.isFile && sameFile(info, again.info)) return new OpenFile(file, { name, info });
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
  }
  throw new TrivetError(
    "CHANGED",
    `Cannot open ${quoteName(formatPath(at.path))}: it keeps changing`,
  );
}

function regularFile(
  walker: Walker,
  at: HomePath,
): { name: string; diskPath: string; info: Deno.FileInfo } {
  const shown = quoteName(formatPath(at.path));
  if (at.path.length === 0) {
    throw new TrivetError("IS_FOLDER", `Cannot open ${shown}: it is a folder`);
  }
  const { name, diskPath, info } = walker.spot(at);
  if (info === null) throw notFound(at);
  if (info.isDirectory) throw new TrivetError("IS_FOLDER", `Cannot open ${shown}: it is a folder`);
  if (!info.isFile) {
    throw new TrivetError("NOT_REGULAR", `Cannot open ${shown}: it is not a regular file`);
  }
  return { name, diskPath, info };
}

/**
 * One page of the folder at a checked path. Deno reads the names of the whole folder; of these, no
 * more than two pages are kept and sorted, and only one page is lstat-ed. Names that `checkPath`
 * refuses are left out, since no request could name them; links are shown as `other`.
 */
export async function listFolder(
  walker: Walker,
  at: HomePath,
  { after, limit }: ListOptions,
): Promise<ListPage> {
  const folder = walker.folder(at);
  const smallest = new SmallestNames(limit + 1);
  for await (const { name } of namesIn(folder)) {
    const normal = name.normalize("NFC");
    if (after !== undefined && compareNames(normal, after) <= 0) continue;
    if (isUsable(normal)) smallest.add(normal, name);
  }
  const names = smallest.take();
  const entries: NetdiskEntry[] = [];
  for (const [normal, name] of names.slice(0, limit)) {
    const info = lookAtPresent(join(folder.diskPath, name));
    if (info !== null) entries.push(entryOf(normal, info));
  }
  return { entries, more: names.length > limit };
}

/**
 * The names of a folder. One at a time costs ten times as much; all at once keeps everybody waiting, and
 * so is only for small folders. On Windows the size of a folder tells nothing.
 */
function namesIn(
  { diskPath, info }: FolderSpot,
): Iterable<Deno.DirEntry> | AsyncIterable<Deno.DirEntry> {
  const isSmall = Deno.build.os !== "windows" && info.size <= READ_AT_ONCE_MAX_BYTES;
  return isSmall ? Deno.readDirSync(diskPath) : Deno.readDir(diskPath);
}

function isUsable(name: string): boolean {
  try {
    checkPath([name], { names: "native" });
    return true;
  } catch {
    return false;
  }
}

/** The smallest names of many, in memory for twice their number. */
class SmallestNames {
  readonly #max: number;
  #names = new Map<string, string>();

  constructor(max: number) {
    this.#max = max;
  }

  add(normal: string, name: string): void {
    // Of two names that are the same after NFC, the one in NFC is what a path leads to.
    if (name === normal || !this.#names.has(normal)) this.#names.set(normal, name);
    if (this.#names.size > 2 * this.#max) this.#names = new Map(this.take());
  }

  take(): [normal: string, name: string][] {
    return [...this.#names].sort(([a], [b]) => compareNames(a, b)).slice(0, this.#max);
  }
}

function notFound({ path }: HomePath): TrivetError {
  return new TrivetError(
    "NOT_FOUND",
    `Cannot open ${quoteName(formatPath(path))}: it does not exist`,
  );
}

class OpenFile implements ReadHandle {
  readonly entry: NetdiskEntry;
  readonly etag: string;
  readonly #file: Deno.FsFile;
  readonly #source: FileSource;
  #closed = false;

  constructor(file: Deno.FsFile, { name, info }: { name: string; info: Deno.FileInfo }) {
    this.entry = entryOf(name, info);
    this.etag = etagOf(info);
    this.#file = file;
    this.#source = new FileSource(file);
  }

  read(buffer: Uint8Array, offset: number): number {
    return this.#source.read(buffer, offset);
  }

  isUnchanged(): boolean {
    // Not the time of the inode's change: losing its name to a new file changes that as well.
    const { size, mtime } = this.#file.statSync();
    return size === this.entry.size && (mtime?.getTime() ?? 0) === this.entry.mtimeMs;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
