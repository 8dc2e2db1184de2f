/**
 * `trivetd user export`: writes all accounts to a table.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import { formatCount } from "../../lib/term/format.ts";
import type { CommandContext } from "./context.ts";
import { DATA_OPTION, openData } from "./open_data.ts";

/** See the module. */
export const userExportCommand = defineCommand({
  name: "export",
  summary: "Write all accounts to a .xlsx, .csv or .json file",
  description:
    "Name, quota, whether it is disabled, when it was made, and the verifier of the password: with it " +
    "people log in to the server that imports the table, with the passwords they have. Passwords can " +
    "be guessed against it, so only the owner can read the file.",
  examples: [{ command: "trivetd user export accounts.xlsx", does: "For a spreadsheet program" }],
  options: DATA_OPTION,
  arguments: { file: { help: "File to write; its ending decides the format" } },
  run: async (context: CommandContext, { values, arguments: { file } }) => {
    const { encodeTable, formatOf } = await import("../accounts/account_table.ts");
    const { toRow } = await import("../accounts/account_row.ts");
    const { writePrivate } = await import("../accounts/private_bytes.ts");
    const format = formatOf(file);
    await using data = await openData(context, values);
    const accounts = await data.catalog.exportAccounts();
    await writePrivate(file, await encodeTable(accounts.map(toRow), format));
    context.output.note(
      `Wrote ${formatCount(accounts.length, "account")} to ${file}; keep it secret`,
    );
    context.output.json({ file, format, accounts: accounts.length });
  },
});
