/**
 * The chat's requests, answers and events: one schema for each, from which both the check and the
 * type come. The wire form of each is a control head (docs/protocol.md).
 *
 * @module
 */

import * as v from "valibot";
import { TrivetError } from "../errors.ts";
import { CHAT_PAGE_MAX, ROOM_ROLES } from "./limits.ts";

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** Id of a message, and number of a change: both come from one ascending sequence of the server. */
const Id = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
/** A room's name, or `@` and a person's; `parseChatAddress` applies the rules. */
const Address = v.pipe(v.string(), v.maxLength(128));
const RoomName = v.pipe(v.string(), v.maxLength(128));
const UserName = v.pipe(v.string(), v.maxLength(64));
/** `checkMessageText` applies the rules; this only bounds what they look at. */
const Text = v.pipe(v.string(), v.maxLength(64 * 1024));
const Emoji = v.pipe(v.string(), v.maxLength(256));
const ClientId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{8,64}$/));
/** Components of a path in the sender's netdisk; the netdisk's rules are applied where it is read. */
const FilePath = v.pipe(v.array(v.pipe(v.string(), v.maxLength(1024))), v.maxLength(256));
const Limit = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(CHAT_PAGE_MAX));

/** Requests by method. */
export const CHAT_REQUESTS = {
  /** One page of the rooms that the user is in, is invited to or may join, and direct messages. */
  rooms: v.strictObject({ after: v.optional(Address), limit: v.optional(Limit) }),
  /** Makes a room; who makes it owns it. */
  "room.create": v.strictObject({
    room: RoomName,
    private: v.optional(v.boolean()),
    topic: v.optional(Text),
  }),
  /** Joins a public room, or one that the user is invited to; being in it already is no error. */
  "room.join": v.strictObject({ room: RoomName }),
  /** Leaves a room, or turns an invitation down. */
  "room.leave": v.strictObject({ room: RoomName }),
  /** Invites somebody, also somebody who was banned. */
  "room.invite": v.strictObject({ room: RoomName, user: UserName }),
  /** Takes somebody out of a room; with `ban`, for as long as nobody invites them again. */
  "room.kick": v.strictObject({ room: RoomName, user: UserName, ban: v.optional(v.boolean()) }),
  /** Sets a room's topic. */
  "room.topic": v.strictObject({ room: RoomName, topic: Text }),
  /** Gives a member a role. */
  "room.role": v.strictObject({
    room: RoomName,
    user: UserName,
    role: v.picklist(ROOM_ROLES),
  }),
  /** One page of a room's members, sorted by name. */
  members: v.strictObject({
    room: Address,
    after: v.optional(UserName),
    limit: v.optional(Limit),
  }),
  /**
   * Stores a message; the answer comes once the disk holds it, or the system where the server does not
   * wait for the disk. The same `clientId` of the same user again is answered with what is stored. With
   * `file`, who may read it may fetch that file, too.
   */
  send: v.strictObject({
    to: Address,
    text: Text,
    clientId: ClientId,
    replyTo: v.optional(Id),
    file: v.optional(FilePath),
  }),
  /** Replaces the text of one's own message. */
  edit: v.strictObject({ id: Id, text: Text }),
  /** Takes the text of a message away: one's own, or as a moderator anybody's. */
  redact: v.strictObject({ id: Id }),
  /** Adds a reaction to a message, or takes it back. */
  react: v.strictObject({ id: Id, emoji: Emoji, remove: v.optional(v.boolean()) }),
  /** Messages of one room, ascending: the newest, or those beside the given ids. */
  history: v.strictObject({
    room: Address,
    before: v.optional(Id),
    after: v.optional(v.pipe(Count)),
    around: v.optional(Id),
    limit: v.optional(Limit),
  }),
  /** Messages that hold every word of the text, the newest first. */
  search: v.strictObject({
    text: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
    room: v.optional(Address),
    before: v.optional(Id),
    limit: v.optional(Limit),
  }),
  /** From now on events come; `head` is the newest change before the first of them. */
  subscribe: v.strictObject({}),
  /** Messages of all the user's rooms that came or changed behind `after`, in the order of that. */
  sync: v.strictObject({ after: Count, limit: v.optional(Limit) }),
  /** Says that the user is writing. */
  typing: v.strictObject({ to: Address }),
  /** Says up to which message the user has received and read; never goes back. */
  receipt: v.strictObject({
    room: Address,
    delivered: v.optional(Id),
    read: v.optional(Id),
  }),
} as const;

/** Methods that the audit log leaves out: they change nothing but messages, which are kept themselves. */
export const CHAT_UNRECORDED: ReadonlySet<string> = new Set<ChatMethod>([
  "rooms",
  "members",
  "send",
  "edit",
  "react",
  "history",
  "search",
  "subscribe",
  "sync",
  "typing",
  "receipt",
]);

/** A method of the chat. */
export type ChatMethod = keyof typeof CHAT_REQUESTS;

/** The request head of a method. */
export type ChatRequest<M extends ChatMethod> = v.InferOutput<typeof CHAT_REQUESTS[M]>;

