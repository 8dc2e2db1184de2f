/**
 * `trivet stat`: shows one file or folder.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import { formatBytes } from "../../lib/term/format.ts";
import { type ClientContext, remotePath } from "./context.ts";

/** See the module. */
export const statCommand = defineCommand({
  name: "stat",
  summary: "Show one file or folder",
  options: {},
  arguments: { path: { help: "The file or folder", completes: "remote" } },
  run: async (context: ClientContext, invocation) => {
    const { formatPath, parsePath } = await import("../../lib/netdisk/path.ts");
    const path = formatPath(parsePath(remotePath(context, invocation.arguments.path)));
    const { openClient } = await import("./access.ts");
    const { formatMode, jsonEntry } = await import("./entries.ts");
    const { renderTable } = await import("../../lib/term/table.ts");
    await using client = await openClient(context);
    const entry = await client.stat(path, context.signal);
    const rows = [
      ["path", path],
      ["type", entry.type],
      ["size", `${entry.size} bytes (${formatBytes(entry.size)})`],
      ["modified", new Date(entry.mtimeMs).toISOString()],
      ["mode", formatMode(entry)],
      ["etag", entry.etag ?? "-"],
    ];
    for (const line of renderTable([{}, {}], rows)) context.output.line(line);
    context.output.json({ path, ...jsonEntry(entry) });
  },
});
