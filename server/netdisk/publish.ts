/**
 * Publishing a file, whether small or uploaded in chunks: the catalog learns of it before the depot
 * does it, and afterwards how it ended.
 *
 * @module
 */

import type { NetdiskRequest, StoredFile } from "../../lib/netdisk/messages.ts";
import { endCommit } from "../store/recovery.ts";
import type { NetdiskStores } from "./context.ts";
import type { Published, PublishIntent, PublishOptions } from "./depot.ts";

/** The part of a request that says how to publish. */
export type PublishRequest = Pick<
  NetdiskRequest<"put.file">,
  "overwrite" | "mtimeMs" | "mode" | "durability"
>;

/** The two steps that differ between a small file and an upload. */
export interface PublishSteps {
  /** Whose home it goes into. */
  readonly user: string;
  /** Writes the intent down in the catalog. */
  begin(intent: PublishIntent): Promise<void>;
  /** Lets the depot publish. */
  publish(options: PublishOptions): Promise<Published>;
}

/**
 * Publishes a file and settles it in the catalog.
 *
 * @param stores Catalog and depot.
 * @param id Of the upload or small file.
 * @param request How to publish.
 * @param steps What differs.
 * @returns What was published.
 */
export async function publishFile(
  stores: NetdiskStores,
  id: string,
  request: PublishRequest,
  steps: PublishSteps,
): Promise<Published> {
  let isIntended = false;
  // Not before the intent: cutting and syncing a large part may take long.
  using held = new DisposableStack();
  let isHeld = false;
  try {
    const published = await steps.publish({
      overwrite: request.overwrite,
      durability: request.durability ?? "commit",
      ...(request.mtimeMs === undefined ? {} : { mtimeMs: request.mtimeMs }),
      ...(request.mode === undefined ? {} : { mode: request.mode }),
      intent: async (intent) => {
        if (!isHeld) held.use(await stores.depot.holdHome(steps.user));
        isHeld = true;
        await steps.begin(intent);
        isIntended = true;
      },
    });
    if (!published.skipped) await stores.catalog.finishCommit(id);
    // The name was taken between the intent and the publication.
    else if (isIntended) await endCommit(stores, id);
    return published;
  } catch (error) {
    // The file may have its name all the same, as when only the folder could not be synced.
    if (isIntended) await endCommit(stores, id);
    throw error;
  }
}

/** The answer that tells of a published file. */
export function storedFile(published: Published): StoredFile {
  const { path, entry, etag, skipped } = published;
  return { path, size: entry.size, mtimeMs: entry.mtimeMs, etag, skipped };
}
