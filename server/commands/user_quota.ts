/**
 * `trivetd user quota`: changes what an account may take up.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { quoteName } from "../../lib/netdisk/path.ts";
import { defineCommand } from "../../lib/term/command.ts";
import { parseInteger } from "../../lib/term/values.ts";
import type { QuotaChange } from "../store/catalog_accounts.ts";
import type { CommandContext } from "./context.ts";
import { DATA_OPTION, openData } from "./open_data.ts";
import { accountJson, formatQuota, formatUsed } from "./user_account.ts";

/** See the module. */
export const userQuotaCommand = defineCommand({
  name: "quota",
  summary: "Change what an account may take up",
  description:
    "The next reservation counts against the new quota. One below what is used takes nothing away: " +
    "nothing more fits until files are removed.",
  examples: [{
    command: "trivetd user quota ann --bytes 100G --files none",
    does: "Give ann 100 GiB",
  }],
  options: {
    ...DATA_OPTION,
    bytes: {
      kind: "bytes",
      valueName: "SIZE",
      env: "TRIVETD_QUOTA_BYTES",
      min: 0,
      help: "Bytes that files, trash and partial uploads may take, such as 50G",
    },
    files: {
      kind: "string",
      valueName: "N/none",
      env: "TRIVETD_QUOTA_FILES",
      help: "Files that there may be, trash and partial uploads included; none is no limit",
    },
  },
  arguments: { name: { help: "Name of the account" } },
  run: async (context: CommandContext, { values, arguments: { name } }) => {
    const { bytes, files } = values;
    if (bytes === undefined && files === undefined) {
      throw new TrivetError("USAGE", "Nothing to change: pass --bytes or --files");
    }
    const change: QuotaChange = {
      ...(bytes === undefined ? {} : { quotaBytes: bytes }),
      ...(files === undefined ? {} : { quotaFiles: parseFiles(files) }),
    };
    await using data = await openData(context, values);
    const user = await data.catalog.setQuota(name, change);
    context.output.note(`"${name}" may take up ${formatQuota(user)}; used: ${formatUsed(user)}`);
    context.output.json(accountJson(user));
  },
});

function parseFiles(text: string): number | null {
  if (text === "none") return null;
  const files = parseInteger(text);
  if (files !== undefined && files >= 0) return files;
  throw new TrivetError("USAGE", `--files takes a number or none, not ${quoteName(text)}`);
}
