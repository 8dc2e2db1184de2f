/**
 * `trivet put`: uploads a file or stdin.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import { type ClientContext, remotePath } from "./context.ts";
import { TRANSFER_OPTIONS } from "./transfer_options.ts";

/** See the module. */
export const putCommand = defineCommand({
  name: "put",
  summary: "Upload a file",
  description:
    "An upload that was interrupted goes on when the same command is given again: what the server " +
    "holds is compared chunk by chunk with the file, so a file that has changed arrives as it is now.",
  examples: [
    { command: "trivet put big.iso", does: "Upload under the same name" },
    { command: "trivet put big.iso images/", does: "Upload into a folder" },
    { command: "tar c photos | trivet put - photos.tar", does: "Upload a stream" },
  ],
  options: TRANSFER_OPTIONS,
  arguments: {
    local: { help: 'The file, or "-" for stdin', completes: "local" },
    remote: {
      help: "Where it goes (default: the root, under the same name)",
      optional: true,
      completes: "remote",
    },
  },
  run: async (context: ClientContext, invocation) => {
    const { putFile } = await import("./move.ts");
    const { local } = invocation.arguments;
    const remote = remotePath(context, invocation.arguments.remote ?? "");
    await putFile(context, { local, remote, ...invocation.values });
  },
});
