/**
 * What a folder holds that a look at one name cannot tell: names that are not in NFC, symbolic links,
 * and, where case counts as the same, all names by their key. Kept for the folders in use and made
 * anew when a folder's time says that somebody else changed it.
 *
 * The time is that of the file system's clock tick. What another program adds in the very tick in
 * which Trivet published something may therefore be missed until the folder changes again; then an
 * NFD twin or a dangling link is not noticed. Neither is ever followed or written through.
 *
 * @module
 */

import { nameKey, type NameRules } from "../../lib/netdisk/path.ts";

/** Folders whose index is kept. */
const FOLDERS_MAX = 256;

/** What is known of one folder's names. */
export interface FolderIndex {
  /** Names on disk that are not in NFC, by their NFC. */
  readonly strays: ReadonlyMap<string, string>;
  /** Names of symbolic links. */
  readonly links: ReadonlySet<string>;
  /** With portable names: names on disk by their key. */
  readonly keys: ReadonlyMap<string, string>;
}

interface Kept {
  stamp: string;
  readonly strays: Map<string, string>;
  readonly links: Set<string>;
  readonly keys: Map<string, string>;
}

/** The indices of the folders in use. */
export class FolderIndices {
  readonly #kept = new Map<string, Kept>();
  readonly #names: NameRules;

  constructor(names: NameRules) {
    this.#names = names;
  }

  /**
   * The index of a folder.
   *
   * @param folder Path of the folder.
   * @param info What lstat said of it just now.
   */
  get(folder: string, info: Deno.FileInfo): FolderIndex {
    const stamp = stampOf(info);
    const kept = this.#kept.get(folder);
    this.#kept.delete(folder);
    const index = kept?.stamp === stamp ? kept : this.#scan(folder, stamp);
    this.#kept.set(folder, index);
    if (this.#kept.size > FOLDERS_MAX) {
      for (const oldest of this.#kept.keys()) {
        this.#kept.delete(oldest);
        break;
      }
    }
    return index;
  }

  /**
   * Notes that Trivet itself added names: no need to read the folder again.
   *
   * @param folder Path of the folder.
   * @param before What lstat said of it before the change.
   * @param names The names that were added.
   */
  addedAll(folder: string, before: Deno.FileInfo, names: readonly string[]): void {
    const kept = this.#kept.get(folder);
    if (kept === undefined || kept.stamp !== stampOf(before)) return;
    if (this.#names === "portable") {
      for (const name of names) kept.keys.set(nameKey(name, "portable"), name);
    }
    kept.stamp = stampOf(Deno.lstatSync(folder));
  }

  /**
   * Notes that Trivet itself took a name away.
   *
   * @param folder Path of the folder.
   * @param before What lstat said of it before the change.
   * @param names The name in NFC, and the one that the disk had.
   */
  removed(
    folder: string,
    before: Deno.FileInfo,
    { name, diskName }: { name: string; diskName: string },
  ): void {
    const kept = this.#kept.get(folder);
    if (kept === undefined) return;
    if (kept.stamp !== stampOf(before)) {
      this.#kept.delete(folder);
      return;
    }
    if (kept.strays.get(name) === diskName) kept.strays.delete(name);
    const key = nameKey(name, "portable");
    if (kept.keys.get(key) === diskName) kept.keys.delete(key);
    kept.stamp = stampOf(Deno.lstatSync(folder));
  }

  #scan(folder: string, stamp: string): Kept {
    const index: Kept = { stamp, strays: new Map(), links: new Set(), keys: new Map() };
    for (const { name, isSymlink } of Deno.readDirSync(folder)) {
      const normal = name.normalize("NFC");
      if (normal !== name) index.strays.set(normal, name);
      if (isSymlink) index.links.add(name);
      if (this.#names === "portable") index.keys.set(nameKey(name, "portable"), name);
    }
    return index;
  }
}

function stampOf(info: Deno.FileInfo): string {
  return `${info.dev} ${info.ino} ${info.mtime?.getTime()} ${info.nlink}`;
}
