/**
 * `trivet cat`: writes a file to stdout.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import { type ClientContext, remotePath } from "./context.ts";

/** See the module. */
export const catCommand = defineCommand({
  name: "cat",
  summary: "Write a file to stdout",
  options: {},
  arguments: { remote: { help: "The file on the server", completes: "remote" } },
  run: async (context: ClientContext, invocation) => {
    const { catFile } = await import("./move.ts");
    await catFile(context, remotePath(context, invocation.arguments.remote));
  },
});
