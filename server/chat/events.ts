/**
 * What happened, in the form in which others hear of it. A room is called by its name; direct messages
 * are called by whom the one who looks at them talks to.
 *
 * @module
 */

import type { ChatEvent, ChatMember, ChatMessage, ChatRoom } from "../../lib/chat/messages.ts";
import { encodeControl } from "../../lib/frame/encode.ts";
import { FrameType } from "../../lib/frame/frame.ts";
import type {
  Conversation,
  ConversationView,
  MemberRecord,
  MessageRecord,
} from "../store/catalog_chat.ts";
import { type Broker, roomTopic, userTopic } from "./broker.ts";

/** A conversation that can be called by an address. */
type Addressed = Pick<Conversation, "number" | "name" | "users">;

/** What a user calls a conversation. */
export function addressFor({ name, users }: Addressed, user: string): string {
  if (name !== null) return name;
  return `@${users?.find((each) => each !== user) ?? user}`;
}

/** A message as one user sees it. */
export function toWireMessage(record: MessageRecord, user: string): ChatMessage {
  const { id, seq, sender, sentAtMs, text, clientId, file } = record;
  const reactions = new Map<string, string[]>();
  for (const { emoji, user } of record.reactions) {
    reactions.set(emoji, [...reactions.get(emoji) ?? [], user]);
  }
  return {
    id,
    seq,
    room: addressFor(record.conversation, user),
    from: sender,
    timeMs: sentAtMs,
    text,
    clientId,
    ...(record.replyTo === null ? {} : { replyTo: record.replyTo }),
    ...(record.mentions.length === 0 ? {} : { mentions: [...record.mentions] }),
    ...(file === null ? {} : { file: { name: file.name, size: file.size, etag: file.etag } }),
    ...(record.editedAtMs === null ? {} : { editedMs: record.editedAtMs }),
    ...(record.redactedAtMs === null ? {} : { redactedMs: record.redactedAtMs }),
    ...(record.redactedBy === null ? {} : { redactedBy: record.redactedBy }),
    ...(reactions.size === 0
      ? {}
      : { reactions: Array.from(reactions, ([emoji, users]) => ({ emoji, users })) }),
  };
}

/** A conversation as one user sees it. */
export function toWireRoom(view: ConversationView, user: string): ChatRoom {
  const { isPrivate, topic, members, state, role, lastId, readId, unread } = view;
  const room = { room: addressFor(view, user), private: isPrivate, topic, members, state };
  return { ...room, lastId, readId, unread, ...(role === null ? {} : { role }) };
}

/** A member with whether they are online. */
export function toWireMember(record: MemberRecord, broker: Broker): ChatMember {
  const { user, role, deliveredId, readId } = record;
  const online = broker.isOnline(user);
  return { user, role, online, delivered: deliveredId, read: readId };
}

/** Tells all who are in a conversation. */
export function publish(
  broker: Broker,
  conversation: Addressed,
  event: { readonly seq?: number; readonly make: (address: string, user: string) => ChatEvent },
): void {
  const { seq = 0, make } = event;
  const { users, number, name } = conversation;
  if (name !== null) {
    broker.publish(roomTopic(number), { kind: "event", frame: encodeEvent(make(name, "")), seq });
    return;
  }
  for (const user of users ?? []) {
    const frame = encodeEvent(make(addressFor(conversation, user), user));
    broker.publish(userTopic(user), { kind: "event", frame, seq });
  }
}

/** Tells all who may see a message that it is new or changed. */
export function publishMessage(broker: Broker, record: MessageRecord): void {
  publish(broker, record.conversation, {
    seq: record.seq,
    make: (_, user) => ({ event: "message", message: toWireMessage(record, user) }),
  });
}

/** An EVENT frame. */
export function encodeEvent(event: ChatEvent): Uint8Array {
  return encodeControl(FrameType.EVENT, 0, event);
}
