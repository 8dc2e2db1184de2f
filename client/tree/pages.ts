/**
 * Cuts lists of files and folders into what one request may name.
 *
 * @module
 */

import { BATCH_BYTES_MAX, BATCH_ITEMS_MAX } from "../../lib/netdisk/messages.ts";

/** Most characters of paths in one request: in JSON each may take six bytes. */
export const PATHS_MAX_CHARS = 64 * 1024;

/** What an item takes up in a request and its answer. */
export interface PageItem {
  /** Path on the server. */
  readonly path: readonly string[];
  /** Bytes of content. */
  readonly bytes?: number;
}

/**
 * Cuts a list into pages.
 *
 * @param items In their order.
 * @param sizeOf What each takes up.
 */
export function* pagesOf<T>(
  items: readonly T[],
  sizeOf: (item: T) => PageItem,
): Generator<T[]> {
  let page: T[] = [];
  let used = { bytes: 0, chars: 0 };
  for (const item of items) {
    const { path, bytes = 0 } = sizeOf(item);
    const chars = charsOf(path);
    const isFull = page.length === BATCH_ITEMS_MAX || used.bytes + bytes > BATCH_BYTES_MAX ||
      used.chars + chars > PATHS_MAX_CHARS;
    if (isFull && page.length > 0) {
      yield page;
      page = [];
      used = { bytes: 0, chars: 0 };
    }
    page.push(item);
    used.bytes += bytes;
    used.chars += chars;
  }
  if (page.length > 0) yield page;
}

/** Characters of a path, with what separates its components. */
export function charsOf(path: readonly string[]): number {
  return path.reduce((chars, name) => chars + name.length + 1, 0);
}
