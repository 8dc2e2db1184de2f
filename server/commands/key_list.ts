/**
 * `trivetd key list` and `trivetd key revoke`.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { quoteName } from "../../lib/netdisk/path.ts";
import { defineCommand } from "../../lib/term/command.ts";
import { formatTimestamp } from "../../lib/term/format.ts";
import { renderTable } from "../../lib/term/table.ts";
import type { KeyCatalog, KeyRecord } from "../store/catalog_keys.ts";
import type { CommandContext } from "./context.ts";
import { DATA_OPTION, openData } from "./open_data.ts";

const PAGE = 1000;

const COLUMNS = ["NAME", "ID", "SERVICES", "SINCE", "LAST USED", "UNTIL"].map((title) => ({
  title,
}));

/** See the module. */
export const keyListCommand = defineCommand({
  name: "list",
  summary: "List the machine keys, those that have ended too",
  options: DATA_OPTION,
  arguments: {},
  run: async (context: CommandContext, { values }) => {
    await using data = await openData(context, values);
    const keys = await allKeys(data.catalog);
    const rows = keys.map((key) => [
      key.name,
      key.id,
      key.services?.join(",") ?? "all",
      formatTimestamp(key.createdAtMs),
      // Uses are noted by the hour: none was before the key.
      timeOrDash(key.lastUsedAtMs && Math.max(key.lastUsedAtMs, key.createdAtMs)),
      timeOrDash(key.expiresAtMs),
    ]);
    for (const line of renderTable(COLUMNS, rows)) context.output.line(line);
    context.output.json({ keys: keys.map(keyJson) });
  },
});

/** See the module. */
export const keyRevokeCommand = defineCommand({
  name: "revoke",
  summary: "Revoke machine keys; connections that they admitted are closed",
  description: "Logins and sessions stay valid: they go on with another key, where one is needed.",
  options: DATA_OPTION,
  arguments: { key: { help: "Names or ids, as trivetd key list shows them", variadic: true } },
  run: async (context: CommandContext, { values, arguments: { key: asked } }) => {
    await using data = await openData(context, values);
    const revoked: KeyRecord[] = [];
    const missing: string[] = [];
    for (const nameOrId of new Set(asked)) {
      const key = await data.catalog.revokeKey(nameOrId);
      if (key === null) missing.push(nameOrId);
      else revoked.push(key);
    }
    // Those that there are go, before it says which are not there.
    if (missing.length > 0) throw notFound(missing, revoked);
    for (const { id, name } of revoked) {
      context.output.note(`Revoked machine key "${name}" (${id})`);
    }
    context.output.json({ revoked: revoked.map(({ id, name }) => ({ id, name })) });
  },
});

/** A key as `--json` has it. */
export function keyJson(key: KeyRecord): Record<string, unknown> {
  return {
    id: key.id,
    name: key.name,
    services: key.services,
    created_ms: key.createdAtMs,
    last_used_ms: key.lastUsedAtMs,
    expires_ms: key.expiresAtMs,
  };
}

async function allKeys(catalog: Pick<KeyCatalog, "listKeys">): Promise<KeyRecord[]> {
  const keys: KeyRecord[] = [];
  for (let after = "";;) {
    const page = await catalog.listKeys({ after, limit: PAGE });
    keys.push(...page);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return keys;
    after = last.name;
  }
}

function notFound(missing: readonly string[], revoked: readonly KeyRecord[]): TrivetError {
  const done = revoked.length === 0
    ? ""
    : `; revoked: ${revoked.map(({ name }) => name).join(", ")}`;
  const text = `There is no machine key ${missing.map(quoteName).join(", ")}${done}`;
  return new TrivetError("KEY_NOT_FOUND", text);
}

function timeOrDash(timeMs: number | null): string {
  return timeMs === null ? "-" : formatTimestamp(timeMs);
}
