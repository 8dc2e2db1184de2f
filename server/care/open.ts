/**
 * Opens the data for commands that care for it, with the lock of the data folder if no server has it.
 *
 * @module
 */

import { join } from "node:path";
import { lockDataFolder } from "../data_folder.ts";
import { openData } from "../commands/open_data.ts";
import type { CommandContext } from "../commands/context.ts";
import { FolderDepot } from "../netdisk/folder_depot.ts";
import { SqliteCare } from "../store/sqlite_care.ts";
import { type CheckedData, dataFolders } from "./checked_data.ts";
import type { RepairedData } from "./repair.ts";

/** The open data. */
export interface OpenCheckedData extends CheckedData, AsyncDisposable {
  /** The same with its lock; null while a server uses it, so that it changes under our eyes. */
  readonly repairable: RepairedData | null;
}

/**
 * Opens the data folder that a command names, or the default one.
 *
 * @param context The command's.
 * @param values Its options.
 * @throws {TrivetError} `NOT_FOUND` when there is none.
 */
export async function openCheckedData(
  context: CommandContext,
  values: { readonly data: string | undefined },
): Promise<OpenCheckedData> {
  await using stack = new AsyncDisposableStack();
  const { path, catalog } = stack.use(await openData(context, values));
  const lock = await lockDataFolder(path);
  if (lock !== null) stack.use(lock);
  const care = stack.adopt(SqliteCare.open(join(path, "trivet.db")), (opened) => opened.close());
  const data = { catalog, care, folders: dataFolders(path) };
  // Which names are taken matters to nothing that a repair does.
  const repairable = lock === null ? null : { ...data, depot: FolderDepot.open(path) };
  const held = stack.move();
  return {
    ...data,
    repairable,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/**
 * Opens the data folder for commands that only read files: without its lock, so that a server may
 * start meanwhile.
 *
 * @param context The command's.
 * @param values Its options.
 * @throws {TrivetError} `NOT_FOUND` when there is none.
 */
export async function openScrubbedData(
  context: CommandContext,
  values: { readonly data: string | undefined },
): Promise<Pick<CheckedData, "folders" | "care"> & AsyncDisposable> {
  await using data = await openData(context, values);
  const folders = dataFolders(data.path);
  const care = SqliteCare.open(join(data.path, "trivet.db"));
  return { folders, care, [Symbol.asyncDispose]: () => care.close() };
}
