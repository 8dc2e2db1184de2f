/**
 * The data folder for commands that work beside a running server: the database has locks of its own,
 * so nothing here waits for the server or stops it.
 *
 * @module
 */

import { join } from "node:path";
import { TrivetError } from "../../lib/errors.ts";
import type { OptionTable } from "../../lib/term/command.ts";
import { SERVE_OPTIONS } from "../config.ts";
import { cannotUse, defaultDataFolder } from "../data_folder.ts";
import { SqliteCatalog } from "../store/sqlite_catalog.ts";
import type { CommandContext } from "./context.ts";

/** The option that every command with a data folder has. */
export const DATA_OPTION = { data: SERVE_OPTIONS.data } as const satisfies OptionTable;

/** An open data folder. */
export interface OpenData extends AsyncDisposable {
  /** The folder. */
  readonly path: string;
  /** Its database. */
  readonly catalog: SqliteCatalog;
}

/**
 * Opens the data folder that a command names, or the default one.
 *
 * @param context The command's.
 * @param values Its options.
 * @throws {TrivetError} `LOCAL_NOT_FOUND` when there is none: a wrong path must not make an empty one.
 */
export async function openData(
  context: CommandContext,
  values: { readonly data: string | undefined },
): Promise<OpenData> {
  const path = values.data ?? defaultDataFolder(context.env);
  const database = join(path, "trivet.db");
  try {
    await Deno.stat(database);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cannotUse(path, cause);
    throw new TrivetError(
      "LOCAL_NOT_FOUND",
      `"${path}" is no data folder: name one with --data, or let trivetd serve make it`,
      { cause },
    );
  }
  const catalog = SqliteCatalog.open(database);
  return { path, catalog, [Symbol.asyncDispose]: () => catalog.close() };
}
