/**
 * Giving a finished part its final name. A reader sees the old file or the new one, whole.
 *
 * `replace` renames over what is there. The other modes must not replace anything, and a look before
 * a rename could not promise that: another program may take the name between the two. They link the
 * part to its name, which fails when the name is taken, and then remove the part's own name. Where a
 * file system has no hard links, the look and the rename remain, with that gap; commits of Trivet
 * itself never meet in it, since they take turns for each name.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { formatPath, NAME_MAX_BYTES, pathKey, quoteName } from "../../lib/netdisk/path.ts";
import type { HomePath, OverwriteMode, Published, PublishOptions } from "./depot.ts";
import { entryOf, etagOf } from "./depot_entry.ts";
import { errnoOf } from "./depot_errors.ts";
import { KeyedLock } from "./depot_lock.ts";
import type { FolderSync } from "./depot_sync.ts";
import { look, type Spot, type Walker } from "./depot_walk.ts";

/** Names that `rename` tries before it gives up. */
const RENAME_TRIES_MAX = 10_000;

/** Times that a name may be taken by another program between a look and the publication. */
const PUBLISH_TRIES_MAX = 16;

const encoder = new TextEncoder();

/** Where a file is to be published. */
export interface Target {
  /** The spot of the final name. */
  readonly spot: Spot;
  /** The final path. */
  readonly path: string[];
  /** The file that has the name; null if none. */
  readonly taken: Deno.FileInfo | null;
}

/** A part on the disk, ready to be published. */
export interface ReadyPart {
  /** Its path on the disk. */
  readonly diskPath: string;
  /** Its size in bytes. */
  readonly size: number;
}

/** Publishes parts into the homes. */
export class Publisher {
  readonly #walker: Walker;
  readonly #sync: FolderSync;
  readonly #locks = new KeyedLock();

  constructor(walker: Walker, sync: FolderSync) {
    this.#walker = walker;
    this.#sync = sync;
  }

  /** Where a file would be published now; throws when it could not be. */
  target(at: HomePath, overwrite: OverwriteMode): Target {
    if (at.path.length === 0) throw isFolder(at.path);
    return this.targetAt(this.#walker.spot(at), at, overwrite);
  }

  /** The same for a spot that was just looked at. */
  targetAt(spot: Spot, at: HomePath, overwrite: OverwriteMode): Target {
    refuseTwin(spot, at.path);
    if (spot.info === null) return { spot, path: [...at.path], taken: null };
    if (overwrite === "rename") return freeName(this.#walker, at, spot);
    if (overwrite === "fail") throw exists(at.path);
    if (spot.info.isDirectory) throw isFolder(at.path);
    if (!spot.info.isFile) {
      throw new TrivetError(
        "NOT_REGULAR",
        `Cannot replace ${quoteName(formatPath(at.path))}: it is not a regular file`,
      );
    }
    return { spot, path: [...at.path], taken: spot.info };
  }

  /** Publishes a part; one at a time for each name. */
  async publish(part: ReadyPart, at: HomePath, options: PublishOptions): Promise<Published> {
    // Folded in both modes: names that are the same somewhere take turns everywhere.
    const key = `${at.user}/${pathKey(at.path, "portable")}`;
    const { published, folder } = await this.#locks.run(
      key,
      () => this.#publishInTurn(part, at, options),
    );
    if (!published.skipped && options.durability !== "os") await this.#sync.request(folder);
    return published;
  }

  async #publishInTurn(
    part: ReadyPart,
    at: HomePath,
    options: PublishOptions,
  ): Promise<{ published: Published; folder: string }> {
    const { overwrite } = options;
    for (let tries = 0; tries < PUBLISH_TRIES_MAX; tries++) {
      const planned = this.target(at, overwrite);
      const folder = planned.spot.folder.diskPath;
      if (overwrite === "skip" && planned.taken !== null) {
        return { published: toPublished(planned, planned.taken, true), folder };
      }
      const { path, taken } = planned;
      const replaced = { replacedBytes: taken?.size ?? 0, replacedFiles: taken === null ? 0 : 1 };
      await options.intent?.({ path, size: part.size, ...replaced });
      // The wait may have been long: look again, and from here to the rename without a pause.
      const target = options.intent === undefined ? planned : this.target(at, overwrite);
      if (!sameTarget(planned, target) || !place(part, target, overwrite)) continue;
      if (target.taken === null) this.#walker.added(target.spot);
      const info = Deno.lstatSync(target.spot.diskPath);
      return { published: toPublished(target, info, false), folder };
    }
    throw new TrivetError(
      "CHANGED",
      `Cannot publish ${quoteName(formatPath(at.path))}: other programs keep changing it`,
    );
  }
}

