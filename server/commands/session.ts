/**
 * `trivetd session`: who is logged in, and the end of that.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { quoteName } from "../../lib/netdisk/path.ts";
import { type CommandGroup, defineCommand } from "../../lib/term/command.ts";
import { formatTimestamp } from "../../lib/term/format.ts";
import { renderTable } from "../../lib/term/table.ts";
import type { Catalog } from "../store/catalog.ts";
import type { SessionRecord } from "../store/catalog_accounts.ts";
import type { CommandContext } from "./context.ts";
import { DATA_OPTION, openData } from "./open_data.ts";
import { allSessions, findAccount } from "./user_account.ts";

const COLUMNS = ["ID", "USER", "SINCE", "LAST USED", "UNTIL", "CLIENT"].map((title) => ({ title }));

const USER_OPTION = { kind: "string", valueName: "NAME", env: "TRIVETD_USER" } as const;

const listCommand = defineCommand({
  name: "list",
  summary: "List the sessions that go on",
  description: "A session begins with a login by password and stands for it until it ends.",
  options: { ...DATA_OPTION, user: { ...USER_OPTION, help: "Only those of this account" } },
  arguments: {},
  run: async (context: CommandContext, { values }) => {
    await using data = await openData(context, values);
    if (values.user !== undefined) await findAccount(data.catalog, values.user);
    const sessions = await allSessions(data.catalog, values.user);
    const rows = sessions.map((session) => [
      session.id,
      session.user,
      formatTimestamp(session.createdAtMs),
      // Uses are noted by the hour: none was before the session.
      timeOrDash(session.lastUsedAtMs && Math.max(session.lastUsedAtMs, session.createdAtMs)),
      timeOrDash(session.expiresAtMs),
      session.label,
    ]);
    for (const line of renderTable(COLUMNS, rows)) context.output.line(line);
    context.output.json({
      sessions: sessions.map((session) => ({
        id: session.id,
        user: session.user,
        created_ms: session.createdAtMs,
        last_used_ms: session.lastUsedAtMs,
        expires_ms: session.expiresAtMs,
        label: session.label,
      })),
    });
  },
});

const endCommand = defineCommand({
  name: "end",
  summary: "End sessions; their open connections are closed",
  description:
    "With --user, connections that logged in by password without a session end too. The password " +
    "stays valid: change it with trivetd user passwd, or use trivetd user disable.",
  options: { ...DATA_OPTION, user: { ...USER_OPTION, help: "All sessions of this account" } },
  arguments: {
    id: { help: "Ids, as trivetd session list shows them", optional: true, variadic: true },
  },
  run: async (context: CommandContext, { values, arguments: { id } }) => {
    const { user } = values;
    if ((user === undefined) === (id.length === 0)) {
      throw new TrivetError("USAGE", "Name sessions, or an account with --user");
    }
    await using data = await openData(context, values);
    const ended = user === undefined
      ? await endSessions(data.catalog, id)
      : await endAll(data.catalog, user);
    for (const { id, user } of ended) context.output.note(`Ended session ${id} of "${user}"`);
    context.output.json({ ended: ended.map(({ id, user }) => ({ id, user })) });
  },
});

/** See the module. */
export const sessionCommand: CommandGroup<CommandContext> = {
  name: "session",
  summary: "List and end sessions",
  subcommands: [listCommand, endCommand],
};

/** Ends those that there are, before it says which are not there. */
async function endSessions(catalog: Catalog, ids: readonly string[]): Promise<SessionRecord[]> {
  const ended: SessionRecord[] = [];
  const missing: string[] = [];
  for (const id of new Set(ids)) {
    const session = await catalog.endSession(id);
    if (session === null) missing.push(id);
    else ended.push(session);
  }
  if (missing.length === 0) return ended;
  const done = ended.length === 0 ? "" : `; ended: ${ended.map(({ id }) => id).join(", ")}`;
  throw new TrivetError(
    "SESSION_NOT_FOUND",
    `There is no session ${missing.map(quoteName).join(", ")}${done}`,
  );
}

async function endAll(catalog: Catalog, user: string): Promise<SessionRecord[]> {
  const sessions = await allSessions(catalog, user);
  await catalog.endSessions(user);
  return sessions;
}

function timeOrDash(timeMs: number | null): string {
  return timeMs === null ? "-" : formatTimestamp(timeMs);
}
