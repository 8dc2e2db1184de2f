/**
 * `trivet chat tail`, `history` and `search`.
 *
 * @module
 */

import { CHAT_PAGE_MAX } from "../../lib/chat/limits.ts";
import { defineCommand } from "../../lib/term/command.ts";
import { toChatWay, WAY_OPTIONS } from "./chat_way.ts";
import type { ClientContext } from "./context.ts";

const LIMIT = {
  kind: "integer",
  valueName: "N",
  env: "TRIVET_LIMIT",
  min: 1,
  max: CHAT_PAGE_MAX,
  default: "50",
  help: "Most messages",
} as const;

const BEFORE = {
  kind: "integer",
  valueName: "ID",
  env: "TRIVET_BEFORE",
  min: 1,
  help: "Only messages before this one",
} as const;

const ROOM = { help: "Room, or @ and a person" } as const;

/** See the module. */
export const tailCommand = defineCommand({
  name: "tail",
  summary: "Show the newest messages, and with --follow those to come",
  description:
    "With --json each message is a line of its own, also when it changes later: the last line with an " +
    "id holds. A connection that is lost is opened anew, and nothing is left out or shown twice.",
  options: {
    since: {
      kind: "duration",
      env: "TRIVET_SINCE",
      help: "All messages of this time, such as 1h (default: the newest ten)",
    },
    follow: { kind: "boolean", short: "f", env: "TRIVET_FOLLOW", help: "Go on until Ctrl-C" },
    ...WAY_OPTIONS,
  },
  arguments: { room: ROOM },
  run: async (context: ClientContext, { values, arguments: { room } }) => {
    const { tailRoom } = await import("./chat_tail.ts");
    const { since, follow } = values;
    await tailRoom(context, room, { sinceMs: since, follow, way: toChatWay(values) });
  },
});

/** See the module. */
export const historyCommand = defineCommand({
  name: "history",
  summary: "Show a page of a room's messages",
  description:
    "With --all the whole history from the oldest message on; then --json prints each message as a line.",
  options: {
    before: BEFORE,
    after: {
      kind: "integer",
      valueName: "ID",
      env: "TRIVET_AFTER",
      min: 0,
      help: "Only messages behind this one, from the oldest",
    },
    around: {
      kind: "integer",
      valueName: "ID",
      env: "TRIVET_AROUND",
      min: 1,
      help: "Messages on both sides of this one",
    },
    limit: LIMIT,
    all: { kind: "boolean", env: "TRIVET_ALL", help: "Everything, as for an export" },
  },
  arguments: { room: ROOM },
  run: async (context: ClientContext, { values, arguments: { room } }) => {
    const { exportRoom, showHistory } = await import("./chat_tail.ts");
    const { all, ...query } = values;
    if (all) await exportRoom(context, room, query.after ?? 0);
    else await showHistory(context, room, query);
  },
});

/** See the module. */
export const searchCommand = defineCommand({
  name: "search",
  summary: "Find messages that hold every word",
  options: {
    room: {
      kind: "string",
      valueName: "ROOM",
      env: "TRIVET_ROOM",
      help: "Only in this room, or @ and a person (default: all that you are in)",
    },
    before: BEFORE,
    limit: LIMIT,
  },
  arguments: { text: { help: "Words, or parts of words", variadic: true } },
  run: async (context: ClientContext, { values, arguments: { text } }) => {
    const { searchMessages } = await import("./chat_tail.ts");
    await searchMessages(context, text.join(" "), values);
  },
});
