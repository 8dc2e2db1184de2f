/**
 * After a crash: lets the disk say how far each commit came, and clears what nobody will continue.
 *
 * The order of a commit is: sync the part, write the intent down, rename, sync the folder, settle in
 * the catalog. With durability `commit` the intent is on the disk before the rename can be, so that
 * whatever survives of these steps, even a power cut, is one of:
 *
 * | intent | part | file | meaning | done about it |
 * | --- | --- | --- | --- | --- |
 * | no | there | – | never began | the upload stays open |
 * | yes | there | – | died before the rename | open again; a small file is dropped |
 * | yes | there | the same file | died between link and unlink | settled, part removed |
 * | yes | gone | there | died before it was settled | settled |
 * | yes | gone | gone | somebody removed them | dropped |
 * | open | gone | – | somebody removed the part | dropped |
 * | none | there | – | died between part and catalog | part removed |
 *
 * With durability `os`, a power cut (not a crash of the server) can take the intent but not the file:
 * the file then stands but is not counted in the quota.
 *
 * @module
 */

import type { Depot } from "../netdisk/depot.ts";
import type { Catalog } from "./catalog.ts";
import { recoverBatches } from "./recovery_batches.ts";
import { recoverMoves } from "./recovery_moves.ts";

/** Uploads that are read at a time. */
const PAGE_MAX = 1000;

/** What a recovery did. */
export interface RecoverySummary {
  /** Commits that had reached their final name and were settled. */
  settled: number;
  /** Uploads that are open again. */
  reopened: number;
  /** Uploads and small files that were dropped. */
  dropped: number;
  /** Parts that belonged to nothing. */
  partsRemoved: number;
  /** Batches of small files that were ended. */
  batches: number;
  /** Removals, restorations, deletions and moves that were ended; see `recovery_moves.ts`. */
  moves: number;
}

/** How one commit ended. */
export type CommitEnd = "settled" | "reopened" | "dropped";

/** The two ports. */
export interface Stores {
  /** Its uploads. */
  readonly catalog: Catalog;
  /** Its parts and homes. */
  readonly depot: Depot;
}

/**
 * Recovers all uploads, removals and moves, before the server takes requests.
 *
 * @param stores Catalog and depot of one data folder.
 */
export async function recover(stores: Stores): Promise<RecoverySummary> {
  const summary = { settled: 0, reopened: 0, dropped: 0, partsRemoved: 0, moves: 0, batches: 0 };
  const parts = new Set(await stores.depot.listParts());
  summary.batches = await recoverBatches(stores);
  for (let after = "";;) {
    const page = await stores.catalog.listUploads({ after, limit: PAGE_MAX });
    for (const upload of page) {
      if (upload.state === "committing") {
        const end = await endCommit(stores, upload.id);
        if (end !== null) summary[end]++;
      } else if (!parts.has(upload.id)) {
        await stores.catalog.discardUpload(upload.id);
        summary.dropped++;
      }
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_MAX) break;
    after = last.id;
  }
  for (const id of await stores.depot.listParts()) {
    if (await stores.catalog.findUploadById(id) !== null) continue;
    await stores.depot.removePart(id);
    summary.partsRemoved++;
  }
  // After the commits, whose files are looked for where they were published.
  summary.moves = await recoverMoves(stores);
  return summary;
}

/**
 * {@linkcode recover}, for a log line.
 *
 * @param catalog Of the data folder.
 * @param depot Of the same data folder.
 * @returns How many uploads, small files, parts, removals and moves were not as they should be.
 */
export async function recoverCommits(catalog: Catalog, depot: Depot): Promise<number> {
  const summary = await recover({ catalog, depot });
  return Object.values(summary).reduce((sum, count) => sum + count, 0);
}

/**
 * Ends one commit whose outcome is unknown: after a crash, or when publishing failed after the intent
 * was written down (the file may have its name nevertheless, when only the sync of its folder failed).
 *
 * @param stores Catalog and depot of one data folder.
 * @param id Of an upload or small file.
 * @returns How it ended; null when it is not committing, so that there is nothing to end.
 */
export async function endCommit({ catalog, depot }: Stores, id: string): Promise<CommitEnd | null> {
  const upload = await catalog.findUploadById(id);
  if (upload === null || upload.state !== "committing") return null;
  const { kind, user, path, size } = upload;
  switch (await depot.traceCommit(id, { user, path }, size ?? 0)) {
    case "published":
      await catalog.finishCommit(id);
      await depot.removePart(id);
      return "settled";
    case "pending":
      await catalog.abortCommit(id);
      if (kind === "upload") return "reopened";
      await depot.removePart(id);
      return "dropped";
    case "lost":
      await catalog.discardUpload(id);
      return "dropped";
  }
}
