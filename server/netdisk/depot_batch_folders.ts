/**
 * The folders that a batch of files goes into: each is walked to once, and those that are new are
 * built elsewhere until they are complete.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { formatPath, quoteName } from "../../lib/netdisk/path.ts";
import { refuseTwin } from "./depot_publish.ts";
import type { FolderSpot, Walker } from "./depot_walk.ts";

const FOLDER_MODE = 0o755;

/** A new folder whose parent is there: it takes its place with all that is in it. */
export interface StagedRoot {
  /** Path that it will have, as components. */
  readonly path: readonly string[];
  /** Path on the disk while it is built. */
  readonly diskPath: string;
  /** New folders in it, itself among them. */
  folders: number;
}

/** A new folder while it is built. */
export interface StagedFolder {
  /** Path on the disk. */
  readonly diskPath: string;
  /** The outermost new folder that it is in, or itself. */
  readonly root: StagedRoot;
}

/** Options of {@linkcode BatchFolders}. */
export interface BatchFoldersOptions {
  /** Whose home. */
  readonly user: string;
  /** Checked paths of folders that may be made. */
  readonly newFolders?: readonly (readonly string[])[] | undefined;
  /** Where new ones are built: the first at this path, the others behind it. */
  readonly staging?: string;
}

/** The folders of one batch. */
export class BatchFolders {
  readonly #walker: Walker;
  readonly #user: string;
  readonly #staging: string;
  readonly #mayMake: ReadonlySet<string>;
  readonly #found = new Map<string, FolderSpot | StagedFolder>();
  /** Names by which siblings that are the same by the rules are told. */
  readonly #keys = new Map<string, string>();
  readonly #roots: StagedRoot[] = [];
  readonly #staged: StagedFolder[] = [];

  constructor(walker: Walker, { user, newFolders = [], staging = "" }: BatchFoldersOptions) {
    this.#walker = walker;
    this.#user = user;
    this.#staging = staging;
    this.#mayMake = new Set(newFolders.map((path) => path.join("/")));
  }

  /** The new folders that will be moved into the home. */
  get roots(): readonly StagedRoot[] {
    return this.#roots;
  }

  /** All new folders, outer ones first. */
  get staged(): readonly StagedFolder[] {
    return this.#staged;
  }

  /** The folder at a checked path. Throws `NOT_FOUND` for one that may not be made. */
  get(path: readonly string[]): FolderSpot | StagedFolder {
    const text = path.join("/");
    let folder = this.#found.get(text);
    if (folder === undefined) {
      folder = path.length === 0 ? this.#walker.home(this.#user) : this.#find(path, text);
      this.#found.set(text, folder);
    }
    return folder;
  }

  /** The new folder whose path is the same by the rules for names; undefined if there is none. */
  stagedLike(path: readonly string[]): string | undefined {
    return this.#keys.get(this.#walker.key(path));
  }

  /** Makes the new folders on the disk. */
  makeStaged(): void {
    for (const { diskPath } of this.#staged) Deno.mkdirSync(diskPath, { mode: FOLDER_MODE });
  }

  #find(path: readonly string[], text: string): FolderSpot | StagedFolder {
    const parent = this.get(path.slice(0, -1));
    const name = path.at(-1) ?? "";
    if ("root" in parent) {
      this.#mustMake(path, text);
      const { root } = parent;
      const folder = this.#stage({ diskPath: `${parent.diskPath}/${name}`, root }, path);
      root.folders += 1;
      return folder;
    }
    const spot = this.#walker.child(parent, name, path);
    if (spot.info !== null) return this.#walker.toFolder(spot, path);
    this.#mustMake(path, text);
    refuseTwin(spot, path);
    const count = this.#roots.length;
    const diskPath = count === 0 ? this.#staging : `${this.#staging}-r${count}`;
    const root: StagedRoot = { path, diskPath, folders: 1 };
    const folder = this.#stage({ diskPath, root }, path);
    this.#roots.push(root);
    return folder;
  }

  #stage(folder: StagedFolder, path: readonly string[]): StagedFolder {
    const key = this.#walker.key(path);
    const other = this.#keys.get(key);
    if (other !== undefined) {
      const shown = quoteName(formatPath(path));
      throw new TrivetError(
        "NAME_CASE_CONFLICT",
        `Cannot create ${shown}: ${quoteName(other)} differs only by case`,
      );
    }
    this.#keys.set(key, formatPath(path));
    this.#staged.push(folder);
    return folder;
  }

  #mustMake(path: readonly string[], text: string): void {
    if (this.#mayMake.has(text)) return;
    throw new TrivetError(
      "NOT_FOUND",
      `Cannot open ${quoteName(formatPath(path))}: it does not exist`,
    );
  }
}
