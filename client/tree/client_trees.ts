/**
 * Uploads and downloads of trees as a client asks for them: finds where everything goes, refuses what
 * cannot go anywhere before anything moves, and runs the plan.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { formatPath, parsePath, quoteName } from "../../lib/netdisk/path.ts";
import type { Connections } from "../connections.ts";
import { quoteLocal } from "../local_error.ts";
import type { NetdiskEntry } from "../netdisk_types.ts";
import type { Pacer } from "../pacer.ts";
import { type EntryReader, expandRemote } from "../remote_glob.ts";
import { readExcludes } from "./exclude.ts";
import { getTree, type PlannedDownload } from "./get_tree.ts";
import type { Plan } from "./growing.ts";
import type { LeftOut } from "./left_out.ts";
import { isLocalFolder, makeFoldersFor, openDownloadPlan, openUploadPlan } from "./plan.ts";
import { type PlannedUpload, putTree } from "./put_tree.ts";
import type { TreeOptions, TreeResult } from "./tree_types.ts";

/** What goes where, as {@linkcode TreeTransferOptions.onPlan} is told. */
export interface PlannedTransfer {
  /** Its path on the side it comes from. */
  readonly from: string;
  /** Its path on the side it goes to. */
  readonly to: string;
  /** What it is; `other` is left out. */
  readonly type: NetdiskEntry["type"];
  /** Bytes; 0 for a folder. */
  readonly size: number;
}

/** Options of `NetdiskClient.putTree()` and `NetdiskClient.getTree()`. */
export interface TreeTransferOptions extends TreeOptions {
  /** Whether folders are transferred (default) or refused. */
  readonly recursive?: boolean;
  /**
   * Patterns of what stays out: one with a `/` from where the tree begins, one without by every name.
   */
  readonly exclude?: readonly string[];
  /** Only says what would be done, and counts it. */
  readonly dryRun?: boolean;
  /** Told what goes where before anything is done; without it, the transfer begins during the walk. */
  readonly onPlan?: (plan: readonly PlannedTransfer[]) => void;
}

/** Options of `NetdiskClient.putTree()`. */
export interface PutTreeOptions extends TreeTransferOptions {
  /** Whether symbolic links are left out (`skip`, the default) or sent as what they lead to. */
  readonly links?: "skip" | "follow";
}

/** Options of `NetdiskClient.getTree()`. */
export type GetTreeOptions = TreeTransferOptions;

/** What a client lends to a transfer. */
export interface TreeAccess {
  /** Reads what is on the server; `NetdiskClient` is such. */
  readonly reader: EntryReader;
  /** Where connections come from. */
  readonly connections: Connections;
  /** Holds the transfer to a rate. */
  readonly pacer: Pacer | undefined;
  /** Names server and account. */
  readonly server: string;
}

/** What is transferred, and where it goes. */
export interface TreeRequest {
  /** Paths on the side it comes from. */
  readonly sources: readonly string[];
  /** The path that takes it. */
  readonly to: string;
}

/** See `NetdiskClient.putTree()`. */
export async function uploadTrees(
  access: TreeAccess,
  { sources, to }: TreeRequest,
  options: PutTreeOptions,
): Promise<TreeResult> {
  const { reader, connections, pacer } = access;
  const target = parsePath(to);
  const { recursive = true, exclude = [], signal, onPlan, dryRun } = options;
  const leftOut: LeftOut[] = [];
  const type = target.length === 0 ? "folder" : await typeOf(reader, target, signal);
  const isInside = type === "folder" || to.endsWith("/") || sources.length > 1;
  const opened = openUploadPlan(sources, {
    target,
    recursive,
    signal,
    isInside,
    links: options.links,
    isExcluded: readExcludes(exclude),
    onLeftOut: (left) => {
      leftOut.push(left);
      options.onLeftOut?.(left);
    },
  });
  // A folder brings the missing ones above it along; files alone need a place that is there.
  const mayMake = to.endsWith("/") && opened.hasFolder;
  if (isInside && type !== "folder" && !(type === undefined && mayMake)) {
    throw noFolder(target, type);
  }
  let plan: Plan<PlannedUpload> = opened.pages;
  if (onPlan !== undefined || dryRun === true) {
    plan = (await Array.fromAsync(opened.pages)).flat();
    const planned = plan.map(({ entry, target }): PlannedTransfer => ({
      from: entry.local,
      to: formatPath(target),
      type: entry.type,
      size: entry.size,
    }));
    onPlan?.(planned);
    if (dryRun === true) return { ...countOf(planned), leftOut };
  }
  const result = await putTree(connections, plan, { ...options, pacer });
  return { ...result, leftOut: [...leftOut, ...result.leftOut] };
}

/** See `NetdiskClient.getTree()`. */
export async function downloadTrees(
  access: TreeAccess,
  { sources, to }: TreeRequest,
  options: GetTreeOptions,
): Promise<TreeResult> {
  const { reader, connections, pacer, server } = access;
  const { recursive = true, exclude = [], signal, onPlan, dryRun } = options;
  const found = [];
  for (const { path, entry } of await expandRemote(reader, sources, signal)) {
    found.push({ path: parsePath(path), entry: entry ?? await reader.stat(path, signal) });
  }
  const isFolder = await isLocalFolder(to);
  const hasFolder = found.some(({ entry }) => entry.type === "folder");
  const isThere = isFolder && await isOnDisk(to);
  if (found.length > 1 && !isFolder || isFolder && !isThere && !hasFolder) {
    throw new TrivetError(
      "LOCAL_NOT_FOUND",
      `Cannot write into ${quoteLocal(to)}: it is no folder`,
    );
  }
  const pages = openDownloadPlan(reader, found, {
    local: to,
    recursive,
    signal,
    isInside: isFolder,
    isExcluded: readExcludes(exclude),
  });
  let plan: Plan<PlannedDownload> = pages;
  if (onPlan !== undefined || dryRun === true) {
    plan = (await Array.fromAsync(pages)).flat();
    const planned = plan.map(({ remote, entry, local }): PlannedTransfer => ({
      from: formatPath(remote),
      to: local,
      type: entry.type,
      size: entry.size,
    }));
    onPlan?.(planned);
    if (dryRun === true) return { ...countOf(planned), leftOut: [] };
  }
  // As on the server, a folder brings the missing ones above it along.
  if (hasFolder) await makeFoldersFor(to, isFolder);
  return await getTree(connections, plan, { ...options, server, pacer });
}

/** What a plan comes to, if nothing is in its way. */
function countOf(plan: readonly PlannedTransfer[]): Omit<TreeResult, "leftOut"> {
  const files = plan.filter(({ type }) => type === "file");
  return {
    files: files.length,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    folders: plan.filter(({ type }) => type === "folder").length,
    skipped: 0,
  };
}

async function typeOf(
  reader: EntryReader,
  path: readonly string[],
  signal: AbortSignal | undefined,
): Promise<NetdiskEntry["type"] | undefined> {
  try {
    return (await reader.stat(formatPath(path), signal)).type;
  } catch (error) {
    if (error instanceof TrivetError && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
}

async function isOnDisk(local: string): Promise<boolean> {
  return await Deno.stat(local).then((info) => info.isDirectory, () => false);
}

function noFolder(path: readonly string[], type: NetdiskEntry["type"] | undefined): TrivetError {
  const shown = quoteName(formatPath(path));
  return type === undefined
    ? new TrivetError("NOT_FOUND", `Cannot store in ${shown}: there is no such folder`)
    : new TrivetError("NOT_FOLDER", `Cannot store in ${shown}: it is no folder`);
}
