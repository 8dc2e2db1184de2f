/**
 * What a sync is asked and what it tells.
 *
 * @module
 */

import type { TreeOptions, TreeResult } from "./tree_types.ts";

/** Something that a sync does or would do. */
export interface SyncChange {
  /** `create`, `update`, `delete`, or `replace` for what becomes a file where a folder was, or the reverse. */
  readonly action: "create" | "update" | "delete" | "replace";
  /** Its path from the folder that is synced, with `/` between. */
  readonly path: string;
  /** What it is. */
  readonly type: "file" | "folder";
  /** Bytes; 0 for a folder. */
  readonly size: number;
}

/** Options of `NetdiskClient.sync`. */
export interface SyncTreesOptions extends Omit<TreeOptions, "overwrite"> {
  /** Whether the local folder becomes like the server's, not the other way round. */
  readonly pull?: boolean;
  /** Whether what the source does not have is deleted; on the server it goes into the trash. */
  readonly deletes?: boolean;
  /** Whether contents are compared, not sizes and times. */
  readonly checksum?: boolean;
  /** Only says what would be done. */
  readonly dryRun?: boolean;
  /** Patterns of what stays out, on both sides. */
  readonly exclude?: readonly string[];
  /** Whether local symbolic links are left out (`skip`, the default) or followed. */
  readonly links?: "skip" | "follow";
  /** Told what is to be done before anything is. */
  readonly onPlan?: (changes: readonly SyncChange[]) => void;
}

/** How a sync went. */
export interface SyncResult extends TreeResult {
  /** What was done, or would be with `dryRun`. */
  readonly changes: readonly SyncChange[];
  /** Files that were the same already. */
  readonly unchanged: number;
}
