/**
 * `trivet get`: downloads a file.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import { type ClientContext, remotePath } from "./context.ts";
import { TRANSFER_OPTIONS } from "./transfer_options.ts";

/** See the module. */
export const getCommand = defineCommand({
  name: "get",
  summary: "Download a file",
  description:
    'Until it is whole, the file is called ".NAME.trivet-part". A download that was interrupted goes ' +
    "on when the same command is given again, once what is there has been verified.",
  examples: [
    { command: "trivet get big.iso", does: "Download into this folder" },
    { command: "trivet get big.iso copy.iso", does: "Download under another name" },
    { command: "trivet get photos.tar - | tar x", does: "Download to a pipe" },
  ],
  options: TRANSFER_OPTIONS,
  arguments: {
    remote: { help: "The file on the server", completes: "remote" },
    local: {
      help: 'Where it goes, or "-" for stdout (default: this folder)',
      optional: true,
      completes: "local",
    },
  },
  run: async (context: ClientContext, invocation) => {
    const { catFile, getFile } = await import("./move.ts");
    const { local } = invocation.arguments;
    const remote = remotePath(context, invocation.arguments.remote);
    if (local === "-") return await catFile(context, remote);
    await getFile(context, { local, remote, ...invocation.values });
  },
});
