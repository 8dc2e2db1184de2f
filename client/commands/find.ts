/**
 * `trivet find`: finds files and folders by their names.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import { type ClientContext, remotePath } from "./context.ts";

/** See the module. */
export const findCommand = defineCommand({
  name: "find",
  summary: "Find files and folders by their names",
  description:
    "The pattern is for the name, wherever it stands; with a slash in it, for the path below the " +
    "folder. * and ? match in a name, ** any folders, [a-z] and {a,b} alternatives. Names that begin " +
    "with a dot are found like others.",
  examples: [
    { command: "trivet find '*.iso'", does: "Find all ISO files" },
    { command: "trivet find 'img/**/*.jpg' photos", does: "Find pictures below photos/img" },
  ],
  options: {
    type: {
      kind: "choice",
      choices: ["file", "folder"],
      env: "TRIVET_TYPE",
      help: "Only files or only folders",
    },
    "ignore-case": {
      kind: "boolean",
      short: "i",
      env: "TRIVET_IGNORE_CASE",
      help: "Take upper and lower case as the same",
    },
  },
  arguments: {
    pattern: { help: "The name, or a pattern" },
    path: {
      help: "Where to begin (default: the root)",
      optional: true,
      completes: "remote-folder",
    },
  },
  run: async (context: ClientContext, { values, arguments: { pattern, path = "" } }) => {
    const { formatPath, parsePath } = await import("../../lib/netdisk/path.ts");
    const { parseGlob } = await import("../../lib/netdisk/glob.ts");
    const root = parsePath(remotePath(context, path));
    const glob = parseGlob(pattern.includes("/") ? pattern : `**/${pattern}`, {
      dot: true,
      ignoreCase: values["ignore-case"],
    });
    const { openClient } = await import("./access.ts");
    const { jsonItem } = await import("./entries.ts");
    const { walkRemote } = await import("../remote_walk.ts");
    await using client = await openClient(context);
    const { output, signal } = context;
    const below = (at: readonly string[]) => at.slice(root.length);
    const walk = walkRemote(client, root, {
      enters: ({ path: at }) => glob.reaches(below(at)),
      signal,
    });
    const found = [];
    for await (const item of walk) {
      if (values.type !== undefined && item.entry.type !== values.type) continue;
      if (!glob.matches(below(item.path))) continue;
      output.line(formatPath(item.path));
      // Nobody else needs to keep them.
      if (output.isJson) found.push(jsonItem(item));
    }
    output.json({ path: formatPath(root), found });
  },
});
