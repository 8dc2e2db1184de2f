/**
 * `trivet trash`: lists the trash, brings things back, and deletes them for good.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { type CommandGroup, defineCommand } from "../../lib/term/command.ts";
import type { ClientContext } from "./context.ts";

const listCommand = defineCommand({
  name: "list",
  summary: "List what is in the trash",
  options: {},
  arguments: {},
  run: async (context: ClientContext) => {
    const { openClient } = await import("./access.ts");
    const { formatPath } = await import("../../lib/netdisk/path.ts");
    const { formatBytes, formatTimestamp } = await import("../../lib/term/format.ts");
    const { renderTable } = await import("../../lib/term/table.ts");
    await using client = await openClient(context);
    const items = await Array.fromAsync(client.trash(context.signal));
    const rows = items.map((item) => [
      item.id,
      formatTimestamp(item.deletedMs),
      formatBytes(item.bytes),
      formatPath(item.path) + (item.kind === "folder" ? "/" : ""),
    ]);
    const lines = renderTable([{}, {}, { align: "right" }, {}], rows);
    for (const line of lines) context.output.line(line);
    context.output.json({
      items: items.map(({ id, path, deletedMs, bytes, entries, kind }) => ({
        id,
        path: formatPath(path),
        deleted_ms: deletedMs,
        size_bytes: bytes,
        entries,
        kind,
      })),
    });
  },
});

const restoreCommand = defineCommand({
  name: "restore",
  summary: "Put things back where they were",
  options: {
    rename: {
      kind: "boolean",
      env: "TRIVET_RENAME",
      help: 'Where a name is taken meanwhile, choose "name (2).ext" instead of failing',
    },
  },
  arguments: { id: { help: "Ids, as trivet trash list shows them", variadic: true } },
  run: async (context: ClientContext, invocation) => {
    await checkIds(invocation.arguments.id);
    const { openClient } = await import("./access.ts");
    await using client = await openClient(context);
    const { output, signal } = context;
    const restored = [];
    for (const id of invocation.arguments.id) {
      const path = await client.restore(id, { rename: invocation.values.rename, signal });
      restored.push({ id, path });
      output.note(`Restored ${path}`);
    }
    output.json({ restored });
  },
});

const emptyCommand = defineCommand({
  name: "empty",
  summary: "Delete what is in the trash for good",
  options: {
    yes: { kind: "boolean", short: "y", env: "TRIVET_YES", help: "Do not ask" },
  },
  arguments: { id: { help: "Only these; all without one", optional: true, variadic: true } },
  run: async (context: ClientContext, { values, arguments: { id } }) => {
    await checkIds(id);
    const { output, prompter, signal } = context;
    if (!values.yes) {
      if (!prompter.canAsk) {
        throw new TrivetError("USAGE", "Nobody can be asked here: pass --yes to empty the trash");
      }
      const isSure = await prompter.askYesNo("Delete for good what is in the trash", false);
      if (!isSure) throw new TrivetError("INTERRUPTED", "Nothing was deleted");
    }
    const { openClient } = await import("./access.ts");
    const { formatBytes } = await import("../../lib/term/format.ts");
    await using client = await openClient(context);
    const { items, bytes } = await client.emptyTrash(id.length === 0 ? undefined : id, signal);
    output.note(`Deleted ${items} from the trash, ${formatBytes(bytes)}`);
    output.json({ items, size_bytes: bytes });
  },
});

/** See the module. */
export const trashCommand: CommandGroup<ClientContext> = {
  name: "trash",
  summary: "List, restore and empty the trash",
  subcommands: [listCommand, restoreCommand, emptyCommand],
};

/** People pass paths too; the server could only say that such a request is malformed. */
async function checkIds(ids: readonly string[]): Promise<void> {
  const { TRASH_ID } = await import("../../lib/netdisk/messages.ts");
  const { quoteName } = await import("../../lib/netdisk/path.ts");
  for (const id of ids) {
    if (TRASH_ID.test(id)) continue;
    throw new TrivetError("TRASH_NOT_FOUND", `${quoteName(id)} is no id of an item in the trash`);
  }
}
