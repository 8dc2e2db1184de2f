/**
 * The answers to requests that send or change messages, and to what is said without keeping it.
 *
 * @module
 */

import type { ChatRequest, ChatResponse } from "../../lib/chat/messages.ts";
import { checkMessageText, checkReaction, mentionsIn } from "../../lib/chat/names.ts";
import { type ChatContext, requireRate } from "./context.ts";
import { publish, publishMessage, toWireMessage } from "./events.ts";

/** Answers `send`. The catalog decides whether the user may, in the transaction that stores it. */
export async function send(
  context: ChatContext,
  { to, text, clientId, replyTo, file }: ChatRequest<"send">,
): Promise<ChatResponse<"send">> {
  const { broker, catalog, files, user } = context;
  checkMessageText(text);
  requireRate(context);
  const { message, duplicate } = await catalog.addMessage({
    sender: user,
    to,
    text,
    clientId,
    mentions: mentionsIn(text),
    replyTo: replyTo ?? null,
    file: file === undefined ? null : await files.describe(user, file),
  });
  if (!duplicate) publishMessage(broker, message);
  return { message: toWireMessage(message, user), duplicate };
}

/** Answers `edit`. */
export async function edit(
  context: ChatContext,
  { id, text }: ChatRequest<"edit">,
): Promise<ChatResponse<"edit">> {
  const { broker, catalog, user } = context;
  checkMessageText(text);
  requireRate(context);
  const message = await catalog.editMessage(user, id, { text, mentions: mentionsIn(text) });
  publishMessage(broker, message);
  return { message: toWireMessage(message, user) };
}

/** Answers `redact`. */
export async function redact(
  context: ChatContext,
  { id }: ChatRequest<"redact">,
): Promise<ChatResponse<"redact">> {
  const { broker, catalog, user } = context;
  requireRate(context);
  const message = await catalog.redactMessage(user, id);
  publishMessage(broker, message);
  return { message: toWireMessage(message, user) };
}

/** Answers `react`. */
export async function react(
  context: ChatContext,
  { id, emoji, remove = false }: ChatRequest<"react">,
): Promise<ChatResponse<"react">> {
  const { broker, catalog, user } = context;
  checkReaction(emoji);
  requireRate(context);
  const message = await catalog.react(user, id, { emoji, remove });
  publishMessage(broker, message);
  return { message: toWireMessage(message, user) };
}

/** Answers `typing`. */
export async function typing(
  context: ChatContext,
  { to }: ChatRequest<"typing">,
): Promise<ChatResponse<"typing">> {
  const { broker, catalog, user } = context;
  requireRate(context);
  const conversation = await catalog.find(user, to);
  publish(broker, conversation, { make: (room) => ({ event: "typing", room, user }) });
  return {};
}

/** Answers `receipt`. */
export async function receipt(
  context: ChatContext,
  { room: address, delivered, read }: ChatRequest<"receipt">,
): Promise<ChatResponse<"receipt">> {
  const { broker, catalog, user } = context;
  const noted = await catalog.noteReceipt(user, address, { delivered, read });
  if (noted === null) return {};
  publish(broker, noted.conversation, {
    make: (room) => ({
      event: "receipt",
      room,
      user,
      delivered: noted.delivered,
      read: noted.read,
    }),
  });
  return {};
}