/** The first numbered name that is free beside one that is taken. */
export function freeName(walker: Walker, at: HomePath, taken: Spot): Target {
  for (let number = 2; number < RENAME_TRIES_MAX; number++) {
    const name = numberedName(taken.name, number);
    const path = [...at.path.slice(0, -1), name];
    const spot = walker.child(taken.folder, name, path);
    if (spot.info === null && spot.twin === null) return { spot, path, taken: null };
  }
  throw exists(at.path);
}

/**
 * A name with a number: `name (2).ext`. The part before the number is cut where the name would
 * become too long.
 */
export function numberedName(name: string, number: number): string {
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 ? name.slice(dot) : "";
  const suffix = ` (${number})`;
  let stem = [...(dot > 0 ? name.slice(0, dot) : name)];
  let tail = suffix + extension;
  if (encoder.encode(tail).length >= NAME_MAX_BYTES) {
    // An extension as long as the name itself is none.
    stem = [...name];
    tail = suffix;
  }
  while (encoder.encode(stem.join("") + tail).length > NAME_MAX_BYTES) stem.pop();
  return stem.join("") + tail;
}

/** Gives the part its name; false when the name was taken in this moment. */
export function place(part: ReadyPart, { spot }: Target, overwrite: OverwriteMode): boolean {
  if (overwrite === "replace") {
    Deno.renameSync(part.diskPath, spot.diskPath);
    return true;
  }
  try {
    Deno.linkSync(part.diskPath, spot.diskPath);
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    // No hard links here; any other trouble shows in the rename as well.
    if (look(spot.diskPath) !== null) return false;
    Deno.renameSync(part.diskPath, spot.diskPath);
    return true;
  }
  Deno.removeSync(part.diskPath);
  return true;
}

/** Whether what was planned is still there to be replaced, or nothing still. */
export function sameTarget(a: Target, b: Target): boolean {
  return a.spot.diskPath === b.spot.diskPath && a.taken?.size === b.taken?.size;
}

function toPublished(target: Target, info: Deno.FileInfo, skipped: boolean): Published {
  return {
    path: target.path,
    entry: entryOf(target.spot.name, info),
    etag: etagOf(info),
    replacedBytes: skipped ? 0 : target.taken?.size ?? 0,
    skipped,
  };
}

/** Throws when a sibling differs only by case, which portable names exclude. */
export function refuseTwin(spot: Spot, path: readonly string[]): void {
  if (spot.twin === null) return;
  throw new TrivetError(
    "NAME_CASE_CONFLICT",
    `Cannot create ${quoteName(formatPath(path))}: ${quoteName(spot.twin)} differs only by case`,
  );
}

function exists(path: readonly string[]): TrivetError {
  return new TrivetError(
    "EXISTS",
    `Cannot create ${quoteName(formatPath(path))}: the name is taken`,
  );
}

function isFolder(path: readonly string[]): TrivetError {
  return new TrivetError(
    "IS_FOLDER",
    `Cannot replace ${quoteName(formatPath(path))}: it is a folder`,
  );
}
