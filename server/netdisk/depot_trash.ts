/**
 * The trash: `trash/<user>/<id>/<name>`, on the same file system as the homes, so that removing and
 * restoring are renames.
 *
 * @module
 */

import { join } from "node:path";
import { TrivetError } from "../../lib/errors.ts";
import { quoteName } from "../../lib/netdisk/path.ts";
import type { TrashSize } from "../store/catalog.ts";
import type { HomePath } from "./depot.ts";
import { makePrivateFolder } from "./depot_setup.ts";
import { look } from "./depot_walk.ts";

/** An id is a file name: nothing in it may mean anything to a file system. */
const TRASH_ID = /^[0-9a-z]{1,32}$/;

/** Times that others may be in the way of a deletion. */
const REMOVE_TRIES_MAX = 1000;

/** The folder of everybody's trash. */
export class TrashStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The folder of one item. */
  folder(user: string, id: string): string {
    if (TRASH_ID.test(id)) return join(this.#folder, user, id);
    throw new TrivetError("NOT_FOUND", `Cannot use ${quoteName(id)}: it is not an id of the trash`);
  }

  /** Where the item that stood at a path lies. */
  place(id: string, { user, path }: HomePath): string {
    return join(this.folder(user, id), path.at(-1) ?? "");
  }

  /**
   * Makes the folder of a new item.
   *
   * @returns The folders to sync once the item is in it.
   */
  make(user: string, id: string): string[] {
    const folder = this.folder(user, id);
    const mine = makePrivateFolder(join(this.#folder, user));
    Deno.mkdirSync(folder, { mode: 0o700 });
    return [folder, mine, this.#folder];
  }

  /** What lstat says of an item; null when it is not in the trash. */
  look(id: string, at: HomePath): Deno.FileInfo | null {
    return look(this.place(id, at));
  }

  /** What an item takes up; null when it is not in the trash. */
  async measure(id: string, at: HomePath): Promise<TrashSize | null> {
    const info = this.look(id, at);
    if (info === null) return null;
    let bytes = info.isFile ? info.size : 0;
    let files = info.isFile ? 1 : 0;
    let entries = 1;
    const folders = info.isDirectory ? [this.place(id, at)] : [];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for (const { name, isDirectory, isFile } of await namesOf(folder)) {
        entries++;
        const diskPath = join(folder, name);
        if (isDirectory) folders.push(diskPath);
        if (!isFile) continue;
        files++;
        bytes += Deno.lstatSync(diskPath).size;
      }
    }
    return { bytes, files, entries };
  }

  /** Removes the folder of an item if the item is not in it, and leaves it if it is. */
  tidy(user: string, id: string): void {
    try {
      Deno.removeSync(this.folder(user, id));
    } catch {
      // It is not there, or not empty.
    }
  }

  /** Deletes an item with all in it, following no link; whether there was one. */
  async remove(user: string, id: string): Promise<boolean> {
    const folder = this.folder(user, id);
    let isFound = false;
    // Two who delete the same item meet names that the other one was faster with.
    for (let tries = 1; look(folder) !== null; tries++) {
      isFound = true;
      try {
        await Deno.remove(folder, { recursive: true });
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound) || tries === REMOVE_TRIES_MAX) throw error;
      }
    }
    return isFound;
  }
}

/** The names in a folder; none in one that the server may not read, whose files it never counted. */
async function namesOf(folder: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder));
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return [];
    throw error;
  }
}
