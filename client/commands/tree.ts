/**
 * `trivet tree`: draws a folder and all below it.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import { type ClientContext, remotePath } from "./context.ts";

/** See the module. */
export const treeCommand = defineCommand({
  name: "tree",
  summary: "Draw a folder and all below it",
  description: "Names that begin with a dot are left out without --all.",
  examples: [{ command: "trivet tree --depth 2 photos", does: "Draw two levels of a folder" }],
  options: {
    all: {
      kind: "boolean",
      short: "a",
      env: "TRIVET_ALL",
      help: "Show names that begin with a dot too",
    },
    depth: {
      kind: "integer",
      valueName: "N",
      short: "d",
      env: "TRIVET_DEPTH",
      min: 1,
      help: "Levels to go down (default: all)",
    },
  },
  arguments: {
    path: { help: "The folder (default: the root)", optional: true, completes: "remote-folder" },
  },
  run: async (context: ClientContext, { values, arguments: { path = "" } }) => {
    const { formatPath, parsePath } = await import("../../lib/netdisk/path.ts");
    const root = parsePath(remotePath(context, path));
    const { openClient } = await import("./access.ts");
    const { isHidden, jsonItem, treeLines } = await import("./entries.ts");
    const { formatCount } = await import("../../lib/term/format.ts");
    const { walkRemote } = await import("../remote_walk.ts");
    await using client = await openClient(context);
    const { output, signal } = context;
    const walk = walkRemote(client, root, {
      depth: values.depth,
      accepts: ({ entry: { name } }) => values.all || !isHidden(name),
      signal,
    });
    // Whether a branch goes on is known at its end only.
    const items = await Array.fromAsync(walk);
    const folders = items.filter(({ entry }) => entry.type === "folder").length;
    const files = items.length - folders;
    output.line(formatPath(root));
    for (const line of treeLines(items, root.length)) output.line(line);
    output.line("");
    output.line(`${formatCount(folders, "folder")}, ${formatCount(files, "file")}`);
    output.json({ path: formatPath(root), folders, files, entries: items.map(jsonItem) });
  },
});
