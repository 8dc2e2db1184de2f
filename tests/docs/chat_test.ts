/** docs/protocol.md and docs/chat.md say what the chat does: its methods, fields, events and limits. */

import { assert, assertEquals } from "@std/assert";
import { SCREEN_COMMANDS } from "../../client/chat_screen/commands.ts";
import { CHAT_PAGE_MAX } from "../../lib/chat/limits.ts";
import { CHAT_REQUESTS, CHAT_RESPONSES, ChatEvent } from "../../lib/chat/messages.ts";
import { MENTIONS_MAX, MESSAGE_MAX_BYTES, TOPIC_MAX_BYTES } from "../../lib/chat/names.ts";
import { OUTBOX_MAX_BYTES } from "../../server/chat/outbox.ts";
import { MESSAGES_PER_SECOND } from "../../server/chat/rates.ts";
import { CHAT_CATALOG_LIMITS } from "../../server/store/sqlite_chat.ts";
import { SCAN_MESSAGES_MAX } from "../../server/store/sqlite_chat_history.ts";
import { readPage, sectionOf, type Table, tablesOf } from "./page.ts";

const CHAT = sectionOf(await readPage("docs/protocol.md"), "## Chat");

type Entries = Readonly<Record<string, { readonly type: string }>>;

/** A schema's fields as the page writes them: sorted, optional ones with "?". */
function fieldsOf(entries: Entries): string[] {
  return Object.entries(entries)
    .map(([name, { type }]) => /optional/.test(type) ? `${name}?` : name)
    .sort();
}

/** What stands in the code spans of a cell. */
function spansOf(cell: string | undefined): string[] {
  return [...(cell ?? "").matchAll(/`([^`]+)`/g)].map(([, span = ""]) => span).sort();
}

const rowsOf = (table: Table | undefined) => new Map((table ?? []).map((row) => [row[0], row]));

Deno.test("docs/protocol.md names every method of the chat, and every field of each", () => {
  const methods = rowsOf(tablesOf(CHAT)[0]);
  assertEquals([...methods.keys()], Object.keys(CHAT_REQUESTS).map((name) => `\`${name}\``));
  for (const [name, { entries }] of Object.entries(CHAT_REQUESTS)) {
    assertEquals(spansOf(methods.get(`\`${name}\``)?.[1]), fieldsOf(entries), name);
  }
  for (const [name, { entries }] of Object.entries(CHAT_RESPONSES)) {
    assertEquals(spansOf(methods.get(`\`${name}\``)?.[2]), fieldsOf(entries), name);
  }
});

Deno.test("docs/protocol.md names every field of messages, rooms and members", () => {
  const [, message, room, member] = tablesOf(CHAT).map((table) =>
    table.map(([cell]) => spansOf(cell)[0]).sort()
  );
  assertEquals(message, fieldsOf(CHAT_RESPONSES.edit.entries.message.entries));
  assertEquals(room, fieldsOf(CHAT_RESPONSES.rooms.entries.rooms.item.entries));
  assertEquals(member, fieldsOf(CHAT_RESPONSES.members.entries.members.item.entries));
});

Deno.test("docs/protocol.md names every event of the chat and its fields", () => {
  const events = rowsOf(tablesOf(CHAT)[4]);
  for (const { entries } of ChatEvent.options) {
    const { event, ...fields } = entries;
    const row = events.get(`\`${event.literal}\``);
    assertEquals(spansOf(row?.[1]), fieldsOf(fields as Entries), event.literal);
  }
  assertEquals(events.size, ChatEvent.options.length);
});

Deno.test("docs/chat.md gives each limit as it is", async () => {
  const [table] = tablesOf(sectionOf(await readPage("docs/chat.md"), "## Limits"));
  const stated = (table ?? []).map(([, limit]) => Number(/^\d+/.exec(limit ?? "")?.[0]));
  assert(stated.length > 0);
  assertEquals(stated, [
    MESSAGE_MAX_BYTES,
    TOPIC_MAX_BYTES,
    MENTIONS_MAX,
    MESSAGES_PER_SECOND,
    CHAT_CATALOG_LIMITS.roomsPerUserMax,
    CHAT_CATALOG_LIMITS.membersMax,
    CHAT_CATALOG_LIMITS.reactionsMax,
    CHAT_PAGE_MAX,
    OUTBOX_MAX_BYTES,
    SCAN_MESSAGES_MAX,
  ]);
});

Deno.test("docs/chat.md names every command of the screen", async () => {
  const page = sectionOf(await readPage("docs/chat.md"), "## On the terminal");
  const rows = tablesOf(page).flat().map(([first = "", does]) => [first, does]);
  const wanted = SCREEN_COMMANDS.map(({ name, usage, does }) => [
    `\`${`/${name} ${usage}`.trim()}\``,
    does,
  ]);
  assertEquals(rows.filter(([first = ""]) => first.startsWith("`/")), wanted);
});
