/**
 * After a crash or a failure: lets the disk say which files of a batch were published.
 *
 * @module
 */

import type { BatchRecord } from "./catalog_batches.ts";
import type { Stores } from "./recovery.ts";

/** Batches that are read at a time. */
const PAGE_MAX = 100;

/**
 * Ends every batch that is not over, before the server takes requests.
 *
 * @returns How many.
 */
export async function recoverBatches(stores: Stores): Promise<number> {
  let ended = 0;
  for (;;) {
    const batches = await stores.catalog.listBatches(PAGE_MAX);
    for (const batch of batches) await endBatch(stores, batch);
    ended += batches.length;
    if (batches.length === 0) return ended;
  }
}

/** Ends one batch whose outcome is unknown; see the table in `recovery.ts`. */
export async function endBatch({ catalog, depot }: Stores, batch: BatchRecord): Promise<void> {
  const { id, user, files } = batch;
  const published = new Set<number>();
  for (const { index, path, size } of files) {
    const trace = await depot.traceCommit(`${id}-${index}`, { user, path }, size);
    if (trace === "published") published.add(index);
  }
  await catalog.finishBatch(id, published);
  for (const { index } of files) await depot.removePart(`${id}-${index}`);
  await depot.removePart(id);
}
