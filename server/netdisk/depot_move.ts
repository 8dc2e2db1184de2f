/**
 * Renames inside a home, into the trash and back, and removing empty folders. Each runs alone in its
 * home (`HomeGate`): a look, the intent, another look, and then the rename without a pause.
 *
 * Nothing but a file that `replace` names is ever replaced. Another program that takes a name between
 * the last look and the rename, a matter of microseconds, could lose a file to it; requests of Trivet
 * itself never meet there, since they take turns.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import type { NetdiskEntry } from "../../lib/netdisk/messages.ts";
import { formatPath, quoteName } from "../../lib/netdisk/path.ts";
import type { HomePath, MoveOptions, RemoveOptions, RestoreOptions } from "./depot.ts";
import { entryOf, sameFile } from "./depot_entry.ts";
import { makeFolders } from "./depot_mkdir.ts";
import { freeName, refuseTwin } from "./depot_publish.ts";
import { checkReach } from "./depot_reach.ts";
import type { FolderSync } from "./depot_sync.ts";
import type { TrashStore } from "./depot_trash.ts";
import type { Spot, Walker } from "./depot_walk.ts";
import type { HomeGate } from "./home_gate.ts";

/** What stands at a path. */
type Found = Spot & { readonly info: Deno.FileInfo };

/** What a {@linkcode Mover} works with. */
export interface MoverParts {
  readonly walker: Walker;
  readonly sync: FolderSync;
  readonly trash: TrashStore;
  readonly gate: HomeGate;
}

/** Moves files and folders. */
export class Mover {
  readonly #parts: MoverParts;

  constructor(parts: MoverParts) {
    this.#parts = parts;
  }

  /** Removes an empty folder. */
  removeFolder(at: HomePath): Promise<void> {
    const { walker, sync, gate } = this.#parts;
    return gate.alone(at.user, async () => {
      const spot = this.#source(at, "remove");
      if (!spot.info.isDirectory) throw refusal("NOT_FOLDER", "remove", at, "it is not a folder");
      Deno.removeSync(spot.diskPath);
      walker.removed(spot);
      await sync.request(spot.folder.diskPath);
    });
  }

  /** Moves a file or folder into the trash. */
  remove(id: string, at: HomePath, { recursive, intent }: RemoveOptions): Promise<void> {
    const { walker, trash, gate } = this.#parts;
    return gate.alone(at.user, async () => {
      const planned = this.#source(at, "remove");
      const kind = planned.info.isDirectory ? "folder" : "file";
      if (kind === "folder" && recursive !== true) {
        throw refusal("IS_FOLDER", "remove", at, "it is a folder");
      }
      await intent?.({ kind });
      const spot = this.#source(at, "remove");
      if (!sameFile(planned.info, spot.info)) throw changed("remove", at);
      const folders = trash.make(at.user, id);
      Deno.renameSync(spot.diskPath, trash.place(id, at));
      walker.removed(spot);
      await this.#syncAll([spot.folder.diskPath, ...folders]);
    });
  }

  /** Moves an item of the trash back; answers its path. */
  restore(id: string, at: HomePath, { overwrite }: RestoreOptions): Promise<string[]> {
    const { walker, trash, gate } = this.#parts;
    return gate.alone(at.user, async () => {
      if (at.path.length === 0 || trash.look(id, at) === null) {
        throw refusal("NOT_FOUND", "restore", at, "it is not in the trash");
      }
      const parent = { user: at.user, path: at.path.slice(0, -1) };
      const made = makeFolders(walker, parent, true);
      const asked = walker.spot(at);
      refuseTwin(asked, at.path);
      const isFree = asked.info === null;
      if (!isFree && overwrite !== "rename") throw taken("restore", at);
      const target = isFree ? { spot: asked, path: [...at.path] } : freeName(walker, at, asked);
      Deno.renameSync(trash.place(id, at), target.spot.diskPath);
      walker.added(target.spot);
      const { folder } = target.spot;
      await this.#syncAll([...made, folder.diskPath, trash.folder(at.user, id)]);
      trash.tidy(at.user, id);
      return target.path;
    });
  }

