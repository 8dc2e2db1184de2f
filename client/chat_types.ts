/**
 * What the chat's client returns, spelled out: the wire's schemas are its own business.
 *
 * @module
 */

/** Roles in a room, the one that may most first. */
export type RoomRole = "owner" | "moderator" | "member";

/** A message. */
export interface ChatMessage {
  /** Ascending over the whole server, given when it was stored. */
  readonly id: number;
  /** Number of its last change; the id itself while there was none. */
  readonly seq: number;
  /** A room's name, or `@` and the other person's. */
  readonly room: string;
  /** Who sent it. */
  readonly from: string;
  /** When it was stored, in milliseconds since 1970. */
  readonly timeMs: number;
  /** Empty once it is redacted. */
  readonly text: string;
  /** What the sender called it. */
  readonly clientId: string;
  /** Id of the message that it answers. */
  readonly replyTo?: number;
  /** People whom it names with `@`. */
  readonly mentions?: readonly string[];
  /** A file of the sender's that it carries, until it is redacted. */
  readonly file?: { readonly name: string; readonly size: number; readonly etag: string };
  /** When it was edited last. */
  readonly editedMs?: number;
  /** When it was redacted. */
  readonly redactedMs?: number;
  /** By whom. */
  readonly redactedBy?: string;
  /** Who reacted with what. */
  readonly reactions?: readonly { readonly emoji: string; readonly users: readonly string[] }[];
}

/** A room, or the direct messages with one person. */
export interface ChatRoom {
  /** A room's name, or `@` and the other person's. */
  readonly room: string;
  /** Whether only those who were invited may join. */
  readonly private: boolean;
  /** What it is for. */
  readonly topic: string;
  /** How many have joined. */
  readonly members: number;
  /** What the user is in it. */
  readonly state: "joined" | "invited" | "none";
  /** What the user may do, where joined. */
  readonly role?: RoomRole;
  /** The newest message; 0 without any, or where the user is not in the room. */
  readonly lastId: number;
  /** Up to where the user has read. */
  readonly readId: number;
  /** Messages of others behind it, counted up to 1000. */
  readonly unread: number;
}

/** A member of a room. */
export interface ChatMember {
  /** Who it is. */
  readonly user: string;
  /** What they may do. */
  readonly role: RoomRole;
  /** Whether a connection of theirs listens. */
  readonly online: boolean;
  /** Up to which message they have received. */
  readonly delivered: number;
  /** Up to which message they have read. */
  readonly read: number;
}

/** Something that happened. */
export type ChatEvent =
  | {
    /** A message that is new or changed. */
    readonly event: "message";
    readonly message: ChatMessage;
  }
  | {
    /** Somebody writes. */
    readonly event: "typing";
    readonly room: string;
    readonly user: string;
  }
  | {
    /** Somebody came online or has gone. */
    readonly event: "presence";
    readonly room: string;
    readonly user: string;
    readonly online: boolean;
  }
  | {
    /** Somebody received or read up to here. */
    readonly event: "receipt";
    readonly room: string;
    readonly user: string;
    readonly delivered: number;
    readonly read: number;
  }
  | {
    /** Something about a room changed: whom it is about, and who did it. */
    readonly event: "room";
    readonly room: string;
    readonly change:
      | "created"
      | "joined"
      | "left"
      | "invited"
      | "kicked"
      | "banned"
      | "topic"
      | "role";
    readonly user: string;
    readonly by: string;
    readonly topic?: string;
    readonly role?: RoomRole;
  };
