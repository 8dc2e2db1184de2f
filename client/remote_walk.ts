/**
 * Walks a folder of the server and all below it, asking for the next folders while the caller still
 * works on this one, so that a tree of small folders does not cost a round trip for each.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";
import { formatPath, quoteName } from "../lib/netdisk/path.ts";
import type { ListPage, NetdiskEntry } from "./netdisk_types.ts";

/** Requests that are under way at a time; well below what one connection may have. */
const PAGES_IN_FLIGHT_MAX = 8;

/** Folders next in order for which the walk asks ahead. */
const AHEAD_MAX = 16;

/** Entries that may wait for the caller before the walk stops to ask ahead. */
const WAITING_ENTRIES_MAX = 50_000;

/** Where pages come from; `NetdiskClient` is such. */
export interface PageReader {
  /** One page of a folder. */
  listPage(
    path: string,
    options?: { readonly after?: string | undefined; readonly signal?: AbortSignal | undefined },
  ): Promise<ListPage>;
}

/** Something that a walk came by. */
export interface RemoteItem {
  /** Components from the home's root. */
  readonly path: readonly string[];
  /** What it is. */
  readonly entry: NetdiskEntry;
}

/** Options of {@linkcode walkRemote}. */
export interface RemoteWalkOptions {
  /** Levels to go down; 1 is the folder itself alone, all without it. */
  readonly depth?: number | undefined;
  /** Which entries count; what is left out is neither yielded nor entered. */
  readonly accepts?: ((item: RemoteItem) => boolean) | undefined;
  /** Which folders are entered, all without it; the others are yielded all the same. */
  readonly enters?: ((item: RemoteItem) => boolean) | undefined;
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
}

/** A page that is going to be asked for, or has been. */
interface Listing {
  readonly path: readonly string[];
  readonly after: string | undefined;
  answer?: Promise<ListPage>;
}

type Step = { readonly item: RemoteItem; readonly listing?: Listing } | {
  readonly item?: never;
  readonly listing: Listing;
};

/**
 * Walks a folder of the server.
 *
 * @param reader Where pages come from.
 * @param root The folder, which is not yielded itself.
 * @param options How deep, and what is left out.
 * @returns What is in it: siblings by name, each folder before what is in it. A folder that goes away
 * meanwhile ends with what was seen of it.
 * @throws {TrivetError} `NOT_FOUND` or `NOT_FOLDER` for the root, and what else listing throws.
 */
export async function* walkRemote(
  reader: PageReader,
  root: readonly string[],
  options: RemoteWalkOptions = {},
): AsyncGenerator<RemoteItem, void> {
  using walk = new Walk(reader, root, options);
  for (;;) {
    const item = await walk.next();
    if (item === undefined) return;
    yield item;
  }
}

class Walk implements Disposable {
  readonly #reader: PageReader;
  readonly #root: readonly string[];
  readonly #options: RemoteWalkOptions;
  readonly #given = new AbortController();
  readonly #signal: AbortSignal;
  /** What comes next, the last first. */
  readonly #steps: Step[] = [];
  /** The listings of these steps, in the same order. */
  readonly #listings: Listing[] = [];
  #inFlight = 0;
  #waitingEntries = 0;

  constructor(reader: PageReader, root: readonly string[], options: RemoteWalkOptions) {
    this.#reader = reader;
    this.#root = root;
    this.#options = options;
    const { signal } = options;
    this.#signal = signal === undefined
      ? this.#given.signal
      : AbortSignal.any([signal, this.#given.signal]);
    this.#push([{ listing: { path: root, after: undefined } }]);
  }

  /** The next entry; undefined at the end. */
  async next(): Promise<RemoteItem | undefined> {
    for (;;) {
      const step = this.#steps.pop();
      if (step === undefined) return undefined;
      if (step.item !== undefined) {
        // Only the entry is done: the folder's own page comes next.
        if (step.listing !== undefined) this.#steps.push({ listing: step.listing });
        return step.item;
      }
      await this.#open(step.listing);
    }
  }

  /** Answers that nobody waits for any more are not fetched to their end. */
  [Symbol.dispose](): void {
    this.#given.abort();
  }

  async #open(listing: Listing): Promise<void> {
    const { path } = listing;
    this.#start(listing);
    this.#askAhead();
    this.#listings.pop();
    const page = await this.#answerOf(listing);
    if (page === undefined) return;
    const items = page.entries
      .map((entry): RemoteItem => ({ path: [...path, entry.name], entry }))
      .filter((item) => this.#options.accepts?.(item) ?? true);
    const steps: Step[] = items.map((item) =>
      this.#isEntered(item) ? { item, listing: { path: item.path, after: undefined } } : { item }
    );
    const last = page.entries.at(-1);
    if (page.more && last !== undefined) steps.push({ listing: { path, after: last.name } });
    this.#push(steps);
    this.#askAhead();
  }

  async #answerOf(listing: Listing): Promise<ListPage | undefined> {
    const { path } = listing;
    const isRoot = path.length === this.#root.length;
    try {
      const page = await this.#start(listing);
      this.#waitingEntries -= page.entries.length;
      if (page.entry.type === "folder") return page;
      if (!isRoot) return undefined;
    } catch (error) {
      const isGone = error instanceof TrivetError &&
        (error.code === "NOT_FOUND" || error.code === "NOT_FOLDER");
      if (isGone && !isRoot) return undefined;
      throw error;
    }
    const shown = quoteName(formatPath(path));
    throw new TrivetError("NOT_FOLDER", `Cannot list ${shown}: it is not a folder`);
  }

  #isEntered(item: RemoteItem): boolean {
    const { depth = Infinity, enters } = this.#options;
    return item.entry.type === "folder" && item.path.length - this.#root.length < depth &&
      (enters?.(item) ?? true);
  }

  #push(steps: readonly Step[]): void {
    for (const step of steps.toReversed()) {
      this.#steps.push(step);
      if (step.listing !== undefined) this.#listings.push(step.listing);
    }
  }

  #askAhead(): void {
    for (const listing of this.#listings.slice(-AHEAD_MAX).reverse()) {
      if (this.#inFlight >= PAGES_IN_FLIGHT_MAX) return;
      if (this.#waitingEntries >= WAITING_ENTRIES_MAX) return;
      this.#start(listing);
    }
  }

  #start(listing: Listing): Promise<ListPage> {
    return listing.answer ??= this.#ask(listing);
  }

  #ask({ path, after }: Listing): Promise<ListPage> {
    this.#inFlight++;
    const answer = this.#reader.listPage(formatPath(path), { after, signal: this.#signal })
      .then((page) => {
        this.#waitingEntries += page.entries.length;
        return page;
      })
      .finally(() => {
        this.#inFlight--;
      });
    // Whoever comes to this page sees the failure; it may be that nobody does.
    answer.catch(() => {});
    return answer;
  }
}
