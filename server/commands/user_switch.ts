/**
 * `trivetd user disable` and `trivetd user enable`.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import type { CommandContext } from "./context.ts";
import { DATA_OPTION, openData } from "./open_data.ts";
import { accountJson } from "./user_account.ts";

/** See the module. */
export const userDisableCommand = defineCommand({
  name: "disable",
  summary: "Refuse an account's logins, and end its sessions",
  description:
    "Open connections are closed. Files stay. Access tokens are refused as well; they work again " +
    "after trivetd user enable, sessions do not.",
  options: DATA_OPTION,
  arguments: { name: { help: "Name of the account" } },
  run: async (context: CommandContext, { values, arguments: { name } }) => {
    await using data = await openData(context, values);
    const user = await data.catalog.setDisabled(name, true);
    context.output.note(`"${name}" cannot log in any more; its sessions have ended`);
    context.output.json(accountJson(user));
  },
});

/** See the module. */
export const userEnableCommand = defineCommand({
  name: "enable",
  summary: "Allow an account's logins again",
  options: DATA_OPTION,
  arguments: { name: { help: "Name of the account" } },
  run: async (context: CommandContext, { values, arguments: { name } }) => {
    await using data = await openData(context, values);
    const user = await data.catalog.setDisabled(name, false);
    context.output.note(`"${name}" can log in again`);
    context.output.json(accountJson(user));
  },
});
