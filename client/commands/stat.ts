/**
 * `trivet stat`: shows one file or folder.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import { formatBytes } from "../../lib/term/format.ts";
import { type ClientContext, remotePattern } from "./context.ts";

/** See the module. */
export const statCommand = defineCommand({
  name: "stat",
  summary: "Show everything about files and folders",
  description:
    "With --json, one path is one object; several paths or a pattern are a list, entries.",
  options: {},
  arguments: {
    path: { help: "Files, folders or patterns, as for ls", variadic: true, completes: "remote" },
  },
  run: async (context: ClientContext, invocation) => {
    const { hasGlob } = await import("../../lib/netdisk/glob.ts");
    const { checkRemotePaths, expandRemote } = await import("../remote_glob.ts");
    const asked = invocation.arguments.path.map((path) => remotePattern(context, path));
    checkRemotePaths(asked);
    const { openClient } = await import("./access.ts");
    const { formatMode, jsonEntry } = await import("./entries.ts");
    const { renderTable } = await import("../../lib/term/table.ts");
    await using client = await openClient(context);
    const { output, signal } = context;
    const shown = [];
    for (const { path, entry: known } of await expandRemote(client, asked, signal)) {
      const entry = known ?? await client.stat(path, signal);
      const rows = [
        ["path", path],
        ["type", entry.type],
        ["size", `${entry.size} bytes (${formatBytes(entry.size)})`],
        ["modified", new Date(entry.mtimeMs).toISOString()],
        ["mode", formatMode(entry)],
        ["etag", entry.etag ?? "-"],
      ];
      if (shown.length > 0) output.line("");
      for (const line of renderTable([{}, {}], rows)) output.line(line);
      shown.push({ path, ...jsonEntry(entry) });
    }
    const [only] = shown;
    const isOne = asked.length === 1 && asked[0] !== undefined && !hasGlob(asked[0]);
    output.json(isOne ? only : { entries: shown });
  },
});
