/**
 * `trivet mkdir`: makes folders.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import { type ClientContext, remotePath } from "./context.ts";

/** See the module. */
export const mkdirCommand = defineCommand({
  name: "mkdir",
  summary: "Make folders",
  options: {
    parents: {
      kind: "boolean",
      short: "p",
      env: "TRIVET_PARENTS",
      help: "Make the folders above them too; a folder that exists is no error",
    },
  },
  arguments: { path: { help: "The folders", variadic: true, completes: "remote-folder" } },
  run: async (context: ClientContext, invocation) => {
    const { formatPath, parsePath } = await import("../../lib/netdisk/path.ts");
    const paths = invocation.arguments.path.map((path) =>
      formatPath(parsePath(remotePath(context, path)))
    );
    const { openClient } = await import("./access.ts");
    await using client = await openClient(context);
    const { output, signal } = context;
    const { parents } = invocation.values;
    const folders = [];
    for (const path of paths) {
      const created = await client.mkdir(path, { parents, signal });
      folders.push({ path, created });
      output.note(created ? `Made ${path}` : `${path} was there`);
    }
    output.json({ folders });
  },
});
