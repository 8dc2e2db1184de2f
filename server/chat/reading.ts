/**
 * The answers to requests that only read.
 *
 * @module
 */

import { CHAT_PAGE_MAX } from "../../lib/chat/limits.ts";
import type { ChatMessage, ChatRequest, ChatResponse } from "../../lib/chat/messages.ts";
import { parseChatAddress } from "../../lib/chat/names.ts";
import type { MessageRecord } from "../store/catalog_chat.ts";
import type { ChatContext } from "./context.ts";
import { toWireMember, toWireMessage, toWireRoom } from "./events.ts";

/** Most characters of messages in one answer: each takes up to three bytes, and a frame holds 1 MiB. */
const PAGE_CHARS_MAX = 300_000;

/** Messages in one answer unless the request says how many. */
const PAGE_DEFAULT = 50;

/** Answers `rooms`. */
export async function listRooms(
  { catalog, user }: ChatContext,
  { after, limit = CHAT_PAGE_MAX }: ChatRequest<"rooms">,
): Promise<ChatResponse<"rooms">> {
  const views = await catalog.list(user, { after, limit: limit + 1 });
  const rooms = views.slice(0, limit).map((view) => toWireRoom(view, user));
  return { rooms, more: views.length > limit };
}

/** Answers `members`. */
export async function listMembers(
  { broker, catalog, user }: ChatContext,
  { room, after, limit = CHAT_PAGE_MAX }: ChatRequest<"members">,
): Promise<ChatResponse<"members">> {
  const records = await catalog.members(user, room, { after, limit: limit + 1 });
  const members = records.slice(0, limit).map((record) => toWireMember(record, broker));
  return { members, more: records.length > limit };
}

/** Answers `history`. */
export async function readHistory(
  { catalog, user }: ChatContext,
  request: ChatRequest<"history">,
): Promise<ChatResponse<"history">> {
  const { room, before, after, around, limit = PAGE_DEFAULT } = request;
  parseChatAddress(room);
  if (around !== undefined) {
    const found = await catalog.history(user, room, { around, limit });
    return fitPage(found, { user, limit });
  }
  const found = await catalog.history(user, room, { before, after, limit: limit + 1 });
  if (after !== undefined) return fitPage(found, { user, limit });
  // The newest are wanted, so what does not fit is cut off where the old ones are.
  const page = fitPage(found.toReversed(), { user, limit });
  return { messages: page.messages.toReversed(), more: page.more };
}

/** Answers `search`. */
export async function search(
  { catalog, user }: ChatContext,
  { text, room, before, limit = PAGE_DEFAULT }: ChatRequest<"search">,
): Promise<ChatResponse<"search">> {
  const found = await catalog.search(user, { text, in: room, before, limit: limit + 1 });
  return fitPage(found, { user, limit });
}

/** Answers `sync`. */
export async function sync(
  { catalog, user }: ChatContext,
  { after, limit = PAGE_DEFAULT }: ChatRequest<"sync">,
): Promise<ChatResponse<"sync">> {
  // Before the messages: what comes between the two is given, and not only counted.
  const head = await catalog.head();
  const found = await catalog.changes(user, { after, limit: limit + 1 });
  return { ...fitPage(found, { user, limit }), head };
}

/** As many messages as fit one answer, at least one. */
function fitPage(
  records: readonly MessageRecord[],
  { user, limit }: { readonly user: string; readonly limit: number },
): { messages: ChatMessage[]; more: boolean } {
  const messages: ChatMessage[] = [];
  let chars = 0;
  for (const record of records.slice(0, limit)) {
    const message = toWireMessage(record, user);
    chars += JSON.stringify(message).length;
    if (messages.length > 0 && chars > PAGE_CHARS_MAX) break;
    messages.push(message);
  }
  return { messages, more: messages.length < records.length };
}
