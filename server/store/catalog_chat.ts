/**
 * The port to what the chat keeps: rooms, members, messages. Every operation is one transaction, which
 * also decides whether its user may do it, so that nobody who was taken out meanwhile still can. What
 * changes a message or a room is on the disk when its promise resolves, and such promises resolve in
 * the order of the changes. An implementation passes the suite in
 * `tests/server/store/chat_contract.ts`.
 *
 * A room is named by its name; of several with one name, private ones that the user is not in do not
 * exist for them. `@name` means the direct messages with a person.
 *
 * @module
 */

import type { RoomRole } from "../../lib/chat/limits.ts";

/** A room, or the direct messages of two people. */
export interface Conversation {
  /** Never given again. */
  readonly number: number;
  /** The room's name; null for direct messages. */
  readonly name: string | null;
  /** The two people of direct messages, sorted; null for a room. */
  readonly users: readonly [string, string] | null;
  /** Whether only those who were invited may join. */
  readonly isPrivate: boolean;
  /** What the room is for. */
  readonly topic: string;
}

/** What a user is in a room. */
export type MemberState = "joined" | "invited" | "none";

/** A conversation as one user sees it. */
export interface ConversationView extends Conversation {
  readonly state: MemberState;
  readonly role: RoomRole | null;
  /** How many have joined. */
  readonly members: number;
  /** The newest message; 0 without any, or where the user has not joined. */
  readonly lastId: number;
  readonly readId: number;
  /** Messages of others behind `readId`, counted up to {@linkcode UNREAD_MAX}. */
  readonly unread: number;
}

/** Unread messages are counted up to here. */
export const UNREAD_MAX = 1000;

/** A member of a conversation. */
export interface MemberRecord {
  readonly user: string;
  readonly role: RoomRole;
  readonly deliveredId: number;
  readonly readId: number;
}

/** A file in its owner's netdisk, as it was when it was sent. */
export interface FileRecord {
  /** Components of its path. */
  readonly path: readonly string[];
  readonly name: string;
  readonly size: number;
  /** Another one once the file has changed. */
  readonly etag: string;
}

/** A message. */
export interface MessageRecord {
  readonly id: number;
  /** Number of its last change. */
  readonly seq: number;
  readonly conversation: Pick<Conversation, "number" | "name" | "users">;
  readonly sender: string;
  readonly clientId: string;
  readonly sentAtMs: number;
  readonly text: string;
  readonly mentions: readonly string[];
  readonly file: FileRecord | null;
  readonly replyTo: number | null;
  readonly editedAtMs: number | null;
  readonly redactedAtMs: number | null;
  readonly redactedBy: string | null;
  readonly reactions: readonly { readonly emoji: string; readonly user: string }[];
}

/** A room to make. */
export interface NewRoom {
  readonly name: string;
  readonly owner: string;
  readonly isPrivate: boolean;
  readonly topic: string;
}

/** A message to store. */
export interface NewMessage {
  readonly sender: string;
  /** A room's name, or `@` and a person's. */
  readonly to: string;
  readonly text: string;
  readonly clientId: string;
  readonly mentions: readonly string[];
  readonly replyTo: number | null;
  readonly file?: FileRecord | null;
}

/** Limits that are checked where things are stored. */
export interface ChatCatalogLimits {
  /** Rooms that one user may be in. */
  readonly roomsPerUserMax: number;
  /** Members of one room. */
  readonly membersMax: number;
  /** Reactions to one message. */
  readonly reactionsMax: number;
}

/** Which part of a conversation's messages. */
export interface HistoryQuery {
  readonly before?: number | undefined;
  readonly after?: number | undefined;
  readonly around?: number | undefined;
  readonly limit: number;
}

/** A page of something that is sorted by name. */
export interface NamePage {
  readonly after?: string | undefined;
  readonly limit: number;
}

