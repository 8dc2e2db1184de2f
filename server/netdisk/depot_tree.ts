/**
 * Walks a folder of a depot and all below it, page by page.
 *
 * @module
 */

import { LIST_PAGE_MAX, type NetdiskEntry } from "../../lib/netdisk/messages.ts";
import type { Depot, HomePath } from "./depot.ts";

/** Something that a walk came by. */
export interface TreeItem {
  /** Its path in the home. */
  readonly path: readonly string[];
  /** What it is. */
  readonly entry: NetdiskEntry;
}

/**
 * Walks a folder.
 *
 * @param depot The file trees.
 * @param root The folder, which is not yielded itself.
 * @param signal Gives up.
 * @returns What is in it, each folder before what is in it.
 */
export async function* walkTree(
  depot: Pick<Depot, "list">,
  root: HomePath,
  signal?: AbortSignal,
): AsyncGenerator<TreeItem, void> {
  const folders: (readonly string[])[] = [root.path];
  for (let path = folders.pop(); path !== undefined; path = folders.pop()) {
    let after: string | undefined;
    for (;;) {
      signal?.throwIfAborted();
      const page = await depot.list({ user: root.user, path }, {
        limit: LIST_PAGE_MAX,
        ...(after === undefined ? {} : { after }),
      });
      for (const entry of page.entries) {
        const item = { path: [...path, entry.name], entry };
        if (entry.type === "folder") folders.push(item.path);
        yield item;
      }
      after = page.entries.at(-1)?.name;
      if (!page.more || after === undefined) break;
    }
  }
}
