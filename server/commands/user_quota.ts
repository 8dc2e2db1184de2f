/**
 * `trivetd user quota`: changes what an account may take up.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { defineCommand } from "../../lib/term/command.ts";
import { formatBytes } from "../../lib/term/format.ts";
import type { CommandContext } from "./context.ts";
import { DATA_OPTION, openData } from "./open_data.ts";
import { accountJson } from "./user_account.ts";

/** See the module. */
export const userQuotaCommand = defineCommand({
  name: "quota",
  summary: "Change what an account may take up",
  description:
    "The next reservation counts against the new quota. One below what is used takes nothing away: " +
    "nothing more fits until files are removed.",
  examples: [{ command: "trivetd user quota ann --bytes 100G", does: "Give ann 100 GiB" }],
  options: {
    ...DATA_OPTION,
    bytes: {
      kind: "bytes",
      valueName: "SIZE",
      env: "TRIVETD_QUOTA_BYTES",
      min: 0,
      help: "Bytes that files, trash and partial uploads may take, such as 50G",
    },
  },
  arguments: { name: { help: "Name of the account" } },
  run: async (context: CommandContext, { values, arguments: { name } }) => {
    const { bytes } = values;
    if (bytes === undefined) throw new TrivetError("USAGE", "Nothing to change: pass --bytes");
    await using data = await openData(context, values);
    const user = await data.catalog.setQuota(name, { quotaBytes: bytes });
    const [quota, used] = [formatBytes(user.quotaBytes), formatBytes(user.usedBytes)];
    context.output.note(`"${name}" may take up ${quota}; ${used} are used`);
    context.output.json(accountJson(user));
  },
});
