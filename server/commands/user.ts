/**
 * `trivetd user`: the accounts of a server.
 *
 * @module
 */

import type { CommandGroup } from "../../lib/term/command.ts";
import type { CommandContext } from "./context.ts";
import { userExportCommand } from "./user_export.ts";
import { userImportCommand } from "./user_import.ts";

/** See the module. */
export const userCommand: CommandGroup<CommandContext> = {
  name: "user",
  summary: "Export and import accounts",
  subcommands: [userExportCommand, userImportCommand],
};
