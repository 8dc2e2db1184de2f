/**
 * `trivetd user remove`: an account with all that it has.
 *
 * The order is what makes it safe beside a running server and a crash: nobody can log in any more, then
 * the files are out of reach, then the account goes, then the files. Before the account is gone, the
 * command can be run again; afterwards the next start of the server deletes what is left. A later
 * account of the same name never finds the files, unless they were kept on purpose.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { defineCommand } from "../../lib/term/command.ts";
import { formatBytes } from "../../lib/term/format.ts";
import type { Depot } from "../netdisk/depot.ts";
import { FolderDepot } from "../netdisk/folder_depot.ts";
import type { Catalog } from "../store/catalog.ts";
import type { CommandContext } from "./context.ts";
import { DATA_OPTION, openData } from "./open_data.ts";
import { findAccount } from "./user_account.ts";

/** See the module. */
export const userRemoveCommand = defineCommand({
  name: "remove",
  summary: "Remove an account with its files, trash, sessions and tokens",
  description: "To keep somebody out and everything in place, use trivetd user disable.",
  options: {
    ...DATA_OPTION,
    "keep-home": {
      kind: "boolean",
      env: "TRIVETD_KEEP_HOME",
      help: "Leave the files; a later account of the same name gets them",
    },
    yes: { kind: "boolean", short: "y", env: "TRIVETD_YES", help: "Do not ask" },
  },
  arguments: { name: { help: "Name of the account" } },
  run: async (context: CommandContext, { values, arguments: { name } }) => {
    const { output } = context;
    const keepHome = values["keep-home"];
    await using data = await openData(context, values);
    const user = await findAccount(data.catalog, name);
    const what = keepHome ? "but not its files" : `with ${formatBytes(user.usedBytes)} of files`;
    if (!values.yes) await confirm(context, `Remove "${name}" for good, ${what}`);
    const depot = FolderDepot.open(data.path);
    const uploads = await removeAccount({ catalog: data.catalog, depot }, name, { keepHome });
    output.note(`Removed "${name}"`);
    if (keepHome) output.note(`Its files stay: a later account "${name}" gets them`);
    output.json({ user: name, home_kept: keepHome, uploads });
  },
});

/**
 * Removes an account.
 *
 * @param stores Catalog and depot of one data folder.
 * @param name Of the account.
 * @param options Whether its home stays.
 * @returns How many uploads were in progress.
 * @throws {TrivetError} `USER_NOT_FOUND`, or why files cannot be deleted.
 */
export async function removeAccount(
  stores: { readonly catalog: Catalog; readonly depot: Depot },
  name: string,
  options: { readonly keepHome: boolean },
): Promise<number> {
  const { catalog, depot } = stores;
  await catalog.setDisabled(name, true);
  await depot.setAsideHome(name, options);
  const uploads = await catalog.removeUser(name);
  for (const id of uploads) await depot.removePart(id);
  await depot.removeSetAside();
  return uploads.length;
}

async function confirm({ prompter }: CommandContext, question: string): Promise<void> {
  if (!prompter.canAsk) {
    throw new TrivetError("USAGE", "Nobody can be asked here: pass --yes to remove the account");
  }
  if (!await prompter.askYesNo(question, false)) {
    throw new TrivetError("INTERRUPTED", "Nothing was removed");
  }
}
