/**
 * `trivet rmdir`: removes empty folders.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import { type ClientContext, remotePattern } from "./context.ts";

/** See the module. */
export const rmdirCommand = defineCommand({
  name: "rmdir",
  summary: "Remove empty folders",
  options: {},
  arguments: {
    path: {
      help: "The folders; patterns too, as for ls",
      variadic: true,
      completes: "remote-folder",
    },
  },
  run: async (context: ClientContext, invocation) => {
    const { checkRemotePaths, expandRemote } = await import("../remote_glob.ts");
    const paths = invocation.arguments.path.map((path) => remotePattern(context, path));
    checkRemotePaths(paths);
    const { openClient } = await import("./access.ts");
    await using client = await openClient(context);
    const { output, signal } = context;
    const folders = [];
    for (const { path } of await expandRemote(client, paths, signal)) {
      await client.rmdir(path, signal);
      folders.push(path);
      output.note(`Removed ${path}`);
    }
    output.json({ folders });
  },
});
