/**
 * `trivet token`: makes, lists and revokes tokens for programs.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import {
  TOKEN_LABEL_CHARS_MAX,
  TOKEN_LIFETIME_MAX_MS,
  TOKEN_SCOPES,
} from "../../lib/netdisk/token_limits.ts";
import { type CommandGroup, defineCommand } from "../../lib/term/command.ts";
import { type ClientContext, remotePath } from "./context.ts";

const createCommand = defineCommand({
  name: "create",
  summary: "Make a token and print it, once",
  description:
    "A program uses the token through TRIVET_TOKEN. Nobody can show it again: the server keeps only " +
    "its hash. Scope read lists and downloads, write also changes files, full also manages tokens.",
  examples: [
    {
      command: "trivet token create --scope write --path /backup --expires 90d --label nas",
      does: "For a machine that only puts its backups there",
    },
  ],
  options: {
    scope: {
      kind: "choice",
      choices: TOKEN_SCOPES,
      env: "TRIVET_TOKEN_SCOPE",
      default: "write",
      help: "What it allows",
    },
    path: {
      kind: "string",
      valueName: "DIR",
      env: "TRIVET_TOKEN_PATH",
      help: "Folder of the netdisk that it is confined to (default: all)",
    },
    expires: {
      kind: "duration",
      env: "TRIVET_TOKEN_EXPIRES",
      min: 1000,
      max: TOKEN_LIFETIME_MAX_MS,
      help: "How long it is valid (default: until it is revoked)",
    },
    label: {
      kind: "string",
      valueName: "TEXT",
      env: "TRIVET_TOKEN_LABEL",
      help: "What you call it",
    },
  },
  arguments: {},
  run: async (context: ClientContext, { values }) => {
    const { label } = values;
    if (label !== undefined && label.length > TOKEN_LABEL_CHARS_MAX) {
      throw new TrivetError("USAGE", `A label has at most ${TOKEN_LABEL_CHARS_MAX} characters`);
    }
    const { openClient } = await import("./access.ts");
    await using client = await openClient(context);
    const { output, signal } = context;
    const made = await client.createToken({
      scope: values.scope,
      signal,
      ...(values.path === undefined ? {} : { path: remotePath(context, values.path) }),
      ...(values.expires === undefined ? {} : { lifetimeMs: values.expires }),
      ...(label === undefined ? {} : { label }),
    });
    output.note(`Token ${made.id}; keep it now, it is not shown again`);
    output.line(made.token);
    output.json({ id: made.id, token: made.token, expires_ms: made.expiresMs });
  },
});

const listCommand = defineCommand({
  name: "list",
  summary: "List tokens and sessions of the account",
  options: {},
  arguments: {},
  run: async (context: ClientContext) => {
    const { openClient } = await import("./access.ts");
    const { formatPath } = await import("../../lib/netdisk/path.ts");
    const { formatTimestamp } = await import("../../lib/term/format.ts");
    const { renderTable } = await import("../../lib/term/table.ts");
    await using client = await openClient(context);
    const tokens = await Array.fromAsync(client.tokens(context.signal));
    tokens.sort((a, b) => a.createdMs - b.createdMs);
    const rows = tokens.map((token) => [
      token.id,
      token.kind,
      token.scope,
      token.expiresMs === null ? "never ends" : `ends ${formatTimestamp(token.expiresMs)}`,
      formatPath(token.path),
      token.isCurrent ? `${token.label} (this one)` : token.label,
    ]);
    for (const line of renderTable([{}, {}, {}, {}, {}, {}], rows)) context.output.line(line);
    context.output.json({
      tokens: tokens.map((token) => ({
        id: token.id,
        kind: token.kind,
        scope: token.scope,
        path: formatPath(token.path),
        label: token.label,
        created_ms: token.createdMs,
        expires_ms: token.expiresMs,
        last_used_ms: token.lastUsedMs,
        current: token.isCurrent,
      })),
    });
  },
});

const revokeCommand = defineCommand({
  name: "revoke",
  summary: "End tokens and sessions at once",
  options: {},
  arguments: { id: { help: "Ids, as trivet token list shows them", variadic: true } },
  run: async (context: ClientContext, { arguments: { id } }) => {
    const { TOKEN_ID } = await import("../../lib/netdisk/access_messages.ts");
    const { quoteName } = await import("../../lib/netdisk/path.ts");
    // People pass labels too; the server could only say that such a request is malformed.
    const other = id.find((each) => !TOKEN_ID.test(each));
    if (other !== undefined) {
      throw new TrivetError("TOKEN_NOT_FOUND", `${quoteName(other)} is no id of a token`);
    }
    const { openClient } = await import("./access.ts");
    await using client = await openClient(context);
    const revoked = await client.revokeTokens(id, context.signal);
    context.output.note(`Revoked ${revoked}`);
    context.output.json({ revoked });
  },
});

/** See the module. */
export const tokenCommand: CommandGroup<ClientContext> = {
  name: "token",
  summary: "Make, list and revoke tokens for programs",
  subcommands: [createCommand, listCommand, revokeCommand],
};
