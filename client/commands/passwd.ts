/**
 * `trivet passwd`: changes the password.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import type { ClientContext } from "./context.ts";

/** See the module. */
export const passwdCommand = defineCommand({
  name: "passwd",
  summary: "Change the password and end all other sessions",
  description:
    "The old password is asked for, whoever is logged in. Sessions of other machines end; this one " +
    "goes on, and so do tokens of trivet token. With --password-stdin or --password-file, the first " +
    "line is the old password and the second line the new one.",
  examples: [
    { command: "trivet passwd", does: "Change the password of whoever is logged in" },
    { command: "trivet passwd --password-stdin < both.txt", does: "The same in a script" },
  ],
  options: {},
  arguments: {},
  run: async (context: ClientContext) => {
    const { changeUserPassword } = await import("./account.ts");
    await changeUserPassword(context);
  },
});
