/**
 * The work behind `trivet chat tail`, `history` and `search`.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import type { ChatClient } from "../chat.ts";
import { openChat, toJson, toLine } from "./chat_access.ts";
import type { ChatTransportOptions } from "../chat_dialer.ts";
import type { ChatMessage } from "../chat_types.ts";
import type { ClientContext } from "./context.ts";

/** Messages that `tail` shows without `--since`. */
const TAIL_MESSAGES = 10;

const PAGE = 100;

/** Which messages `history` shows. */
export interface HistoryValues {
  readonly before?: number | undefined;
  readonly after?: number | undefined;
  readonly around?: number | undefined;
  readonly limit: number;
}

/** Shows the newest messages of a room, and those to come. */
export async function tailRoom(
  context: ClientContext,
  room: string,
  options: {
    readonly sinceMs: number | undefined;
    readonly follow: boolean;
    readonly way: ChatTransportOptions;
  },
): Promise<void> {
  const { output, signal } = context;
  await using chat = await openChat(context, options.way);
  // First: what comes while the newest messages are read is followed, too.
  const after = await chat.head(signal);
  const recent = await readRecent(chat, room, { sinceMs: options.sinceMs, signal });
  for (const message of recent) print(context, message);
  if (!options.follow) return;
  const seen = new Set(recent.map(({ seq }) => seq));
  const events = chat.follow({
    after,
    signal,
    onListening: () => output.note(`Listening to ${room}; Ctrl-C ends`),
    onRetry: (error) => output.warn(`${error.message}; connecting again`),
  });
  for await (const event of events) {
    if (event.event === "message" && event.message.room === room && !seen.has(event.message.seq)) {
      print(context, event.message);
    }
    const isOut = event.event === "room" && event.room === room && event.user === chat.user &&
      (event.change === "kicked" || event.change === "banned");
    if (isOut) throw new TrivetError("NOT_A_MEMBER", `${event.by} took you out of the room`);
  }
}

/** Shows one page. */
export async function showHistory(
  context: ClientContext,
  room: string,
  { before, after, around, limit }: HistoryValues,
): Promise<void> {
  const { output, signal } = context;
  await using chat = await openChat(context);
  const { messages, more } = await chat.history(room, {
    limit,
    signal,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    ...(around === undefined ? {} : { around }),
  });
  for (const line of messages.flatMap(toLine)) output.line(line);
  output.json({ messages: messages.map(toJson), more });
}

/** Prints everything behind an id. */
export async function exportRoom(
  context: ClientContext,
  room: string,
  after: number,
): Promise<void> {
  await using chat = await openChat(context);
  for await (const message of chat.messages(room, { after, signal: context.signal })) {
    print(context, message);
  }
}

/** Shows what was found. */
export async function searchMessages(
  context: ClientContext,
  text: string,
  { room, before, limit }: {
    readonly room: string | undefined;
    readonly before: number | undefined;
    readonly limit: number;
  },
): Promise<void> {
  const { output, signal } = context;
  await using chat = await openChat(context);
  const { messages, more } = await chat.search(text, {
    limit,
    signal,
    ...(room === undefined ? {} : { room }),
    ...(before === undefined ? {} : { before }),
  });
  for (const message of messages) {
    const [first = "", ...rest] = toLine(message);
    for (const line of [`${message.room}  ${first}`, ...rest]) output.line(line);
  }
  output.json({ messages: messages.map(toJson), more });
}

/** The newest messages, or all since a time, ascending. */
async function readRecent(
  chat: ChatClient,
  room: string,
  { sinceMs, signal }: { readonly sinceMs: number | undefined; readonly signal: AbortSignal },
): Promise<ChatMessage[]> {
  if (sinceMs === undefined) {
    return (await chat.history(room, { limit: TAIL_MESSAGES, signal })).messages;
  }
  const firstMs = Date.now() - sinceMs;
  let recent: ChatMessage[] = [];
  for (;;) {
    const [oldest] = recent;
    const query = oldest === undefined ? {} : { before: oldest.id };
    const { messages, more } = await chat.history(room, { ...query, limit: PAGE, signal });
    const fitting = messages.filter(({ timeMs }) => timeMs >= firstMs);
    recent = [...fitting, ...recent];
    if (!more || fitting.length < messages.length) return recent;
  }
}

/** One message as lines, or as a line of JSON. */
function print({ output }: ClientContext, message: ChatMessage): void {
  output.jsonLine(toJson(message));
  for (const line of toLine(message)) output.line(line);
}
