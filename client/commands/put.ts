/**
 * `trivet put`: uploads a file or stdin.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import type { ClientContext } from "./context.ts";
import { LINK_MODES } from "../tree/link_modes.ts";
import { TRANSFER_OPTIONS } from "./transfer_options.ts";

/** See the module. */
export const putCommand = defineCommand({
  name: "put",
  summary: "Upload files and folders",
  description:
    "An upload that was interrupted goes on when the same command is given again: what the server " +
    "holds is compared chunk by chunk with the file, so a file that has changed arrives as it is now.\n" +
    "Of several paths, the last one is where they go: a folder that exists. Symbolic links in folders " +
    "are left out, with a word, unless --links follow. End the path with a slash to say that it is a " +
    "folder, there or not, so that the same command means the same again.",
  examples: [
    { command: "trivet put big.iso", does: "Upload under the same name" },
    { command: "trivet put big.iso images/", does: "Upload into a folder" },
    { command: "trivet put -r photos", does: "Upload a folder" },
    { command: "trivet put a.txt b.txt notes/", does: "Upload files into a folder" },
    { command: "tar c photos | trivet put - photos.tar", does: "Upload a stream" },
  ],
  options: {
    ...TRANSFER_OPTIONS,
    links: {
      kind: "choice",
      choices: LINK_MODES,
      default: "skip",
      env: "TRIVET_LINKS",
      help: "Symbolic links in folders: leave out, or send what they lead to",
    },
  },
  arguments: {
    path: {
      help: 'Files and folders, or "-" for stdin; behind them where they go (default: the root)',
      variadic: true,
      completes: "local",
    },
  },
  run: async (context: ClientContext, invocation) => {
    const { putPaths } = await import("./move.ts");
    return await putPaths(context, invocation.arguments.path, invocation.values);
  },
});
