/**
 * `trivet chat edit`, `redact`, `react` and `read`. A message is named by its id alone, for ids are
 * counted over the whole server.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import type { ChatClient } from "../chat.ts";
import type { ClientContext } from "./context.ts";

const ID = { help: "Id of the message" } as const;

/** See the module. */
export const editCommand = defineCommand({
  name: "edit",
  summary: "Replace the text of your own message",
  options: {},
  arguments: { id: ID, text: { help: "Text, or - for stdin (default: stdin)", optional: true } },
  run: async (context: ClientContext, { arguments: { id, text } }) => {
    const { openChat, readMessageId, toJson } = await import("./chat_access.ts");
    const { readText } = await import("./chat_send.ts");
    const number = readMessageId(id);
    const whole = text === undefined || text === "-" ? await readText(context) : text;
    await using chat = await openChat(context);
    const message = await chat.edit(number, whole, context.signal);
    context.output.note(`Edited message ${number}`);
    context.output.json({ message: toJson(message) });
  },
});

/** See the module. */
export const redactCommand = defineCommand({
  name: "redact",
  summary: "Take the text of a message away, your own or as a moderator anybody's",
  options: {},
  arguments: { id: ID },
  run: async (context: ClientContext, { arguments: { id } }) => {
    const { openChat, readMessageId, toJson } = await import("./chat_access.ts");
    const number = readMessageId(id);
    await using chat = await openChat(context);
    const message = await chat.redact(number, context.signal);
    context.output.note(`Redacted message ${number}`);
    context.output.json({ message: toJson(message) });
  },
});

/** See the module. */
export const reactCommand = defineCommand({
  name: "react",
  summary: "React to a message with an emoji or a word",
  options: {
    remove: { kind: "boolean", env: "TRIVET_REMOVE", help: "Take the reaction back" },
  },
  arguments: { id: ID, emoji: { help: "Emoji, or a word without spaces" } },
  run: async (context: ClientContext, { values, arguments: { id, emoji } }) => {
    const { openChat, readMessageId, toJson } = await import("./chat_access.ts");
    const number = readMessageId(id);
    const { remove } = values;
    await using chat = await openChat(context);
    const message = await chat.react(number, emoji, { remove, signal: context.signal });
    const done = remove ? `Took ${emoji} back from` : `Reacted with ${emoji} to`;
    context.output.note(`${done} message ${number}`);
    context.output.json({ message: toJson(message) });
  },
});

/** See the module. */
export const readCommand = defineCommand({
  name: "read",
  summary: "Say that you have read a room, up to its newest message or the given one",
  options: {},
  arguments: {
    room: { help: "Room, or @ and a person" },
    id: { help: "Id of the last message that was read (default: the newest)", optional: true },
  },
  run: async (context: ClientContext, { arguments: { room, id } }) => {
    const { openChat, readMessageId } = await import("./chat_access.ts");
    const given = id === undefined ? undefined : readMessageId(id);
    await using chat = await openChat(context);
    const read = given ?? await newestId(chat, room, context.signal);
    if (read > 0) await chat.receipt(room, { read }, context.signal);
    context.output.note(read > 0 ? `Read ${room} up to message ${read}` : `${room} is empty`);
    context.output.json({ room, read });
  },
});

/** Id of a room's newest message; 0 in an empty one. */
async function newestId(chat: ChatClient, room: string, signal: AbortSignal): Promise<number> {
  const { messages } = await chat.history(room, { limit: 1, signal });
  return messages.at(-1)?.id ?? 0;
}
