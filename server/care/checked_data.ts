/**
 * The data that is cared for: its folders and its database, beside a running server or without one.
 *
 * @module
 */

import { join } from "node:path";
import type { Catalog } from "../store/catalog.ts";
import type { CareCatalog } from "../store/catalog_care.ts";

/** Records that are read at a time. */
export const PAGE_MAX = 1000;

/** Where the files are. */
export interface DataFolders {
  readonly homes: string;
  readonly parts: string;
  readonly trash: string;
}

/** See the module. */
export interface CheckedData {
  /** Its folders. */
  readonly folders: DataFolders;
  /** Its database. */
  readonly catalog: Catalog;
  /** The same database. */
  readonly care: CareCatalog;
}

/**
 * The folders of a data folder. They may be links that the administrator made; nothing below them may.
 *
 * @param data The data folder, with which a server has run.
 */
export function dataFolders(data: string): DataFolders {
  const folder = (name: string) => Deno.realPathSync(join(data, name));
  return { homes: folder("homes"), parts: folder("parts"), trash: folder("trash") };
}
