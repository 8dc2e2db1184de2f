/**
 * Cuts lists of files and folders into what one request may name.
 *
 * @module
 */

import { BATCH_BYTES_MAX, BATCH_ITEMS_MAX } from "../../lib/netdisk/messages.ts";
import type { GrowingList } from "./growing.ts";

/** Most characters of paths in one request: in JSON each may take six bytes. */
export const PATHS_MAX_CHARS = 64 * 1024;

/** What an item takes up in a request and its answer. */
export interface PageItem {
  /** Path on the server. */
  readonly path: readonly string[];
  /** Bytes of content. */
  readonly bytes?: number;
  /** What it belongs to: neighbours of one group share a page where that holds them all. */
  readonly group?: string;
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
  let used = NOTHING;
  let last: string | undefined;
  for (const [index, item] of items.entries()) {
    const size = sizeOf(item);
    const all = plus(used, size);
    const isNext = size.group !== undefined && size.group !== last;
    last = size.group;
    const isFull = !fits(all) || (isNext && splits(used, groupFrom(items, index, sizeOf)));
    if (isFull && page.length > 0) {
      yield page;
      page = [];
      used = NOTHING;
    }
    page.push(item);
    used = plus(used, size);
  }
  if (page.length > 0) yield page;
}

/**
 * The same for a list that still grows: each page as soon as it is sure that it is one.
 *
 * @param list Its items, in their order.
 * @param sizeOf What each takes up.
 * @throws What the list failed with.
 */
export async function* pagesOfGrowing<T>(
  list: GrowingList<T>,
  sizeOf: (item: T) => PageItem,
): AsyncGenerator<T[]> {
  const pages = pagesOf(list.items, sizeOf);
  for (let taken = 0;;) {
    // A page, and behind it a group that may or may not belong to the next.
    await list.reach(taken + 2 * (BATCH_ITEMS_MAX + 1));
    const next = pages.next();
    if (next.done === true) return;
    taken += next.value.length;
    yield next.value;
  }
}

/** What items take up. */
interface Used {
  readonly items: number;
  readonly bytes: number;
  readonly chars: number;
}

const NOTHING: Used = { items: 0, bytes: 0, chars: 0 };

function plus({ items, bytes, chars }: Used, item: PageItem): Used {
  return {
    items: items + 1,
    bytes: bytes + (item.bytes ?? 0),
    chars: chars + charsOf(item.path),
  };
}

function fits({ items, bytes, chars }: Used): boolean {
  return items <= BATCH_ITEMS_MAX && bytes <= BATCH_BYTES_MAX && chars <= PATHS_MAX_CHARS;
}

/** Whether a group would be cut here that one page of its own would hold. */
function splits(used: Used, group: Used): boolean {
  const items = used.items + group.items;
  const all = { items, bytes: used.bytes + group.bytes, chars: used.chars + group.chars };
  return fits(group) && !fits(all);
}

/** What a group takes up; no more than one page and one item. */
function groupFrom<T>(items: readonly T[], index: number, sizeOf: (item: T) => PageItem): Used {
  let used = NOTHING;
  let group: string | undefined;
  for (let at = index; fits(used); at++) {
    const item = items[at];
    if (item === undefined) break;
    const size = sizeOf(item);
    group ??= size.group;
    if (size.group !== group) break;
    used = plus(used, size);
  }
  return used;
}

/** Characters of a path, with what separates its components. */
export function charsOf(path: readonly string[]): number {
  return path.reduce((chars, name) => chars + name.length + 1, 0);
}
