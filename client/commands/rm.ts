/**
 * `trivet rm`: moves files and folders into the trash.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import { type ClientContext, remotePattern } from "./context.ts";

/** See the module. */
export const rmCommand = defineCommand({
  name: "rm",
  summary: "Move files and folders into the trash",
  description:
    "What is in the trash counts against the quota until trivet trash empty; trivet trash restore " +
    "brings it back.",
  examples: [
    { command: "trivet rm -r old-photos", does: "Remove a folder and all in it" },
    { command: "trivet rm 'drafts/*.tmp'", does: "Remove what matches a pattern" },
  ],
  options: {
    recursive: {
      kind: "boolean",
      short: "r",
      env: "TRIVET_RECURSIVE",
      help: "Folders too, with all in them",
    },
  },
  arguments: {
    path: { help: "What goes; patterns too, as for ls", variadic: true, completes: "remote" },
  },
  run: async (context: ClientContext, invocation) => {
    const { checkRemotePaths, expandRemote, outermost } = await import("../remote_glob.ts");
    const paths = invocation.arguments.path.map((path) => remotePattern(context, path));
    checkRemotePaths(paths);
    const { openClient } = await import("./access.ts");
    await using client = await openClient(context);
    const { output, signal } = context;
    const { recursive } = invocation.values;
    const found = await expandRemote(client, paths, signal);
    const removed = [];
    for (const { path } of recursive ? outermost(found) : found) {
      const { removed: entries, trashId } = await client.rm(path, { recursive, signal });
      removed.push({ path, entries, trash_id: trashId });
      output.note(`Removed ${path}; trivet trash restore ${trashId} brings it back`);
    }
    output.json({ removed });
  },
});
