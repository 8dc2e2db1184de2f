/**
 * `trivet get`: downloads a file.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import type { ClientContext } from "./context.ts";
import { TRANSFER_OPTIONS } from "./transfer_options.ts";

/** See the module. */
export const getCommand = defineCommand({
  name: "get",
  summary: "Download files and folders",
  description:
    'Until it is whole, the file is called ".NAME.trivet-part". A download that was interrupted goes ' +
    "on when the same command is given again, once what is there has been verified.\n" +
    "Of several paths, the last one is where they go: a local folder that exists. Paths on the server " +
    "may be patterns; chat:ID is the file that a message of the chat carries.",
  examples: [
    { command: "trivet get big.iso", does: "Download into this folder" },
    { command: "trivet get big.iso copy.iso", does: "Download under another name" },
    { command: "trivet get -r photos", does: "Download a folder" },
    { command: "trivet get 'photos/*.jpg' .", does: "Download what matches a pattern" },
    { command: "trivet get chat:17", does: "Download what message 17 of the chat carries" },
    { command: "trivet get photos.tar - | tar x", does: "Download to a pipe" },
  ],
  options: TRANSFER_OPTIONS,
  arguments: {
    path: {
      help:
        'Files and folders on the server; behind them where they go, or "-" (default: this folder)',
      variadic: true,
      completes: "remote",
    },
  },
  run: async (context: ClientContext, invocation) => {
    const { getPaths } = await import("./move.ts");
    return await getPaths(context, invocation.arguments.path, invocation.values);
  },
});
