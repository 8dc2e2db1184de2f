/**
 * Runs a sync: compares, deletes what is too much, transfers what differs.
 *
 * @module
 */

import { formatPath } from "../../lib/netdisk/path.ts";
import type { Connections } from "../connections.ts";
import type { Pacer } from "../pacer.ts";
import type { EntryReader } from "../remote_glob.ts";
import { readExcludes } from "./exclude.ts";
import { getTree } from "./get_tree.ts";
import { type LeftOut, leftOutBy } from "./left_out.ts";
import { putTree } from "./put_tree.ts";
import { compareContents, type DigestReader } from "./sync_contents.ts";
import { compareTrees, deleteLocal, type SyncSides } from "./sync.ts";
import type { SyncStep } from "./sync_plan.ts";
import type { SyncChange, SyncResult, SyncTreesOptions } from "./sync_types.ts";

/** What a sync asks of the server; `NetdiskClient` is such. */
export interface SyncServer extends EntryReader, DigestReader {
  /** Moves something into the trash. */
  rm(
    path: string,
    options: { readonly recursive?: boolean; readonly signal?: AbortSignal },
  ): Promise<unknown>;
  /** Makes a folder. */
  mkdir(
    path: string,
    options: { readonly parents?: boolean; readonly signal?: AbortSignal },
  ): Promise<boolean>;
}

/** Options of {@linkcode syncTrees}. */
export interface RunSyncOptions extends SyncTreesOptions {
  /** Where connections come from. */
  readonly connections: Connections;
  /** Holds the transfer to a rate. */
  readonly pacer: Pacer | undefined;
  /** Names server and account. */
  readonly server: string;
}

const NOTHING = { files: 0, bytes: 0, folders: 0, skipped: 0 } as const;

/** See the module. */
export async function syncTrees(
  server: SyncServer,
  sides: SyncSides,
  options: RunSyncOptions,
): Promise<SyncResult> {
  const { pull = false, deletes = false, dryRun = false, checksum = false } = options;
  const { exclude = [], signal } = options;
  const leftOut: LeftOut[] = [];
  const onLeftOut = (left: LeftOut) => {
    leftOut.push(left);
    options.onLeftOut?.(left);
  };
  const { plan, uploads, downloads } = await compareTrees(server, sides, {
    pull,
    deletes,
    signal,
    links: options.links,
    isExcluded: readExcludes(exclude),
    onLeftOut,
    compare: checksum ? (files) => compareContents(server, files, signal) : undefined,
  });
  for (const { path, message } of plan.conflicts) {
    onLeftOut({
      path: path.join("/"),
      reason: "EXISTS",
      message: `Left out ${path.join("/")}: ${message} on the other side; --delete replaces it`,
    });
  }
  const changes = plan.steps.map(toChange);
  options.onPlan?.(changes);
  if (dryRun) return { ...NOTHING, leftOut, changes, unchanged: plan.unchanged };
  await prepareTarget(server, sides, { pull, signal });
  for (const step of plan.steps) {
    if (step.action !== "delete" && step.action !== "replace") continue;
    try {
      if (pull) await deleteLocal(sides.local, step);
      else await deleteRemote(server, sides, step, signal);
    } catch (error) {
      onLeftOut(leftOutBy(error, step.path.join("/")));
    }
  }
  const transfer = { ...options, overwrite: "replace" } as const;
  const result = pull
    ? await getTree(options.connections, downloads, transfer)
    : await putTree(options.connections, uploads, transfer);
  const left = [...leftOut, ...result.leftOut];
  return { ...result, leftOut: left, changes, unchanged: plan.unchanged };
}

/** The folder that becomes like the other one need not be there yet. */
async function prepareTarget(
  server: SyncServer,
  { local, remote }: SyncSides,
  { pull, signal }: { readonly pull: boolean; readonly signal: AbortSignal | undefined },
): Promise<void> {
  if (pull) return await Deno.mkdir(local, { recursive: true });
  if (remote.length === 0) return;
  const given = signal === undefined ? {} : { signal };
  await server.mkdir(formatPath(remote), { parents: true, ...given });
}

async function deleteRemote(
  server: SyncServer,
  { remote }: SyncSides,
  { path }: SyncStep,
  signal: AbortSignal | undefined,
): Promise<void> {
  const given = signal === undefined ? {} : { signal };
  await server.rm(formatPath([...remote, ...path]), { recursive: true, ...given });
}

function toChange({ action, path, type, size }: SyncStep): SyncChange {
  return { action, path: path.join("/"), type, size };
}
