/**
 * `trivet register`: makes an account.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import type { ClientContext } from "./context.ts";

/** See the module. */
export const registerCommand = defineCommand({
  name: "register",
  summary: "Make an account on a server",
  description:
    "The server learns neither the password nor anything from which it can be read. On a server " +
    "that was never seen, you are shown its fingerprint first; without a terminal, pass --fingerprint.",
  examples: [
    { command: "trivet register ann", does: "Make an account on this machine's server" },
    {
      command: "trivet register ann --server disk.lan --password-stdin < password.txt",
      does: "The same elsewhere, in a script",
    },
  ],
  options: {
    invite: {
      kind: "string",
      valueName: "CODE",
      env: "TRIVET_INVITE",
      help: "Invite of the administrator, for a server where registration is closed",
    },
  },
  arguments: { name: { help: "Name of the account" } },
  run: async (context: ClientContext, invocation) => {
    const { registerUser } = await import("./account.ts");
    await registerUser(context, invocation.arguments.name, invocation.values);
  },
});
