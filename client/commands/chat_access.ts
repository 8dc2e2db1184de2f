/**
 * What the commands of `trivet chat` share: connecting, and how messages are printed.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { quoteName } from "../../lib/netdisk/path.ts";
import { formatBytes, formatTimestamp } from "../../lib/term/format.ts";
import { ChatClient } from "../chat.ts";
import type { ChatTransportOptions } from "../chat_dialer.ts";
import { findConnection } from "./access.ts";
import type { ChatMessage } from "../chat_types.ts";
import type { ClientContext } from "./context.ts";

/**
 * Connects as whoever the options, the environment or the last login say.
 *
 * @param context The command's.
 * @param way Which way the connections go; over TCP without it.
 */
export async function openChat(
  context: ClientContext,
  way: ChatTransportOptions = { transport: "tcp" },
): Promise<ChatClient> {
  return await ChatClient.connect({ ...await findConnection(context), ...way });
}

/**
 * Reads the id of a message.
 *
 * @throws {TrivetError} `USAGE`.
 */
export function readMessageId(text: string): number {
  const id = /^[1-9][0-9]*$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(id)) return id;
  throw new TrivetError("USAGE", `Cannot use ${quoteName(text)} as the id of a message`);
}

/** A message as `--json` prints it. */
export function toJson(message: ChatMessage): Record<string, unknown> {
  const { id, seq, room, from, timeMs, text, clientId } = message;
  const { file, replyTo, mentions = [], editedMs, redactedMs, redactedBy, reactions = [] } =
    message;
  return {
    id,
    seq,
    room,
    from,
    time: new Date(timeMs).toISOString(),
    text,
    client_id: clientId,
    reply_to: replyTo ?? null,
    mentions,
    file: file === undefined ? null : { name: file.name, size_bytes: file.size, etag: file.etag },
    edited: editedMs === undefined ? null : new Date(editedMs).toISOString(),
    redacted: redactedMs === undefined ? null : new Date(redactedMs).toISOString(),
    redacted_by: redactedBy ?? null,
    reactions,
  };
}

/** A message in a line for people; further lines of it are indented. */
export function toLine(message: ChatMessage): string[] {
  const { id, timeMs, from, text, file, replyTo, editedMs, redactedBy, reactions = [] } = message;
  const said = redactedBy === undefined ? text : `(redacted by ${redactedBy})`;
  const answer = replyTo === undefined ? "" : `(to ${replyTo}) `;
  const edited = editedMs === undefined || redactedBy !== undefined ? "" : " (edited)";
  const reacted = reactions.map(({ emoji, users }) => ` [${emoji} ${users.length}]`).join("");
  const carried = file === undefined
    ? ""
    : ` [${file.name}, ${formatBytes(file.size)}: trivet get chat:${id}]`;
  const [first = "", ...more] = said.split("\n");
  const head = `${id}  ${formatTimestamp(timeMs)}  ${from}: ${answer}${first}`;
  const lines = [head, ...more.map((line) => `    ${line}`)];
  return lines.with(-1, `${lines.at(-1)}${carried}${edited}${reacted}`);
}
