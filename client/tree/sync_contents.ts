/**
 * Compares the contents of files that a sync finds on both sides, by the digests of their chunks.
 *
 * @module
 */

import { differingRanges, type DigestReader } from "../verify.ts";
import type { SyncPair, SyncVerdict } from "./sync.ts";
import { syncKey } from "./sync_plan.ts";
import { inParallel } from "./tree_types.ts";

export type { DigestReader };

/** Files that are compared at the same time. */
const FILES_AT_ONCE = 8;

/**
 * Compares files of the same size.
 *
 * @param server Tells the digests of its files.
 * @param files Both sides of each.
 * @param signal Gives up.
 */
export async function compareContents(
  server: DigestReader,
  files: readonly SyncPair[],
  signal: AbortSignal | undefined,
): Promise<SyncVerdict> {
  const same = new Set<string>();
  const different = new Set<string>();
  const ending = new AbortController();
  const given = signal === undefined ? [] : [signal];
  const until = AbortSignal.any([ending.signal, ...given]);
  await inParallel(files, { lanes: FILES_AT_ONCE, ending }, async ({ path, local, remote }) => {
    const { ranges } = await differingRanges(server, { local, path: remote }, until);
    (ranges.length === 0 ? same : different).add(syncKey(path));
  });
  return { same, different };
}