const Message = v.object({
  /** Ascending over the whole server, given when it was stored. */
  id: Id,
  /** Number of its last change; the id itself while there was none. */
  seq: Id,
  /** A room's name, or `@` and the other person's. */
  room: v.string(),
  from: v.string(),
  timeMs: Count,
  /** Empty once it is redacted. */
  text: v.string(),
  /** What the sender called it. */
  clientId: v.string(),
  replyTo: v.exactOptional(Id),
  mentions: v.exactOptional(v.array(v.string())),
  /** A file of the sender's, as it was when it was sent; not once the message is redacted. */
  file: v.exactOptional(v.object({ name: v.string(), size: Count, etag: v.string() })),
  editedMs: v.exactOptional(Count),
  redactedMs: v.exactOptional(Count),
  redactedBy: v.exactOptional(v.string()),
  reactions: v.exactOptional(
    v.array(v.object({ emoji: v.string(), users: v.array(v.string()) })),
  ),
});

/** A message. */
export type ChatMessage = v.InferOutput<typeof Message>;

const Room = v.object({
  /** A room's name, or `@` and the other person's. */
  room: v.string(),
  private: v.boolean(),
  topic: v.string(),
  members: Count,
  /** What the user is in it. */
  state: v.picklist(["joined", "invited", "none"]),
  role: v.exactOptional(v.picklist(ROOM_ROLES)),
  /** The newest message; 0 without any, or where the user is not in the room. */
  lastId: Count,
  /** Up to where the user has read. */
  readId: Count,
  /** Messages of others behind it, counted up to 1000. */
  unread: Count,
});

/** A room, or the direct messages with one person. */
export type ChatRoom = v.InferOutput<typeof Room>;

const Member = v.object({
  user: v.string(),
  role: v.picklist(ROOM_ROLES),
  online: v.boolean(),
  /** Up to which message the person has received, and read. */
  delivered: Count,
  read: Count,
});

/** A member of a room. */
export type ChatMember = v.InferOutput<typeof Member>;

const Page = v.object({ messages: v.array(Message), more: v.boolean() });

/** Answers by method: the head of RESPONSE. */
export const CHAT_RESPONSES = {
  rooms: v.object({ rooms: v.array(Room), more: v.boolean() }),
  "room.create": v.object({ room: Room }),
  "room.join": v.object({ room: Room, joined: v.boolean() }),
  "room.leave": v.object({}),
  "room.invite": v.object({ invited: v.boolean() }),
  "room.kick": v.object({}),
  "room.topic": v.object({}),
  "room.role": v.object({}),
  members: v.object({ members: v.array(Member), more: v.boolean() }),
  send: v.object({ message: Message, duplicate: v.boolean() }),
  edit: v.object({ message: Message }),
  redact: v.object({ message: Message }),
  react: v.object({ message: Message }),
  history: Page,
  search: Page,
  subscribe: v.object({ head: Count }),
  sync: v.object({ messages: v.array(Message), more: v.boolean(), head: Count }),
  typing: v.object({}),
  receipt: v.object({}),
} as const;

/** The response head of a method. */
export type ChatResponse<M extends ChatMethod> = v.InferOutput<typeof CHAT_RESPONSES[M]>;

/** What happened to a room or to somebody's place in it. */
export const ROOM_CHANGES = [
  "created",
  "joined",
  "left",
  "invited",
  "kicked",
  "banned",
  "topic",
  "role",
] as const;

/** The head of EVENT on a connection that has subscribed. */
export const ChatEvent = v.variant("event", [
  /** A message that is new or changed. */
  v.object({ event: v.literal("message"), message: Message }),
  /** Somebody writes. */
  v.object({ event: v.literal("typing"), room: v.string(), user: v.string() }),
  /** Somebody in the room came online or has gone. */
  v.object({
    event: v.literal("presence"),
    room: v.string(),
    user: v.string(),
    online: v.boolean(),
  }),
  /** Somebody received or read up to here. */
  v.object({
    event: v.literal("receipt"),
    room: v.string(),
    user: v.string(),
    delivered: Count,
    read: Count,
  }),
  /** Something about a room changed. */
  v.object({
    event: v.literal("room"),
    room: v.string(),
    change: v.picklist(ROOM_CHANGES),
    /** Whom it is about. */
    user: v.string(),
    /** Who did it. */
    by: v.string(),
    topic: v.exactOptional(v.string()),
    role: v.exactOptional(v.picklist(ROOM_ROLES)),
  }),
]);
/** See {@linkcode ChatEvent}. */
export type ChatEvent = v.InferOutput<typeof ChatEvent>;

/** Whether `method` is one of the chat's. */
export function isChatMethod(method: string): method is ChatMethod {
  return Object.hasOwn(CHAT_REQUESTS, method);
}

/**
 * Checks a request's head.
 *
 * @throws {TrivetError} `INVALID_REQUEST`.
 */
export function checkChatRequest<M extends ChatMethod>(method: M, head: unknown): ChatRequest<M> {
  const result = v.safeParse(CHAT_REQUESTS[method], head);
  if (!result.success) {
    const issues = v.summarize(result.issues);
    throw new TrivetError("INVALID_REQUEST", `Cannot read request "${method}": ${issues}`);
  }
  return result.output as ChatRequest<M>;
}

/**
 * Checks a response's head.
 *
 * @throws {TrivetError} `PROTOCOL_ERROR`.
 */
export function checkChatResponse<M extends ChatMethod>(
  method: M,
  head: unknown,
): ChatResponse<M> {
  const result = v.safeParse(CHAT_RESPONSES[method], head);
  if (!result.success) {
    const issues = v.summarize(result.issues);
    throw new TrivetError("PROTOCOL_ERROR", `Cannot read response "${method}": ${issues}`);
  }
  return result.output as ChatResponse<M>;
}
