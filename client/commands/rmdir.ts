/**
 * `trivet rmdir`: removes empty folders.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import { type ClientContext, remotePath } from "./context.ts";

/** See the module. */
export const rmdirCommand = defineCommand({
  name: "rmdir",
  summary: "Remove empty folders",
  options: {},
  arguments: { path: { help: "The folders", variadic: true, completes: "remote-folder" } },
  run: async (context: ClientContext, invocation) => {
    const { formatPath, parsePath } = await import("../../lib/netdisk/path.ts");
    const paths = invocation.arguments.path.map((path) =>
      formatPath(parsePath(remotePath(context, path)))
    );
    const { openClient } = await import("./access.ts");
    await using client = await openClient(context);
    for (const path of paths) {
      await client.rmdir(path, context.signal);
      context.output.note(`Removed ${path}`);
    }
    context.output.json({ folders: paths });
  },
});
