/**
 * `trivet verify`: compares files here with those on the server.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import { type ClientContext, remotePath } from "./context.ts";

/** See the module. */
export const verifyCommand = defineCommand({
  name: "verify",
  summary: "Compare a file or folder here with one on the server",
  description:
    "Both sides are read and compared chunk by chunk, by digest; nothing is moved or changed. Lists " +
    "what is missing on the server, what is extra there, and where contents differ, and ends with " +
    "exit code 6 if there is anything to list.",
  examples: [
    { command: "trivet verify photos /photos", does: "Compare two folders and all in them" },
    { command: "trivet verify big.iso /", does: "Compare a file with the one of the same name" },
  ],
  options: {},
  arguments: {
    local: { help: "A file or folder here", completes: "local" },
    remote: {
      help: "The one on the server, or a folder there that has a file of the same name",
      completes: "remote",
    },
  },
  run: async (context: ClientContext, invocation) => {
    const { verify } = await import("./verifying.ts");
    const { local, remote } = invocation.arguments;
    return await verify(context, { local, remote: remotePath(context, remote) });
  },
});
