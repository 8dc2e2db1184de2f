/**
 * `trivet login`: exchanges the password for a session token.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import type { ClientContext } from "./context.ts";

/** See the module. */
export const loginCommand = defineCommand({
  name: "login",
  summary: "Log in; later commands need no password",
  description:
    "Server and account become the defaults of later commands. What is kept is a session token that " +
    "ends by itself, in a file that only you can read.",
  examples: [
    { command: "trivet login", does: "Log in again where you were last" },
    { command: "trivet login ann --server disk.lan", does: "Log in to a server of your network" },
  ],
  options: {},
  arguments: {
    name: { help: "Name of the account (default: that of the last login)", optional: true },
  },
  run: async (context: ClientContext, invocation) => {
    const { loginUser } = await import("./account.ts");
    await loginUser(context, invocation.arguments.name);
  },
});
