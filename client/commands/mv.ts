/**
 * `trivet mv`: gives a file or folder another path.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import { type ClientContext, remotePath } from "./context.ts";

/** See the module. */
export const mvCommand = defineCommand({
  name: "mv",
  summary: "Rename or move a file or folder",
  examples: [
    { command: "trivet mv draft.txt report.txt", does: "Rename a file" },
    { command: "trivet mv report.txt archive/", does: "Move it into a folder" },
  ],
  options: {
    replace: {
      kind: "boolean",
      env: "TRIVET_REPLACE",
      help: "Replace a file that has the new path, instead of failing",
    },
  },
  arguments: {
    from: { help: "What is moved", completes: "remote" },
    to: { help: "The new path, or a folder that takes it under its name", completes: "remote" },
  },
  run: async (context: ClientContext, { values, arguments: paths }) => {
    const { formatPath, parsePath } = await import("../../lib/netdisk/path.ts");
    const source = formatPath(parsePath(remotePath(context, paths.from)));
    const to = remotePath(context, paths.to);
    parsePath(to);
    const { openClient } = await import("./access.ts");
    await using client = await openClient(context);
    const { output, signal } = context;
    const target = await client.mv(source, to, { replace: values.replace, signal });
    output.note(`Moved ${source} to ${target}`);
    output.json({ from: source, to: target });
  },
});
