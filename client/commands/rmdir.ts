/**
 * `trivet rmdir`: removes empty folders.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import type { ClientContext } from "./context.ts";

/** See the module. */
export const rmdirCommand = defineCommand({
  name: "rmdir",
  summary: "Remove empty folders",
  options: {},
  arguments: { path: { help: "The folders; patterns too, as for ls", variadic: true } },
  run: async (context: ClientContext, invocation) => {
    const { checkRemotePaths, expandRemote } = await import("../remote_glob.ts");
    checkRemotePaths(invocation.arguments.path);
    const { openClient } = await import("./access.ts");
    await using client = await openClient(context);
    const { output, signal } = context;
    const folders = [];
    for (const { path } of await expandRemote(client, invocation.arguments.path, signal)) {
      await client.rmdir(path, signal);
      folders.push(path);
      output.note(`Removed ${path}`);
    }
    output.json({ folders });
  },
});
