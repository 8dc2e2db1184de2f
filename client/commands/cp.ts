/**
 * `trivet cp`: copies files and folders on the server.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import { type ClientContext, remotePattern } from "./context.ts";

/** See the module. */
export const cpCommand = defineCommand({
  name: "cp",
  summary: "Copy files and folders on the server",
  description:
    "The server copies; nothing comes through this machine. When it is interrupted, files that were " +
    "copied whole stay. With --json, one path is one object; several paths or a pattern are a list, " +
    "copied.",
  examples: [
    { command: "trivet cp report.txt report-2.txt", does: "Copy a file" },
    { command: "trivet cp -r photos '*.txt' archive/", does: "Copy several into a folder" },
  ],
  options: {
    recursive: {
      kind: "boolean",
      short: "r",
      env: "TRIVET_RECURSIVE",
      help: "Folders too, with all in them",
    },
    replace: {
      kind: "boolean",
      env: "TRIVET_REPLACE",
      help: "Replace files that have the new paths, and copy into folders that do",
    },
  },
  arguments: {
    from: { help: "What is copied; patterns too, as for ls", variadic: true, completes: "remote" },
    to: {
      help: "The new path, or a folder that takes what is copied under its name",
      completes: "remote",
    },
  },
  run: async (context: ClientContext, { values, arguments: { from, to } }) => {
    const { formatBytes, formatCount } = await import("../../lib/term/format.ts");
    const { describeSpecial } = await import("../tree/left_out.ts");
    const { checkTargets, findTargets } = await import("./targets.ts");
    const typed = (path: string) => remotePattern(context, path);
    const targets = checkTargets(from.map(typed), typed(to));
    const { openClient } = await import("./access.ts");
    await using client = await openClient(context);
    const { output, signal } = context;
    const copied = [];
    for (const { path, to } of await findTargets(client, targets, signal)) {
      const result = await client.cp(path, to, { ...values, signal });
      const { files, folders, bytes, skipped } = result;
      const left = skipped === 0 ? "" : `; left out ${describeSpecial(skipped)}`;
      const what = `${formatCount(files, "file")}, ${formatBytes(bytes)}${left}`;
      output.note(`Copied ${path} to ${result.path}: ${what}`);
      copied.push({ from: path, to: result.path, files, folders, size_bytes: bytes, skipped });
    }
    output.json(targets.isOne ? copied[0] : { copied });
  },
});
