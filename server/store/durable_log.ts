/**
 * Waiting until the disk holds a database's write-ahead log. SQLite itself would hold up the whole event
 * loop for that; here a thread waits. A log that a checkpoint begins anew loses nothing: SQLite syncs
 * what it copies before.
 *
 * @module
 */

import type { TrivetError } from "../../lib/errors.ts";
import { asCatalogError } from "./sqlite_errors.ts";

/** Whoever knows when the disk holds a log. */
export interface LogSync {
  /** Waits until the disk holds all that was committed before the call. */
  sync(): Promise<void>;
  /** Nothing is asked any more. */
  close(): void;
}

/** For those who do not wait. */
export const NO_WAIT: LogSync = { sync: () => Promise.resolve(), close: () => {} };

/**
 * Has the disk hold the log of a database, and waits for it: for a start, when nobody is served yet.
 *
 * @param path The database.
 * @throws What the system says.
 */
export function syncLogNow(path: string): void {
  using file = Deno.openSync(logOf(path), { read: true, write: true });
  file.syncDataSync();
}

/** The log of a database. */
export function logOf(path: string): string {
  return `${path}-wal`;
}

/** See the module. */
export class DurableLog implements LogSync {
  readonly #path: string;
  #file: Deno.FsFile | undefined;
  /** Once the disk has failed nobody knows what it holds, whatever it says later. */
  #failure: TrivetError | undefined;

  /** Opens nothing yet: the log is there after the first transaction. */
  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Waits until the disk holds all that was committed before the call.
   *
   * @throws {TrivetError} What the disk says; from then on always.
   */
  async sync(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      this.#file ??= Deno.openSync(this.#path, { read: true, write: true });
    } catch (cause) {
      throw asCatalogError(cause);
    }
    try {
      await this.#file.syncData();
    } catch (cause) {
      throw this.#failure = asCatalogError(cause);
    }
  }

  /** Closes the file; nothing may be under way. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}
