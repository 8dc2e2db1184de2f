/**
 * `trivet df`: shows the quota and what takes it up.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import type { ClientContext } from "./context.ts";

/** See the module. */
export const dfCommand = defineCommand({
  name: "df",
  summary: "Show the quota and what takes it up",
  options: {},
  arguments: {},
  run: async (context: ClientContext) => {
    const { openClient } = await import("./access.ts");
    const { formatBytes } = await import("../../lib/term/format.ts");
    const { renderTable } = await import("../../lib/term/table.ts");
    await using client = await openClient(context);
    const usage = await client.df(context.signal);
    const { quotaBytes, usedBytes, partialBytes, trashBytes, usedFiles, quotaFiles } = usage;
    const freeBytes = Math.max(quotaBytes - usedBytes, 0);
    const rows = [
      ["quota", quotaBytes],
      ["used", usedBytes],
      ["  in the trash", trashBytes],
      ["  partial uploads", partialBytes],
      ["free", freeBytes],
    ] as const;
    const lines = rows.map(([name, bytes]): string[] => [name, formatBytes(bytes)]);
    if (quotaFiles !== undefined) {
      lines.push(["quota in files", String(quotaFiles)], ["files used", String(usedFiles)]);
    }
    for (const line of renderTable([{}, { align: "right" }], lines)) context.output.line(line);
    context.output.json({
      quota_bytes: quotaBytes,
      used_bytes: usedBytes,
      trash_bytes: trashBytes,
      partial_bytes: partialBytes,
      free_bytes: freeBytes,
      ...(quotaFiles === undefined ? {} : { quota_files: quotaFiles, used_files: usedFiles }),
    });
  },
});
