/**
 * `trivet ls`: lists folders.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import type { NetdiskEntry } from "../netdisk_types.ts";
import { type ClientContext, remotePath } from "./context.ts";

/** See the module. */
export const lsCommand = defineCommand({
  name: "ls",
  summary: "List folders",
  examples: [
    { command: "trivet ls -l photos", does: "List a folder with sizes in bytes and times" },
  ],
  options: {
    long: {
      kind: "boolean",
      short: "l",
      env: "TRIVET_LONG",
      help: "Show type, permissions, size in bytes and time too",
    },
  },
  arguments: {
    path: {
      help: "Folders or files (default: the root)",
      optional: true,
      variadic: true,
      completes: "remote",
    },
  },
  run: async (context: ClientContext, invocation) => {
    const { formatPath, parsePath } = await import("../../lib/netdisk/path.ts");
    const asked = invocation.arguments.path;
    const paths = (asked.length === 0 ? [""] : asked).map((path) =>
      formatPath(parsePath(remotePath(context, path)))
    );
    const { openClient } = await import("./access.ts");
    const { jsonEntry, longLines } = await import("./entries.ts");
    await using client = await openClient(context);
    const { output, signal } = context;
    const listings = [];
    for (const [index, path] of paths.entries()) {
      const entries: NetdiskEntry[] = [];
      for await (const entry of client.list(path, signal)) entries.push(entry);
      listings.push({ path, entries: entries.map(jsonEntry) });
      if (paths.length > 1) output.line(`${index === 0 ? "" : "\n"}${path}:`);
      const names = entries.map(({ name }) => name);
      const lines = invocation.values.long ? longLines(entries) : names;
      for (const line of lines) output.line(line);
    }
    output.json({ listings });
  },
});
