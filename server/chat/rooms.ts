/**
 * The answers to requests that change rooms.
 *
 * @module
 */

import type { ChatEvent, ChatRequest, ChatResponse } from "../../lib/chat/messages.ts";
import { checkRoomName, checkTopic } from "../../lib/chat/names.ts";
import type { Conversation } from "../store/catalog_chat.ts";
import { userTopic } from "./broker.ts";
import type { ChatContext } from "./context.ts";
import { encodeEvent, publish, toWireRoom } from "./events.ts";

type RoomEvent = Extract<ChatEvent, { event: "room" }>;

/** Answers `room.create`. */
export async function createRoom(
  context: ChatContext,
  request: ChatRequest<"room.create">,
): Promise<ChatResponse<"room.create">> {
  const { catalog, user } = context;
  const { room, topic = "" } = request;
  checkRoomName(room);
  checkTopic(topic);
  const isPrivate = request.private ?? false;
  const made = await catalog.createRoom({ name: room, owner: user, isPrivate, topic });
  tellPlace(context, made, { user, kind: "joined" });
  tell(context, made, { change: "created", user });
  return { room: toWireRoom(await catalog.view(user, room), user) };
}

/** Answers `room.join`. */
export async function joinRoom(
  context: ChatContext,
  { room }: ChatRequest<"room.join">,
): Promise<ChatResponse<"room.join">> {
  const { catalog, user } = context;
  checkRoomName(room);
  const { conversation, joined } = await catalog.join(user, room);
  if (joined) {
    tellPlace(context, conversation, { user, kind: "joined" });
    tell(context, conversation, { change: "joined", user });
  }
  return { room: toWireRoom(await catalog.view(user, room), user), joined };
}

/** Answers `room.leave`. */
export async function leaveRoom(
  context: ChatContext,
  { room }: ChatRequest<"room.leave">,
): Promise<ChatResponse<"room.leave">> {
  const { catalog, user } = context;
  checkRoomName(room);
  const { conversation, wasJoined } = await catalog.leave(user, room);
  if (wasJoined) {
    tell(context, conversation, { change: "left", user });
    tellPlace(context, conversation, { user, kind: "left" });
  }
  return {};
}

/** Answers `room.invite`. */
export async function invite(
  context: ChatContext,
  { room, user }: ChatRequest<"room.invite">,
): Promise<ChatResponse<"room.invite">> {
  checkRoomName(room);
  const { conversation, invited } = await context.catalog.invite(context.user, room, user);
  if (invited) {
    const event: RoomEvent = {
      event: "room",
      room,
      change: "invited",
      user,
      by: context.user,
    };
    tell(context, conversation, { change: "invited", user });
    const notice = { kind: "event", frame: encodeEvent(event), seq: 0 } as const;
    context.broker.publish(userTopic(user), notice);
  }
  return { invited };
}

/** Answers `room.kick`. */
export async function kick(
  context: ChatContext,
  { room, user, ban = false }: ChatRequest<"room.kick">,
): Promise<ChatResponse<"room.kick">> {
  checkRoomName(room);
  const conversation = await context.catalog.expel(context.user, room, { user, ban });
  tell(context, conversation, { change: ban ? "banned" : "kicked", user });
  tellPlace(context, conversation, { user, kind: "left" });
  return {};
}

/** Answers `room.topic`. */
export async function setTopic(
  context: ChatContext,
  { room, topic }: ChatRequest<"room.topic">,
): Promise<ChatResponse<"room.topic">> {
  checkRoomName(room);
  checkTopic(topic);
  const conversation = await context.catalog.setTopic(context.user, room, topic);
  tell(context, conversation, { change: "topic", user: context.user, topic });
  return {};
}

/** Answers `room.role`. */
export async function setRole(
  context: ChatContext,
  { room, user, role }: ChatRequest<"room.role">,
): Promise<ChatResponse<"room.role">> {
  checkRoomName(room);
  const conversation = await context.catalog.setRole(context.user, room, { user, role });
  tell(context, conversation, { change: "role", user, role });
  return {};
}

/** Tells all in a room what changed. */
function tell(
  { broker, user: by }: ChatContext,
  conversation: Conversation,
  change: Omit<RoomEvent, "event" | "room" | "by">,
): void {
  publish(broker, conversation, {
    make: (room) => ({ event: "room", room, by, ...change }),
  });
}

/** Tells all connections of somebody that they hear of a room from now on, or no more. */
function tellPlace(
  { broker }: ChatContext,
  { number }: Conversation,
  { user, kind }: { readonly user: string; readonly kind: "joined" | "left" },
): void {
  broker.publish(userTopic(user), { kind, conversation: number });
}
