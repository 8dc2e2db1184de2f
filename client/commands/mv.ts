/**
 * `trivet mv`: gives a file or folder another path.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import { type ClientContext, remotePattern } from "./context.ts";

/** See the module. */
export const mvCommand = defineCommand({
  name: "mv",
  summary: "Rename or move files and folders",
  description: "With --json, one path is one object; several paths or a pattern are a list, moved.",
  examples: [
    { command: "trivet mv draft.txt report.txt", does: "Rename a file" },
    { command: "trivet mv report.txt archive/", does: "Move it into a folder" },
    { command: "trivet mv '*.jpg' notes.txt archive/", does: "Move several" },
  ],
  options: {
    replace: {
      kind: "boolean",
      env: "TRIVET_REPLACE",
      help: "Replace a file that has the new path, instead of failing",
    },
  },
  arguments: {
    from: { help: "What is moved; patterns too, as for ls", variadic: true, completes: "remote" },
    to: {
      help: "The new path, or a folder that takes what is moved under its name",
      completes: "remote",
    },
  },
  run: async (context: ClientContext, { values, arguments: { from, to } }) => {
    const { checkTargets, findTargets } = await import("./targets.ts");
    const typed = (path: string) => remotePattern(context, path);
    const targets = checkTargets(from.map(typed), typed(to));
    const { openClient } = await import("./access.ts");
    await using client = await openClient(context);
    const { output, signal } = context;
    const moved = [];
    for (const { path, to } of await findTargets(client, targets, signal)) {
      const target = await client.mv(path, to, { replace: values.replace, signal });
      output.note(`Moved ${path} to ${target}`);
      moved.push({ from: path, to: target });
    }
    output.json(targets.isOne ? moved[0] : { moved });
  },
});
