/**
 * `trivetd key`: the machine keys of a server, beside it while it runs or without it.
 *
 * @module
 */

import type { CommandGroup } from "../../lib/term/command.ts";
import type { CommandContext } from "./context.ts";
import { keyAddCommand } from "./key_add.ts";
import { keyListCommand, keyRevokeCommand } from "./key_list.ts";

/** See the module. */
export const keyCommand: CommandGroup<CommandContext> = {
  name: "key",
  summary: "Make, list and revoke machine keys",
  description:
    "A machine key admits a machine to the server before anybody logs in; it is no login. With " +
    "serve --require-key nobody gets further without one. These commands work on the data folder, " +
    "beside a running server or without one; what they change holds at once.",
  subcommands: [keyAddCommand, keyListCommand, keyRevokeCommand],
};