/** What to look for. */
export interface SearchQuery {
  readonly text: string;
  /** Only in this conversation. */
  readonly in?: string | undefined;
  /** Only older ones. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** What may go. */
export interface ExpiryQuery {
  /** Messages sent before this time. */
  readonly sentBeforeMs?: number;
  /** All but so many newest ones of each conversation. */
  readonly keepCount?: number;
  /** Most messages at once. */
  readonly limit: number;
}

/** See the module. Every method may throw `ROOM_NOT_FOUND` and `NOT_A_MEMBER`. */
export interface ChatCatalog {
  /** Makes a room. @throws {TrivetError} `ROOM_EXISTS` or `TOO_MANY_ROOMS`. */
  createRoom(room: NewRoom): Promise<Conversation>;
  /** Joins. @throws {TrivetError} `BANNED`, `TOO_MANY_ROOMS`, `ROOM_FULL` or `ROOM_EXISTS`. */
  join(user: string, name: string): Promise<{ conversation: Conversation; joined: boolean }>;
  /** Leaves; a private room without members goes with all its messages. */
  leave(user: string, name: string): Promise<{ conversation: Conversation; wasJoined: boolean }>;
  /** Invites. @throws {TrivetError} `PERMISSION_DENIED` or `CHAT_USER_NOT_FOUND`. */
  invite(
    by: string,
    name: string,
    user: string,
  ): Promise<{ conversation: Conversation; invited: boolean }>;
  /** Takes somebody out. @throws {TrivetError} `PERMISSION_DENIED` or `CHAT_USER_NOT_FOUND`. */
  expel(
    by: string,
    name: string,
    target: { readonly user: string; readonly ban: boolean },
  ): Promise<Conversation>;
  /** Sets the topic. @throws {TrivetError} `PERMISSION_DENIED`. */
  setTopic(by: string, name: string, topic: string): Promise<Conversation>;
  /** Sets a role. @throws {TrivetError} `PERMISSION_DENIED` or `CHAT_USER_NOT_FOUND`. */
  setRole(
    by: string,
    name: string,
    target: { readonly user: string; readonly role: RoomRole },
  ): Promise<Conversation>;
  /** A conversation that the user has joined. */
  find(user: string, address: string): Promise<Conversation>;
  /** How the user sees one conversation that they have joined. */
  view(user: string, address: string): Promise<ConversationView>;
  /** What the user has joined, is invited to, or may join, sorted by address. */
  list(user: string, page: NamePage): Promise<ConversationView[]>;
  /** All that the user has joined. */
  joinedBy(user: string): Promise<Conversation[]>;
  /** Members by name. */
  members(user: string, address: string, page: NamePage): Promise<MemberRecord[]>;
  /**
   * Stores a message, once for each `clientId` of its sender.
   *
   * @throws {TrivetError} `CHAT_USER_NOT_FOUND`, `MESSAGE_NOT_FOUND` for `replyTo`, or
   * `INVALID_REQUEST` when the id belongs to another message.
   */
  addMessage(message: NewMessage): Promise<{ message: MessageRecord; duplicate: boolean }>;
  /** Replaces the text. @throws {TrivetError} `MESSAGE_NOT_FOUND` or `PERMISSION_DENIED`. */
  editMessage(
    user: string,
    id: number,
    change: { readonly text: string; readonly mentions: readonly string[] },
  ): Promise<MessageRecord>;
  /** Takes the text away. @throws {TrivetError} `MESSAGE_NOT_FOUND` or `PERMISSION_DENIED`. */
  redactMessage(user: string, id: number): Promise<MessageRecord>;
  /** Adds or removes a reaction. @throws {TrivetError} `MESSAGE_NOT_FOUND`, `TOO_MANY_REACTIONS`. */
  react(
    user: string,
    id: number,
    reaction: { readonly emoji: string; readonly remove: boolean },
  ): Promise<MessageRecord>;
  /**
   * The file that a message carries, and whose it is.
   *
   * @throws {TrivetError} `MESSAGE_NOT_FOUND`, also for who may not read the message, and `NOT_FOUND`
   * where it carries none or its sender's account is gone.
   */
  fileOf(user: string, id: number): Promise<FileRecord & { readonly owner: string }>;
  /** Messages of a conversation, ascending. */
  history(user: string, address: string, query: HistoryQuery): Promise<MessageRecord[]>;
  /** Messages with every word of the text, the newest first. */
  search(user: string, query: SearchQuery): Promise<MessageRecord[]>;
  /** Messages of all that the user has joined whose last change is behind `after`, by change. */
  changes(
    user: string,
    query: { readonly after: number; readonly limit: number },
  ): Promise<MessageRecord[]>;
  /** The newest change of any message; 0 before the first. */
  head(): Promise<number>;
  /** Notes what a member has received and read, unless it was noted already; null when so. */
  noteReceipt(
    user: string,
    address: string,
    upTo: { readonly delivered?: number | undefined; readonly read?: number | undefined },
  ): Promise<{ conversation: Conversation; delivered: number; read: number } | null>;
  /** Deletes old messages; how many. */
  expire(query: ExpiryQuery): Promise<number>;
  /** Ends what is under way and closes it. */
  close(): Promise<void>;
}
