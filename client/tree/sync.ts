/**
 * Makes one tree like another, one way: the server's like the local one, or the local one like the
 * server's. Only what differs is transferred.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { checkPath, formatPath } from "../../lib/netdisk/path.ts";
import { localError } from "../local_error.ts";
import { inFolder } from "../local_path.ts";
import type { PlannedDownload } from "./get_tree.ts";
import type { LinkMode } from "./link_modes.ts";
import { type LeftOut, leftOutBy } from "./left_out.ts";
import { type LocalEntry, walkLocal } from "./local_walk.ts";
import type { PlannedUpload } from "./put_tree.ts";
import type { EntryReader } from "../remote_glob.ts";
import { type RemoteItem, walkRemote } from "../remote_walk.ts";
import { planSync, type SyncItem, syncKey, type SyncPlan, type SyncStep } from "./sync_plan.ts";

const EXECUTABLE_BITS = 0o111;

/** What is compared. */
export interface SyncSides {
  /** The local folder. */
  readonly local: string;
  /** The folder on the server: checked components. */
  readonly remote: readonly string[];
}

/** Options of {@linkcode compareTrees}. */
export interface SyncOptions {
  /** Whether the local folder becomes like the server's, not the other way round. */
  readonly pull: boolean;
  /** Whether what the source does not have goes. */
  readonly deletes: boolean;
  /** Whether an entry stays out of it on both sides. */
  readonly isExcluded?: ((path: readonly string[]) => boolean) | undefined;
  /** Whether local symbolic links are left out or followed. */
  readonly links?: LinkMode | undefined;
  /** Told what is left out. */
  readonly onLeftOut: (left: LeftOut) => void;
  /** Tells which of the files that look alike differ, and which that do not are the same. */
  readonly compare?: ((files: readonly SyncPair[]) => Promise<SyncVerdict>) | undefined;
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
}

/** A file of the same size on both sides. */
export interface SyncPair {
  /** Components from the root of both trees. */
  readonly path: readonly string[];
  /** Its local path. */
  readonly local: string;
  /** Its path on the server. */
  readonly remote: readonly string[];
  /** Bytes. */
  readonly size: number;
}

/** What a comparison of contents has found, by {@linkcode syncKey}. */
export interface SyncVerdict {
  readonly same: ReadonlySet<string>;
  readonly different: ReadonlySet<string>;
}

/** What is to be done, and with what. */
export interface ComparedTrees {
  /** What is to be done. */
  readonly plan: SyncPlan;
  /** What is to be sent; empty for a pull. */
  readonly uploads: readonly PlannedUpload[];
  /** What is to be received; empty for a push. */
  readonly downloads: readonly PlannedDownload[];
}

/** Compares the two trees. */
export async function compareTrees(
  reader: EntryReader,
  sides: SyncSides,
  options: SyncOptions,
): Promise<ComparedTrees> {
  const local = listLocal(sides.local, options);
  const remote = await listRemote(reader, sides.remote, options);
  const verdict = await options.compare?.(pairsOf(sides, local, remote));
  const ours = [...local.values()].map(localItem);
  const theirs = [...remote.values()].map((item) => remoteItem(item, sides.remote));
  const [source, target] = options.pull ? [theirs, ours] : [ours, theirs];
  const plan = planSync(source, target, { deletes: options.deletes, ...verdict });
  const isMoved = (key: string) => moved.has(key) || plan.touched.has(key);
  const moved = new Set(
    plan.steps.filter(({ action }) => action !== "delete").map(({ path }) => syncKey(path)),
  );
  const uploads = options.pull ? [] : [...local].filter(([key]) => isMoved(key))
    .map(([, entry]) => ({ entry, target: [...sides.remote, ...entry.path] }));
  const downloads = !options.pull ? [] : [...remote].filter(([key]) => isMoved(key))
    .map(([, { path, entry }]) => ({
      remote: path,
      entry,
      local: path.slice(sides.remote.length).reduce(inFolder, sides.local),
    }));
  return { plan, uploads, downloads };
}

/**
 * Deletes on this machine what a pull takes away. Links are removed, never followed.
 *
 * @throws {TrivetError} `LOCAL_DENIED` and the like.
 */
export async function deleteLocal(root: string, { path }: SyncStep): Promise<void> {
  const local = path.reduce(inFolder, root);
  try {
    await Deno.remove(local, { recursive: true });
  } catch (error) {
    throw localError(error, "remove", local);
  }
}

function listLocal(root: string, options: SyncOptions): Map<string, LocalEntry> {
  const found = new Map<string, LocalEntry>();
  try {
    for (const entry of walkLocal(root, options)) {
      options.signal?.throwIfAborted();
      if (entry.path.length > 0) found.set(syncKey(entry.path), entry);
      else if (entry.type !== "folder") {
        throw new TrivetError("NOT_FOLDER", `Cannot sync "${root}": it is not a folder`);
      }
    }
  } catch (error) {
    // A pull makes what is not there.
    const isMissing = error instanceof TrivetError && error.code === "LOCAL_NOT_FOUND";
    if (!options.pull || !isMissing) throw error;
  }
  return found;
}

async function listRemote(
  reader: EntryReader,
  root: readonly string[],
  { isExcluded, onLeftOut, pull, signal }: SyncOptions,
): Promise<Map<string, RemoteItem>> {
  const found = new Map<string, RemoteItem>();
  const accepts = ({ path }: RemoteItem) => isExcluded?.(path.slice(root.length)) !== true;
  try {
    for await (const item of walkRemote(reader, root, { accepts, signal })) {
      const path = item.path.slice(root.length);
      try {
        checkPath(path, { names: pull && Deno.build.os === "windows" ? "portable" : "native" });
        found.set(syncKey(path), item);
      } catch (error) {
        onLeftOut(leftOutBy(error, formatPath(item.path)));
      }
    }
  } catch (error) {
    const isMissing = error instanceof TrivetError && error.code === "NOT_FOUND";
    if (pull || !isMissing) throw error;
  }
  return found;
}

function pairsOf(
  sides: SyncSides,
  local: ReadonlyMap<string, LocalEntry>,
  remote: ReadonlyMap<string, RemoteItem>,
): SyncPair[] {
  const pairs: SyncPair[] = [];
  for (const [key, { type, path, size, local: name }] of local) {
    const other = remote.get(key);
    if (type !== "file" || other?.entry.type !== "file" || other.entry.size !== size) continue;
    pairs.push({ path, local: name, remote: [...sides.remote, ...path], size });
  }
  return pairs;
}

function localItem({ path, type, size, mtimeMs = 0, mode = 0 }: LocalEntry): SyncItem {
  return { path, type, size, mtimeMs, isExecutable: (mode & EXECUTABLE_BITS) !== 0 };
}

function remoteItem({ path, entry }: RemoteItem, root: readonly string[]): SyncItem {
  const { type, size, mtimeMs, mode } = entry;
  const isExecutable = (mode & EXECUTABLE_BITS) !== 0;
  return { path: path.slice(root.length), type, size, mtimeMs, isExecutable };
}
