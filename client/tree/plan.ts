/**
 * What goes where when files and folders are transferred.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { checkPath, formatPath } from "../../lib/netdisk/path.ts";
import { localError, quoteLocal } from "../local_error.ts";
import { baseName, endsWithSeparator, folderOf, inFolder } from "../local_path.ts";
import type { EntryReader } from "../remote_glob.ts";
import { type RemoteItem, walkRemote } from "../remote_walk.ts";
import type { NetdiskEntry } from "../netdisk_types.ts";
import type { PlannedDownload } from "./get_tree.ts";
import { type LocalWalkOptions, walkLocal } from "./local_walk.ts";
import type { PlannedUpload } from "./put_tree.ts";

/** Entries of one plan: all are in memory. */
export const PLAN_MAX = 2_000_000;

/** Options of {@linkcode planUpload}. */
export interface UploadPlanOptions extends LocalWalkOptions {
  /** Where it goes. */
  readonly target: readonly string[];
  /** Whether the sources go into the target, under their names, or become it. */
  readonly isInside: boolean;
  /** Whether folders may be among them. */
  readonly recursive: boolean;
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Walks local files and folders.
 *
 * @param sources Their paths. Of one that has no name, such as `.`, the content goes into the target.
 * @param options Where they go.
 * @throws {TrivetError} `LOCAL_NOT_FOUND`, and `IS_FOLDER` for a folder without `recursive`.
 */
export async function planUpload(
  sources: readonly string[],
  options: UploadPlanOptions,
): Promise<PlannedUpload[]> {
  const { target, isInside, recursive, signal } = options;
  const plan: PlannedUpload[] = [];
  const targets = new Set<string>();
  for (const source of sources) {
    const name = baseName(source);
    const hasName = name !== "" && name !== "." && name !== "..";
    const base = isInside && hasName ? checkPath([...target, name], { names: "native" }) : target;
    if (hasName) refuseSecond(targets, formatPath(base));
    for (const entry of walkLocal(source, options)) {
      if (entry.path.length === 0 && entry.type === "folder" && !recursive) {
        throw new TrivetError(
          "IS_FOLDER",
          `Cannot send ${quoteLocal(source)} without --recursive: it is a folder`,
        );
      }
      const path = [...base, ...entry.path];
      // The home itself is there, and its time is its own.
      if (path.length > 0) plan.push({ entry, target: path });
      await pause(plan.length, signal);
    }
  }
  return plan;
}

/** Options of {@linkcode planDownload}. */
export interface DownloadPlanOptions {
  /** Local path where it goes. */
  readonly local: string;
  /** Whether the sources go into it, under their names, or become it. */
  readonly isInside: boolean;
  /** Whether folders may be among them. */
  readonly recursive: boolean;
  /** Whether an entry stays out, with all in it. */
  readonly isExcluded?: ((path: readonly string[]) => boolean) | undefined;
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
}

/** A file or folder of the server that was asked for. */
export interface RemoteSource {
  /** Checked components; [] is the home. */
  readonly path: readonly string[];
  /** What it is. */
  readonly entry: NetdiskEntry;
}

/**
 * Walks files and folders of the server.
 *
 * @param reader The server.
 * @param sources What was asked for. Of the home, the content goes into the target.
 * @param options Where they go.
 * @throws {TrivetError} `IS_FOLDER` for a folder without `recursive`.
 */
export async function planDownload(
  reader: EntryReader,
  sources: readonly RemoteSource[],
  options: DownloadPlanOptions,
): Promise<PlannedDownload[]> {
  const { local, isInside, recursive, isExcluded, signal } = options;
  const plan: PlannedDownload[] = [];
  const targets = new Set<string>();
  for (const { path: remote, entry } of sources) {
    const name = remote.at(-1);
    const root = isInside && name !== undefined ? inFolder(local, name) : local;
    if (name !== undefined) refuseSecond(targets, root);
    if (name !== undefined) plan.push({ remote, entry, local: root });
    if (entry.type !== "folder") continue;
    if (!recursive) {
      throw new TrivetError(
        "IS_FOLDER",
        `Cannot receive "${formatPath(remote)}" without --recursive: it is a folder`,
      );
    }
    const below = (item: RemoteItem) => item.path.slice(remote.length);
    const accepts = (item: RemoteItem) => isExcluded?.(below(item)) !== true;
    for await (const item of walkRemote(reader, remote, { accepts, signal })) {
      plan.push({
        remote: item.path,
        entry: item.entry,
        local: below(item).reduce(inFolder, root),
      });
      if (plan.length > PLAN_MAX) throw tooMany();
    }
  }
  return plan;
}

/** Whether a local path can only mean a folder that takes what is transferred. */
export async function isLocalFolder(local: string): Promise<boolean> {
  if (endsWithSeparator(local)) return true;
  return await Deno.stat(local).then((info) => info.isDirectory, () => false);
}

/**
 * Makes the missing folders that a tree goes into.
 *
 * @param local Where it goes.
 * @param isFolder Whether it goes into that, or becomes it.
 * @throws {TrivetError} `LOCAL_DENIED` or whatever else the system says.
 */
export async function makeFoldersFor(local: string, isFolder: boolean): Promise<void> {
  const folder = isFolder ? local : folderOf(local);
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (error) {
    throw localError(error, "make folder", folder);
  }
}

/** Two sources at one place: which of them it would hold in the end, nobody could tell. */
function refuseSecond(targets: Set<string>, target: string): void {
  if (targets.has(target)) {
    throw new TrivetError("USAGE", `Two of the sources have the same name: ${quoteLocal(target)}`);
  }
  targets.add(target);
}

/** Lets an interrupt through from time to time. */
async function pause(count: number, signal: AbortSignal | undefined): Promise<void> {
  if (count > PLAN_MAX) throw tooMany();
  if (count % 1024 !== 0) return;
  await new Promise((resolve) => setTimeout(resolve));
  signal?.throwIfAborted();
}

function tooMany(): TrivetError {
  return new TrivetError("USAGE", `More than ${PLAN_MAX} files and folders at once`);
}
