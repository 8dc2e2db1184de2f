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
import { type LocalEntry, type LocalWalkOptions, walkLocal } from "./local_walk.ts";
import type { PlannedUpload } from "./put_tree.ts";

/** Entries of one plan: all are in memory. */
export const PLAN_MAX = 2_000_000;

/** Entries that are found between two turns of the event loop. */
const PAGE_ENTRIES = 512;

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

/** An upload that is about to be planned. */
export interface OpenedUploadPlan {
  /** Whether a folder is among what was named. */
  readonly hasFolder: boolean;
  /** What goes where, in pages: the folders and files that were named have been looked at. */
  readonly pages: AsyncIterable<PlannedUpload[]>;
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
  return (await Array.fromAsync(openUploadPlan(sources, options).pages)).flat();
}

/**
 * Looks at local files and folders that are to be walked.
 *
 * @param sources Their paths. Of one that has no name, such as `.`, the content goes into the target.
 * @param options Where they go.
 * @returns The walk, as far as it is wanted.
 * @throws {TrivetError} `LOCAL_NOT_FOUND`, and `IS_FOLDER` for a folder without `recursive`.
 */
export function openUploadPlan(
  sources: readonly string[],
  options: UploadPlanOptions,
): OpenedUploadPlan {
  const { target, isInside, recursive } = options;
  const roots: WalkedSource[] = [];
  const targets = new Set<string>();
  for (const source of sources) {
    const name = baseName(source);
    const hasName = name !== "" && name !== "." && name !== "..";
    const base = isInside && hasName ? checkPath([...target, name], { names: "native" }) : target;
    if (hasName) refuseSecond(targets, formatPath(base));
    const walk = walkLocal(source, options);
    const first = walk.next();
    if (first.done === true) continue;
    if (first.value.type === "folder" && !recursive) {
      throw new TrivetError(
        "IS_FOLDER",
        `Cannot send ${quoteLocal(source)} without --recursive: it is a folder`,
      );
    }
    roots.push({ base, first: first.value, walk });
  }
  return {
    hasFolder: roots.some(({ first }) => first.type === "folder"),
    pages: pagesOfWalks(roots, options.signal),
  };
}

/** A source whose walk has begun. */
interface WalkedSource {
  /** Where it goes. */
  readonly base: readonly string[];
  /** Itself. */
  readonly first: LocalEntry;
  /** What is in it. */
  readonly walk: Generator<LocalEntry>;
}

async function* pagesOfWalks(
  roots: readonly WalkedSource[],
  signal: AbortSignal | undefined,
): AsyncGenerator<PlannedUpload[]> {
  signal?.throwIfAborted();
  let page: PlannedUpload[] = [];
  let count = 0;
  for (const { base, first, walk } of roots) {
    for (let entry: LocalEntry | undefined = first; entry !== undefined; entry = nextOf(walk)) {
      const target = [...base, ...entry.path];
      // The home itself is there, and its time is its own.
      if (target.length > 0) page.push({ entry, target });
      if (page.length < PAGE_ENTRIES) continue;
      count += page.length;
      if (count > PLAN_MAX) throw tooMany();
      yield page;
      page = [];
      // Lets an interrupt through, and what is being sent.
      await new Promise((resolve) => setTimeout(resolve));
      signal?.throwIfAborted();
    }
  }
  yield page;
}

function nextOf(walk: Generator<LocalEntry>): LocalEntry | undefined {
  const next = walk.next();
  return next.done === true ? undefined : next.value;
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
  return (await Array.fromAsync(openDownloadPlan(reader, sources, options))).flat();
}

/**
 * Checks what was asked for, and walks it as far as it is wanted.
 *
 * @param reader The server.
 * @param sources What was asked for. Of the home, the content goes into the target.
 * @param options Where they go.
 * @returns What goes where, in pages.
 * @throws {TrivetError} `IS_FOLDER` for a folder without `recursive`.
 */
export function openDownloadPlan(
  reader: EntryReader,
  sources: readonly RemoteSource[],
  options: DownloadPlanOptions,
): AsyncIterable<PlannedDownload[]> {
  const { local, isInside, recursive } = options;
  const roots: (RemoteSource & { readonly root: string })[] = [];
  const targets = new Set<string>();
  for (const { path: remote, entry } of sources) {
    const name = remote.at(-1);
    const root = isInside && name !== undefined ? inFolder(local, name) : local;
    if (name !== undefined) refuseSecond(targets, root);
    if (entry.type === "folder" && !recursive) {
      throw new TrivetError(
        "IS_FOLDER",
        `Cannot receive "${formatPath(remote)}" without --recursive: it is a folder`,
      );
    }
    roots.push({ path: remote, entry, root });
  }
  return pagesOfRemote(reader, roots, options);
}

async function* pagesOfRemote(
  reader: EntryReader,
  roots: readonly (RemoteSource & { readonly root: string })[],
  { isExcluded, signal }: DownloadPlanOptions,
): AsyncGenerator<PlannedDownload[]> {
  let page: PlannedDownload[] = [];
  let count = 0;
  for (const { path: remote, entry, root } of roots) {
    if (remote.length > 0) page.push({ remote, entry, local: root });
    if (entry.type !== "folder") continue;
    const below = (item: RemoteItem) => item.path.slice(remote.length);
    const accepts = (item: RemoteItem) => isExcluded?.(below(item)) !== true;
    for await (const item of walkRemote(reader, remote, { accepts, signal })) {
      page.push({
        remote: item.path,
        entry: item.entry,
        local: below(item).reduce(inFolder, root),
      });
      if (page.length < PAGE_ENTRIES) continue;
      count += page.length;
      if (count > PLAN_MAX) throw tooMany();
      yield page;
      page = [];
    }
  }
  yield page;
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

function tooMany(): TrivetError {
  return new TrivetError("USAGE", `More than ${PLAN_MAX} files and folders at once`);
}
