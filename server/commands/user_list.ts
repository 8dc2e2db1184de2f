/**
 * `trivetd user list` and `trivetd user show`.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import { formatBytes, formatTimestamp } from "../../lib/term/format.ts";
import { renderTable } from "../../lib/term/table.ts";
import type { CommandContext } from "./context.ts";
import { DATA_OPTION, openData } from "./open_data.ts";
import {
  accountJson,
  allAccounts,
  allSessions,
  findAccount,
  formatQuota,
  formatUsed,
} from "./user_account.ts";

const COLUMNS = [
  { title: "NAME" },
  { title: "USED", align: "right" },
  { title: "QUOTA", align: "right" },
  { title: "FILES", align: "right" },
  { title: "CREATED" },
  { title: "LOGIN" },
] as const;

/** See the module. */
export const userListCommand = defineCommand({
  name: "list",
  summary: "List the accounts with what they use",
  options: DATA_OPTION,
  arguments: {},
  run: async (context: CommandContext, { values }) => {
    await using data = await openData(context, values);
    const users = await Array.fromAsync(allAccounts(data.catalog));
    const rows = users.map((user) => [
      user.name,
      formatBytes(user.usedBytes),
      formatBytes(user.quotaBytes),
      user.quotaFiles === null ? `${user.usedFiles}` : `${user.usedFiles} of ${user.quotaFiles}`,
      formatTimestamp(user.createdAtMs),
      loginWord(user.disabled),
    ]);
    for (const line of renderTable(COLUMNS, rows)) context.output.line(line);
    context.output.json({ users: users.map(accountJson) });
  },
});

/** See the module. */
export const userShowCommand = defineCommand({
  name: "show",
  summary: "Show one account: quota, what takes it up, sessions",
  options: DATA_OPTION,
  arguments: { name: { help: "Name of the account" } },
  run: async (context: CommandContext, { values, arguments: { name } }) => {
    const { output } = context;
    await using data = await openData(context, values);
    const user = await findAccount(data.catalog, name);
    const usage = await data.catalog.usage(name);
    const sessions = await allSessions(data.catalog, name);
    const trashBytes = usage?.trashBytes ?? 0;
    const partialBytes = usage?.partialBytes ?? 0;
    const rows = [
      ["name", user.name],
      ["login", loginWord(user.disabled)],
      ["created", formatTimestamp(user.createdAtMs)],
      ["quota", formatQuota(user)],
      ["used", formatUsed(user)],
      ["  in the trash", formatBytes(trashBytes)],
      ["  partial uploads", formatBytes(partialBytes)],
      ["sessions", String(sessions.length)],
    ];
    for (const line of renderTable([{}, {}], rows)) output.line(line);
    output.json({
      ...accountJson(user),
      trash_bytes: trashBytes,
      partial_bytes: partialBytes,
      sessions: sessions.length,
    });
  },
});

function loginWord(disabled: boolean): string {
  return disabled ? "disabled" : "enabled";
}
