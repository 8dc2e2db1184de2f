/**
 * `trivet cat`: writes files to stdout.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import { type ClientContext, remotePattern } from "./context.ts";

/** See the module. */
export const catCommand = defineCommand({
  name: "cat",
  summary: "Write files to stdout, one after the other",
  options: {},
  arguments: {
    remote: {
      help: "Files on the server; patterns too, as for ls",
      variadic: true,
      completes: "remote",
    },
  },
  run: async (context: ClientContext, invocation) => {
    const { catFiles } = await import("./move.ts");
    const paths = invocation.arguments.remote.map((path) => remotePattern(context, path));
    await catFiles(context, paths);
  },
});
