/**
 * From components to what stands on the disk. No symbolic link is followed: every component is
 * lstat-ed, from the home down.
 *
 * What remains: Deno has no `openat`, and it resolves a path before it opens it unless it runs with
 * all permissions, so that `O_NOFOLLOW` does nothing. Between a look and the use of what was seen,
 * another program of the server's own account could put a link in the place of a folder. Reading
 * closes the gap: after the open, the walk is repeated and must lead to the very file that was opened.
 * For publishing and mkdir the look and the system call follow each other without a pause; what is
 * left is a race of microseconds, for somebody who can write into the server's own folders already.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { TrivetError } from "../../lib/errors.ts";
import {
  checkPath,
  formatPath,
  nameKey,
  type NameRules,
  pathKey,
  quoteName,
} from "../../lib/netdisk/path.ts";
import type { HomePath } from "./depot.ts";
import { FolderIndices } from "./depot_index.ts";

/** A folder on the way. */
export interface FolderSpot {
  /** Path on the disk. */
  readonly diskPath: string;
  /** What lstat said. */
  readonly info: Deno.FileInfo;
}

/** Where a component leads. */
export interface Spot {
  /** The folder it stands in. */
  readonly folder: FolderSpot;
  /** Its name in NFC. */
  readonly name: string;
  /** Path on the disk; of a sibling that is the same after NFC, if there is one. */
  readonly diskPath: string;
  /** What lstat said; null when nothing is there. Never a symbolic link. */
  readonly info: Deno.FileInfo | null;
  /** With portable names: a sibling that differs only by case. */
  readonly twin: string | null;
}

/** Options of {@linkcode Walker}. */
export interface WalkerOptions {
  /** Which names are taken. */
  readonly names: NameRules;
  /** Whether the file system takes names that differ by case as the same. */
  readonly foldsCase: boolean;
}

/** Walks the homes of one folder. */
export class Walker {
  readonly #homes: string;
  readonly #options: WalkerOptions;
  readonly #indices: FolderIndices;

  constructor(homes: string, options: WalkerOptions) {
    this.#homes = homes;
    this.#options = options;
    this.#indices = new FolderIndices(options.names);
  }

