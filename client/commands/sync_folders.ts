/**
 * The work behind `sync`.
 *
 * @module
 */

import { EXIT } from "../../lib/errors.ts";
import { parsePath } from "../../lib/netdisk/path.ts";
import type { ValuesOf } from "../../lib/term/command.ts";
import { formatBytes, formatCount } from "../../lib/term/format.ts";
import { Progress } from "../../lib/term/progress.ts";
import { safeText } from "../../lib/term/text.ts";
import { isByRule } from "../tree/left_out.ts";
import type { SyncChange, SyncResult } from "../tree/sync_types.ts";
import { openClient } from "./access.ts";
import type { ClientContext } from "./context.ts";
import type { SYNC_OPTIONS } from "./sync.ts";
import { tellLeftOut, withCount } from "./tree_transfer.ts";

/** Signs in front of what is done. */
const SIGNS = { create: "+", update: "~", replace: "!", delete: "-" } as const;

/** Syncs two folders and says what was done; 1 when something was left out that was asked for. */
export async function syncFolders(
  context: ClientContext,
  { local, remote, values }: {
    readonly local: string;
    readonly remote: string;
    readonly values: ValuesOf<typeof SYNC_OPTIONS>;
  },
): Promise<number | void> {
  const { output, signal } = context;
  // A mistake is told before anything is connected.
  parsePath(remote);
  const { pull, delete: deletes, "dry-run": dryRun, checksum } = values;
  const { durability, exclude, jobs, links } = values;
  await using client = await openClient(context);
  const startedMs = performance.now();
  using progress = new Progress(output);
  let last = { doneFiles: 0, totalFiles: 0 };
  let result: SyncResult;
  try {
    result = await client.sync(local, remote, {
      ...{ pull, deletes, dryRun, checksum, durability, exclude, jobs, links, signal },
      onPlan: (changes) => {
        for (const change of changes) output.line(describe(change));
        if (!dryRun && changes.length > 0) progress.start({ name: pull ? remote : local });
      },
      onProgress: ({ action, doneBytes, totalBytes, doneFiles, totalFiles }) => {
        last = { doneFiles, totalFiles };
        const files = { fileNumber: doneFiles, fileCount: totalFiles };
        progress.update({ action, doneBytes, totalBytes, ...files });
      },
      onLeftOut: ({ message }) => output.warn(message),
      onRetry: (error, waitMs) =>
        output.warn(`${error.message}; trying again in ${Math.ceil(waitMs / 1000)} s`),
    });
  } catch (error) {
    progress.stop();
    throw withCount(error, last);
  }
  progress.stop();
  const seconds = Math.round(performance.now() - startedMs) / 1000;
  output.note(summaryOf(result, dryRun));
  tellLeftOut(output, result.leftOut);
  output.json({
    changes: result.changes.map(({ size, ...change }) => ({ ...change, size_bytes: size })),
    files: result.files,
    size_bytes: result.bytes,
    unchanged: result.unchanged,
    left_out: result.leftOut.map(({ path, reason, message }) => ({ path, reason, message })),
    seconds,
  });
  return result.leftOut.every(isByRule) ? undefined : EXIT.FAILED;
}

function describe({ action, path, type }: SyncChange): string {
  return `${SIGNS[action]} ${safeText(path)}${type === "folder" ? "/" : ""}`;
}

function summaryOf({ changes, files, bytes, unchanged }: SyncResult, dryRun: boolean): string {
  const deleted = changes.filter(({ action }) => action === "delete").length;
  const moved = changes.filter(({ action, type }) => action !== "delete" && type === "file").length;
  const same = `${unchanged} unchanged`;
  if (dryRun) return `Would transfer ${formatCount(moved, "file")} and delete ${deleted}; ${same}`;
  const what = `Transferred ${formatCount(files, "file")}, ${formatBytes(bytes)}`;
  return `${what}${deleted === 0 ? "" : `; deleted ${deleted}`}; ${same}`;
}
