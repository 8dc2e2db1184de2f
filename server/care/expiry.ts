/**
 * Removes what nobody comes back for: partial uploads that were not touched for long, and what has
 * been in the trash for long.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { ActiveUploads } from "../netdisk/active_uploads.ts";
import { emptyItem } from "../netdisk/trash.ts";
import type { Stores } from "../store/recovery.ts";

/** How long partial uploads are kept, in milliseconds. */
export const KEEP_PARTIALS_MS = 7 * 24 * 60 * 60 * 1000;

/** How long the trash is kept, in milliseconds. */
export const KEEP_TRASH_MS = 30 * 24 * 60 * 60 * 1000;

/** Between two rounds, in milliseconds. */
const ROUND_MS = 60 * 60 * 1000;

/** Most uploads, and most items of the trash, that one round removes. */
export const ROUND_MAX = 1000;

/** Records that are read at a time. */
const PAGE_MAX = 100;

/** What an {@linkcode Expiry} works with. */
export interface ExpiryStores extends Stores {
  /** Which uploads are in use. */
  readonly activeUploads: ActiveUploads;
}

/** Options of {@linkcode Expiry}. */
export interface ExpiryOptions {
  /** How long partial uploads are kept; 0 is for ever. */
  readonly keepPartialsMs?: number;
  /** How long the trash is kept; 0 is for ever. */
  readonly keepTrashMs?: number;
  /** The clock, in milliseconds since 1970; that of the catalog. */
  readonly now?: () => number;
}

/** What a round removed. */
export interface ExpiryRound {
  /** Partial uploads. */
  partials: number;
  /** Items of the trash. */
  trash: number;
  /** What could not be removed; the next round tries again. */
  failed: number;
}

const log = getLogger(["trivet", "server"]);

/** Removes what is too old, at once and then every hour, until it is disposed of. */
export class Expiry implements AsyncDisposable {
  /** The round that is under way, or the last one. */
  round: Promise<ExpiryRound>;
  readonly #stores: ExpiryStores;
  readonly #options: ExpiryOptions;
  readonly #end = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(stores: ExpiryStores, options: ExpiryOptions = {}) {
    this.#stores = stores;
    this.#options = options;
    this.round = this.#run();
    this.#timer = setInterval(() => {
      this.round = this.round.then(() => this.#run());
    }, ROUND_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#end.abort();
    await this.round;
  }

  async #run(): Promise<ExpiryRound> {
    const { keepPartialsMs = KEEP_PARTIALS_MS, keepTrashMs = KEEP_TRASH_MS } = this.#options;
    const nowMs = (this.#options.now ?? Date.now)();
    const round = { partials: 0, trash: 0, failed: 0 };
    try {
      if (keepPartialsMs > 0) await this.#removePartials(nowMs - keepPartialsMs, round);
      if (keepTrashMs > 0) await this.#emptyTrash(nowMs - keepTrashMs, round);
    } catch (error) {
      log.error("Cannot look for what is too old: {error}", { error });
    }
    if (round.partials + round.trash + round.failed > 0) {
      log.info(
        "Removed {partials} partial uploads and {trash} items of the trash by age; {failed} failed",
        { ...round },
      );
    }
    return round;
  }

  async #removePartials(untouchedSinceMs: number, round: ExpiryRound): Promise<void> {
    const { catalog, depot, activeUploads } = this.#stores;
    const query = { state: "open", touchedBeforeMs: untouchedSinceMs, limit: PAGE_MAX } as const;
    for (let after = "";;) {
      const page = await catalog.listUploads({ ...query, after });
      for (const { id } of page) {
        if (this.#end.signal.aborted || round.partials === ROUND_MAX) return;
        if (activeUploads.has(id)) continue;
        const work = async () => {
          if (!await catalog.discardUpload(id, { untouchedSinceMs })) return;
          await depot.removePart(id);
          round.partials++;
        };
        await this.#try(work, round);
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE_MAX) return;
      after = last.id;
    }
  }

  async #emptyTrash(deletedBeforeMs: number, round: ExpiryRound): Promise<void> {
    const states = ["kept", "emptying"] as const;
    for (let after = "";;) {
      const page = await this.#stores.catalog.listTrash({ states, after, limit: PAGE_MAX });
      for (const item of page) {
        // Ids sort by time: what comes now is younger still.
        if (item.deletedAtMs >= deletedBeforeMs) return;
        if (this.#end.signal.aborted || round.trash === ROUND_MAX) return;
        const work = async () => {
          if (await emptyItem(this.#stores, item)) round.trash++;
        };
        await this.#try(work, round);
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE_MAX) return;
      after = last.id;
    }
  }

  async #try(work: () => Promise<void>, round: ExpiryRound): Promise<void> {
    try {
      await work();
    } catch (error) {
      round.failed++;
      log.warning("Cannot remove what is too old: {error}", { error });
    }
  }
}