  /** The components after the one check; nothing unchecked becomes a path of the disk. */
  check(path: readonly string[]): string[] {
    return checkPath(path, this.#options);
  }

  /** What a checked path has in common with all that are the same by the rules for names. */
  key(path: readonly string[]): string {
    return pathKey(path, this.#options.names);
  }

  /** A user's home. Throws `NOT_FOUND`. */
  home(user: string): FolderSpot {
    const diskPath = join(this.#homes, user);
    const info = look(diskPath);
    if (info === null) {
      throw new TrivetError(
        "NOT_FOUND",
        `Cannot open home of ${quoteName(user)}: it does not exist`,
      );
    }
    return toFolder({ diskPath, info }, []);
  }

  /** The folder at a checked path. Throws `NOT_FOUND`, `NOT_FOLDER`, `SYMLINK_REFUSED`. */
  folder({ user, path }: HomePath): FolderSpot {
    let folder = this.home(user);
    for (const [level, name] of path.entries()) {
      const here = path.slice(0, level + 1);
      folder = this.toFolder(this.child(folder, name, here), here);
    }
    return folder;
  }

  /** What stands at a checked path that is not the root, or would stand there. */
  spot({ user, path }: HomePath): Spot {
    const folder = this.folder({ user, path: path.slice(0, -1) });
    return this.child(folder, path.at(-1) ?? "", path);
  }

  /**
   * One name of a folder.
   *
   * @param folder The folder.
   * @param name The name, in NFC.
   * @param path Its whole path, for messages.
   */
  child(folder: FolderSpot, name: string, path: readonly string[]): Spot {
    const direct = join(folder.diskPath, name);
    const found = look(direct);
    if (found !== null && !this.#mustCompare()) {
      return { folder, name, diskPath: direct, info: refuseLink(found, path), twin: null };
    }
    const index = this.#indices.get(folder.diskPath, folder.info);
    // A link that leads nowhere looks like nothing.
    if (index.links.has(name)) refuseLinkAt(path);
    const stray = index.strays.get(name);
    if (stray !== undefined && found === null) {
      const diskPath = join(folder.diskPath, stray);
      const info = index.links.has(stray) ? refuseLinkAt(path) : look(diskPath);
      return { folder, name, diskPath, info: info && refuseLink(info, path), twin: null };
    }
    const other = index.keys.get(nameKey(name, this.#options.names));
    const isTwin = other !== undefined && other.normalize("NFC") !== name;
    // Where case is folded, the look above may have found the twin.
    const info = isTwin ? null : found && refuseLink(found, path);
    return { folder, name, diskPath: direct, info, twin: isTwin && info === null ? other : null };
  }

  /**
   * The same for a name that most likely is there, such as one that was listed: one look instead of two.
   *
   * @param folder The folder.
   * @param name The name, in NFC.
   * @param path Its whole path, for messages.
   */
  listedChild(folder: FolderSpot, name: string, path: readonly string[]): Spot {
    const direct = join(folder.diskPath, name);
    const found = this.#mustCompare() ? null : lookAtPresent(direct);
    if (found === null) return this.child(folder, name, path);
    return { folder, name, diskPath: direct, info: refuseLink(found, path), twin: null };
  }

  /** What stands at a spot, as the folder that it must be. */
  toFolder({ diskPath, info }: Spot, path: readonly string[]): FolderSpot {
    if (info !== null) return toFolder({ diskPath, info }, path);
    throw new TrivetError(
      "NOT_FOUND",
      `Cannot open ${quoteName(formatPath(path))}: it does not exist`,
    );
  }

  /** Notes that a name was added to a folder. */
  added(spot: Spot): void {
    this.addedAll(spot.folder, [spot.name]);
  }

  /** Notes that names were added to a folder since it was looked at. */
  addedAll(folder: FolderSpot, names: readonly string[]): void {
    this.#indices.addedAll(folder.diskPath, folder.info, names);
  }

  /** Notes that what stood at a spot has gone from it. */
  removed(spot: Spot): void {
    const diskName = basename(spot.diskPath);
    this.#indices.removed(spot.folder.diskPath, spot.folder.info, { name: spot.name, diskName });
  }

  #mustCompare(): boolean {
    return this.#options.foldsCase && this.#options.names === "portable";
  }
}

/**
 * lstat, or null when nothing is there. `existsSync` goes first because an lstat that finds nothing
 * costs ten times as much in Deno as one that does; it follows links, but only to say whether.
 */
export function look(diskPath: string): Deno.FileInfo | null {
  return existsSync(diskPath) ? lookAtPresent(diskPath) : null;
}

/** The same for what most likely is there; also for a link that leads nowhere. */
export function lookAtPresent(diskPath: string): Deno.FileInfo | null {
  try {
    return Deno.lstatSync(diskPath);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Throws unless what was found is a folder. */
export function toFolder(
  found: { diskPath: string; info: Deno.FileInfo },
  path: readonly string[],
): FolderSpot {
  refuseLink(found.info, path);
  if (found.info.isDirectory) return found;
  throw new TrivetError(
    "NOT_FOLDER",
    `Cannot open ${quoteName(formatPath(path))}: it is not a folder`,
  );
}

function refuseLink(info: Deno.FileInfo, path: readonly string[]): Deno.FileInfo {
  if (info.isSymlink) refuseLinkAt(path);
  return info;
}

function refuseLinkAt(path: readonly string[]): never {
  throw new TrivetError(
    "SYMLINK_REFUSED",
    `Cannot use ${quoteName(formatPath(path))}: it is a symbolic link, which is never followed`,
  );
}
