/**
 * The catalog's part in publishing many small files at once: one intent for all of them.
 *
 * @module
 */

import type { Durability } from "./catalog.ts";

/** A file of a batch, as it is about to be published. */
export interface BatchFileIntent {
  /** Which file of the batch; its part is called `<batch id>-<index>`. */
  readonly index: number;
  /** The final path, as the depot chose it. */
  readonly path: readonly string[];
  /** Size of the file in bytes. */
  readonly size: number;
  /** Bytes of the file that will be replaced; 0 if none. */
  readonly replacedBytes: number;
  /** 1 if a file will be replaced, else 0. */
  readonly replacedFiles: number;
}

/** What is about to be published. */
export interface BatchRecord {
  /** Id of the batch. */
  readonly id: string;
  /** Whose files. */
  readonly user: string;
  /** The files. */
  readonly files: readonly BatchFileIntent[];
}

/** Batches of small files; part of `Catalog`. */
export interface BatchCatalog {
  /**
   * Writes the intent down and reserves the bytes of all files. `commit` waits for the disk. Throws
   * `QUOTA_EXCEEDED` with `need_bytes` and `have_bytes`, and `NOT_FOUND` when the user does not exist.
   */
  beginBatch(batch: BatchRecord & { readonly durability: Durability }): Promise<void>;
  /**
   * The batch is over: keeps what the files with these indices take, in place of what they replaced,
   * and releases the rest. A batch that is not there is no error.
   */
  finishBatch(id: string, published: ReadonlySet<number>): Promise<void>;
  /** Batches that are not over, in order of their ids. */
  listBatches(limit: number): Promise<BatchRecord[]>;
}
