/**
 * Opens the data for commands that care for it. Only a repair takes the lock of the data folder: a
 * server that wants to start must not have to wait for somebody who only looks.
 *
 * @module
 */

import { join } from "node:path";
import { TrivetError } from "../../lib/errors.ts";
import { lockDataFolder } from "../data_folder.ts";
import { openData } from "../commands/open_data.ts";
import type { CommandContext } from "../commands/context.ts";
import { FolderDepot } from "../netdisk/folder_depot.ts";
import { SqliteCare } from "../store/sqlite_care.ts";
import { type CheckedData, dataFolders } from "./checked_data.ts";
import type { RepairedData } from "./repair.ts";

/** The open data. */
export interface OpenCheckedData extends CheckedData, AsyncDisposable {
  /** Whether a server runs, or ran when the data was opened. */
  readonly isLive: boolean;
}

/** The open data, while nobody else uses it. */
export type OpenRepairedData = OpenCheckedData & RepairedData;

/**
 * Opens the data folder that a command names, or the default one. A server may start meanwhile.
 *
 * @param context The command's.
 * @param values Its options.
 * @throws {TrivetError} `LOCAL_NOT_FOUND` when there is none.
 */
export async function openCheckedData(
  context: CommandContext,
  values: { readonly data: string | undefined },
): Promise<OpenCheckedData> {
  await using stack = new AsyncDisposableStack();
  const { path, catalog } = stack.use(await openData(context, values));
  const lock = await lockDataFolder(path);
  const isLive = lock === null;
  lock?.[Symbol.dispose]();
  const care = stack.adopt(SqliteCare.open(join(path, "trivet.db")), (opened) => opened.close());
  const folders = dataFolders(path);
  const held = stack.move();
  return { catalog, care, folders, isLive, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

/**
 * Opens the data folder that a command names, or the default one, and keeps everybody else from it.
 *
 * @param context The command's.
 * @param values Its options.
 * @throws {TrivetError} `LOCAL_NOT_FOUND` when there is none, `SERVER_BUSY` while a server uses it.
 */
export async function openRepairedData(
  context: CommandContext,
  values: { readonly data: string | undefined },
): Promise<OpenRepairedData> {
  await using stack = new AsyncDisposableStack();
  const { path, catalog } = stack.use(await openData(context, values));
  const lock = await lockDataFolder(path);
  if (lock === null) {
    throw new TrivetError(
      "SERVER_BUSY",
      "Cannot repair: a server, or another repair, uses the data folder; stop it",
    );
  }
  stack.use(lock);
  const care = stack.adopt(SqliteCare.open(join(path, "trivet.db")), (opened) => opened.close());
  // Which names are taken matters to nothing that a repair does.
  const depot = FolderDepot.open(path);
  const folders = dataFolders(path);
  const held = stack.move();
  return {
    ...{ catalog, care, folders, depot, isLive: false },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/**
 * Opens the data folder for commands that only read files: without its lock, so that a server may
 * start meanwhile.
 *
 * @param context The command's.
 * @param values Its options.
 * @throws {TrivetError} `LOCAL_NOT_FOUND` when there is none.
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
