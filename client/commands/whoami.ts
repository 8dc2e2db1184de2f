/**
 * `trivet whoami`: who is logged in where, and what the account holds.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import { formatBytes } from "../../lib/term/format.ts";
import type { ClientContext } from "./context.ts";

/** See the module. */
export const whoamiCommand = defineCommand({
  name: "whoami",
  summary: "Show who is logged in, where, and how much room is left",
  options: {},
  arguments: {},
  run: async (context: ClientContext) => {
    const { openClient } = await import("./access.ts");
    await using client = await openClient(context);
    const account = await client.whoami(context.signal);
    const { user, usedBytes, quotaBytes, usedFiles, quotaFiles, scope } = account;
    const { output } = context;
    output.line(`${user} at ${client.server}`);
    output.line(`${formatBytes(usedBytes)} of ${formatBytes(quotaBytes)} used`);
    if (quotaFiles !== undefined) output.line(`${usedFiles} of ${quotaFiles} files used`);
    output.json({
      user,
      server: client.server,
      scope,
      used_bytes: usedBytes,
      quota_bytes: quotaBytes,
      ...(quotaFiles === undefined ? {} : { used_files: usedFiles, quota_files: quotaFiles }),
    });
  },
});
