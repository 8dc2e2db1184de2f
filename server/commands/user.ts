/**
 * `trivetd user`: the accounts of a server, beside it while it runs or without it.
 *
 * @module
 */

import type { CommandGroup } from "../../lib/term/command.ts";
import type { CommandContext } from "./context.ts";
import { userAddCommand, userPasswdCommand } from "./user_add.ts";
import { userExportCommand } from "./user_export.ts";
import { userImportCommand } from "./user_import.ts";
import { userListCommand, userShowCommand } from "./user_list.ts";
import { userQuotaCommand } from "./user_quota.ts";
import { userRemoveCommand } from "./user_remove.ts";
import { userDisableCommand, userEnableCommand } from "./user_switch.ts";

/** See the module. */
export const userCommand: CommandGroup<CommandContext> = {
  name: "user",
  summary: "Add, list, change and remove accounts",
  description:
    "These work on the data folder, beside a running server or without one; what they change holds " +
    "at once.",
  examples: [
    { command: "trivetd user add ann --quota 50G", does: "Make an account; asks for a password" },
    { command: "trivetd user disable ann", does: "Log ann out everywhere and keep her out" },
  ],
  subcommands: [
    userAddCommand,
    userListCommand,
    userShowCommand,
    userPasswdCommand,
    userQuotaCommand,
    userDisableCommand,
    userEnableCommand,
    userRemoveCommand,
    userExportCommand,
    userImportCommand,
  ],
};