  /** Gives a file or folder another path. */
  move(from: HomePath, to: HomePath, { overwrite, intent }: MoveOptions): Promise<NetdiskEntry> {
    const { walker, gate } = this.#parts;
    return gate.alone(from.user, async () => {
      const planned = this.#target(from, to, overwrite);
      if (planned.source.info.isDirectory) {
        const { diskPath } = planned.source;
        const target = planned.target.diskPath;
        await checkReach({ diskPath, from: from.path, to: to.path, target });
      }
      const replacedBytes = planned.target.info?.size ?? 0;
      // Without a file to replace there is nothing to count.
      if (planned.target.info !== null) await intent?.({ replacedBytes });
      const { source, target } = this.#target(from, to, overwrite);
      if (!sameFile(planned.source.info, source.info) || !sameSpot(planned.target, target)) {
        throw changed("move", from);
      }
      Deno.renameSync(source.diskPath, target.diskPath);
      // In this order: in one folder, the second of the two makes the index read it again.
      if (target.info === null) walker.added(target);
      walker.removed(source);
      const info = Deno.lstatSync(target.diskPath);
      await this.#syncAll([source.folder.diskPath, target.folder.diskPath]);
      return entryOf(target.name, info);
    });
  }

  #target(
    from: HomePath,
    to: HomePath,
    overwrite: MoveOptions["overwrite"],
  ): { source: Found; target: Spot } {
    const { walker } = this.#parts;
    const source = this.#source(from, "move");
    if (to.path.length === 0) throw taken("move", to);
    const isInside = from.path.every((name, level) => to.path[level] === name);
    if (isInside && to.path.length > from.path.length) {
      throw refusal("INTO_ITSELF", "move", from, "the new path is inside of it");
    }
    const target = walker.spot(to);
    // A name that differs only by case from the one that it replaces is no conflict.
    const isOwnTwin = target.twin !== null && target.twin.normalize("NFC") === source.name &&
      target.folder.diskPath === source.folder.diskPath;
    if (!isOwnTwin) refuseTwin(target, to.path);
    if (target.info === null) return { source, target };
    if (overwrite !== "replace" || source.info.isDirectory || sameFile(source.info, target.info)) {
      throw taken("move", to);
    }
    if (target.info.isDirectory) throw refusal("IS_FOLDER", "replace", to, "it is a folder");
    if (!target.info.isFile) throw notRegular("replace", to);
    return { source, target };
  }

  /** What is to go away: a regular file or a folder that is not the root. */
  #source(at: HomePath, verb: string): Found {
    if (at.path.length === 0) {
      throw refusal("PERMISSION_DENIED", verb, at, "it is the root of the home");
    }
    const spot = this.#parts.walker.spot(at);
    const { info } = spot;
    if (info === null) throw refusal("NOT_FOUND", verb, at, "it does not exist");
    if (!info.isFile && !info.isDirectory) throw notRegular(verb, at);
    return { ...spot, info };
  }

  async #syncAll(folders: readonly string[]): Promise<void> {
    const { sync } = this.#parts;
    await Promise.all([...new Set(folders)].map((folder) => sync.request(folder)));
  }
}

function sameSpot(a: Spot, b: Spot): boolean {
  if (a.info === null || b.info === null) return a.info === b.info;
  return sameFile(a.info, b.info) && a.info.size === b.info.size;
}

function refusal(
  code: "IS_FOLDER" | "NOT_FOLDER" | "NOT_FOUND" | "INTO_ITSELF" | "PERMISSION_DENIED",
  verb: string,
  { path }: HomePath,
  reason: string,
): TrivetError {
  return new TrivetError(code, `Cannot ${verb} ${quoteName(formatPath(path))}: ${reason}`);
}

function notRegular(verb: string, { path }: HomePath): TrivetError {
  const shown = quoteName(formatPath(path));
  return new TrivetError("NOT_REGULAR", `Cannot ${verb} ${shown}: it is not a regular file`);
}

function taken(verb: string, { path }: HomePath): TrivetError {
  const shown = quoteName(formatPath(path));
  return new TrivetError("EXISTS", `Cannot ${verb} to ${shown}: the name is taken`);
}

function changed(verb: string, { path }: HomePath): TrivetError {
  const shown = quoteName(formatPath(path));
  return new TrivetError("CHANGED", `Cannot ${verb} ${shown}: another program changed it`);
}
