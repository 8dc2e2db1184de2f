/**
 * `trivetd user import`: brings accounts in from a table, all or none.
 *
 * @module
 */

import { EXIT } from "../../lib/errors.ts";
import { defineCommand } from "../../lib/term/command.ts";
import type { ImportAction, PlannedRow } from "../accounts/import_plan.ts";
import type { StoredAccount } from "../store/catalog_export.ts";
import type { CommandContext } from "./context.ts";
import { DATA_OPTION, openData } from "./open_data.ts";

const WORDS: Readonly<Record<ImportAction, string>> = {
  add: "add",
  change: "change",
  same: "leave as it is",
  refuse: "refuse",
};

/** See the module. */
export const userImportCommand = defineCommand({
  name: "import",
  summary: "Bring accounts in from a .xlsx, .csv or .json file",
  description:
    "The table is what trivetd user export writes. If a single row is refused, nothing is changed, and " +
    "the exit code is 1. Works beside a running server.",
  examples: [
    { command: "trivetd user import accounts.xlsx --dry-run", does: "Show what would be done" },
    { command: "trivetd user import accounts.xlsx --update", does: "Change existing ones too" },
  ],
  options: {
    ...DATA_OPTION,
    "dry-run": { kind: "boolean", env: "TRIVETD_DRY_RUN", help: "Change nothing" },
    update: {
      kind: "boolean",
      env: "TRIVETD_UPDATE",
      help: "Let rows change accounts that are there; a new password ends their sessions",
    },
  },
  arguments: { file: { help: "File to read; its ending decides the format" } },
  run: async (context: CommandContext, { values, arguments: { file } }) => {
    const { decodeTable, formatOf } = await import("../accounts/account_table.ts");
    const { planImport } = await import("../accounts/import_plan.ts");
    const { readBounded } = await import("../accounts/private_bytes.ts");
    const format = formatOf(file);
    await using data = await openData(context, values);
    const rows = await decodeTable(await readBounded(file), format);
    const existing = await data.catalog.exportAccounts();
    const plan = planImport(rows, { existing, canUpdate: values.update, nowMs: Date.now() });
    const isRefused = plan.some(({ action }) => action === "refuse");
    const isDone = !isRefused && !values["dry-run"];
    if (isDone) {
      await data.catalog.importAccounts({
        added: accountsOf(plan, "add"),
        changed: accountsOf(plan, "change"),
      });
    }
    report(context, plan, isDone);
    return isRefused ? EXIT.FAILED : undefined;
  },
});

function accountsOf(plan: readonly PlannedRow[], action: ImportAction): StoredAccount[] {
  return plan.flatMap((row) => row.action === action && row.account !== null ? [row.account] : []);
}

function report({ output }: CommandContext, plan: readonly PlannedRow[], isDone: boolean): void {
  for (const { row, name, action, reason } of plan) {
    output.line(`${row}: ${WORDS[action]} ${name}${reason === null ? "" : `: ${reason}`}`);
  }
  const count = (action: ImportAction) => plan.filter((row) => row.action === action).length;
  const [added, changed, same, refused] = [
    count("add"),
    count("change"),
    count("same"),
    count("refuse"),
  ];
  output.note(
    `${isDone ? "Imported" : "Nothing was changed"}: ` +
      `${added} to add, ${changed} to change, ${same} the same, ${refused} refused`,
  );
  output.json({
    imported: isDone,
    added,
    changed,
    same,
    refused,
    rows: plan.map(({ row, name, action, reason }) => ({ row, name, action, reason })),
  });
}
