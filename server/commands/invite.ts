/**
 * `trivetd invite`: makes, lists and revokes codes with which people make accounts where registration
 * is closed. Works beside a running server.
 *
 * @module
 */

import { hashInvite, newInvite } from "../../lib/auth/invite.ts";
import { type CommandGroup, defineCommand } from "../../lib/term/command.ts";
import { formatBytes, formatTimestamp } from "../../lib/term/format.ts";
import { renderTable } from "../../lib/term/table.ts";
import { tokenId } from "../store/catalog_access.ts";
import type { CommandContext } from "./context.ts";
import { DATA_OPTION, openData } from "./open_data.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

const createCommand = defineCommand({
  name: "create",
  summary: "Make an invite and print its code, once",
  description:
    "Whoever has the code makes an account with trivet register NAME --invite CODE, also where " +
    "registration is closed. Nobody can show it again: only its hash is kept.",
  examples: [
    { command: "trivetd invite create", does: "For one account, within a week" },
    {
      command: "trivetd invite create --uses 30 --quota 2G --expires 1d",
      does: "For the accounts of a class, today",
    },
  ],
  options: {
    ...DATA_OPTION,
    quota: {
      kind: "bytes",
      valueName: "SIZE",
      env: "TRIVETD_INVITE_QUOTA",
      min: 0,
      help: "Quota of the accounts (default: that of the server when they are made)",
    },
    "quota-files": {
      kind: "integer",
      valueName: "N",
      env: "TRIVETD_INVITE_QUOTA_FILES",
      min: 0,
      help: "Most files that each of them may have (default: no limit)",
    },
    expires: {
      kind: "duration",
      env: "TRIVETD_INVITE_EXPIRES",
      default: "7d",
      min: 1000,
      max: 3650 * DAY_MS,
      help: "How long it can be used",
    },
    uses: {
      kind: "integer",
      env: "TRIVETD_INVITE_USES",
      default: "1",
      min: 1,
      max: 10_000,
      help: "How many accounts can be made with it",
    },
  },
  arguments: {},
  run: async (context: CommandContext, { values }) => {
    await using data = await openData(context, values);
    const code = newInvite();
    const hash = await hashInvite(code);
    const { uses } = values;
    const expiresAtMs = Date.now() + values.expires;
    const quotaBytes = values.quota ?? null;
    const quotaFiles = values["quota-files"] ?? null;
    await data.catalog.addInvite({ hash, quotaBytes, quotaFiles, uses, expiresAtMs });
    const { output } = context;
    output.note(`Invite ${tokenId(hash)} until ${formatTimestamp(expiresAtMs)}`);
    output.line(code);
    output.json({
      id: tokenId(hash),
      code,
      uses,
      quota_bytes: quotaBytes,
      quota_files: quotaFiles,
      expires_ms: expiresAtMs,
    });
  },
});

const listCommand = defineCommand({
  name: "list",
  summary: "List invites that can be used",
  options: DATA_OPTION,
  arguments: {},
  run: async (context: CommandContext, { values }) => {
    await using data = await openData(context, values);
    const invites = await data.catalog.listInvites();
    const rows = invites.map((invite) => [
      tokenId(invite.hash),
      `${invite.usesLeft} of ${invite.uses} left`,
      invite.quotaBytes === null ? "default quota" : formatBytes(invite.quotaBytes),
      `until ${formatTimestamp(invite.expiresAtMs)}`,
    ]);
    for (const line of renderTable([{}, {}, {}, {}], rows)) context.output.line(line);
    context.output.json({
      invites: invites.map((invite) => ({
        id: tokenId(invite.hash),
        uses: invite.uses,
        uses_left: invite.usesLeft,
        quota_bytes: invite.quotaBytes,
        quota_files: invite.quotaFiles,
        created_ms: invite.createdAtMs,
        expires_ms: invite.expiresAtMs,
      })),
    });
  },
});

const revokeCommand = defineCommand({
  name: "revoke",
  summary: "Make invites useless; accounts made with them stay",
  options: DATA_OPTION,
  arguments: { id: { help: "Ids, as trivetd invite list shows them", variadic: true } },
  run: async (context: CommandContext, { values, arguments: { id } }) => {
    await using data = await openData(context, values);
    const revoked = await data.catalog.revokeInvites(id);
    context.output.note(`Revoked ${revoked}`);
    context.output.json({ revoked });
  },
});

/** See the module. */
export const inviteCommand: CommandGroup<CommandContext> = {
  name: "invite",
  summary: "Make, list and revoke invites to make an account",
  subcommands: [createCommand, listCommand, revokeCommand],
};
