/**
 * Waiting until the disk holds a database's write-ahead log. SQLite itself would hold up the whole event
 * loop for that; here a thread waits, and everybody who asks meanwhile shares the next wait. A log that
 * a checkpoint begins anew loses nothing: SQLite syncs what it copies before.
 *
 * @module
 */

import type { TrivetError } from "../../lib/errors.ts";
import { asCatalogError } from "./sqlite_errors.ts";

/** See the module. */
export class DurableLog {
  readonly #path: string;
  #file: Deno.FsFile | undefined;
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;
  /** Once the disk has failed nobody knows what it holds, whatever it says later. */
  #failure: TrivetError | undefined;

  /** Opens nothing yet: the log is there after the first transaction. */
  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Waits until the disk holds all that was committed before the call. Promises resolve in the order of
   * the calls.
   *
   * @throws {TrivetError} What the disk says; from then on always.
   */
  sync(): Promise<void> {
    if (this.#running === null) return this.#running = this.#run();
    const start = () => {
      this.#next = null;
      return this.#running = this.#run();
    };
    return this.#next ??= this.#running.then(start, start);
  }

  /** Closes the file; nothing may be under way. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  async #run(): Promise<void> {
    try {
      if (this.#failure !== undefined) throw this.#failure;
      this.#file ??= Deno.openSync(this.#path, { read: true, write: true });
      await this.#file.syncData().catch((cause) => {
        throw this.#failure = asCatalogError(cause);
      });
    } catch (error) {
      throw asCatalogError(error);
    } finally {
      if (this.#next === null) this.#running = null;
    }
  }
}
