/**
 * Rooms and their members in SQLite. Functions here run inside a transaction of `SqliteChat`.
 *
 * @module
 */

import type { RoomRole } from "../../lib/chat/limits.ts";
import { parseChatAddress } from "../../lib/chat/names.ts";
import { TrivetError } from "../../lib/errors.ts";
import { quoteName } from "../../lib/netdisk/path.ts";
import type {
  ChatCatalogLimits,
  Conversation,
  MemberRecord,
  NamePage,
  NewRoom,
} from "./catalog_chat.ts";
import type { Row, SqliteDatabase } from "./sqlite_database.ts";
import { integer, text } from "./sqlite_values.ts";

/** A conversation's columns, for {@linkcode toConversation}. */
export const CONVERSATION_COLUMNS = "c.number, c.name, c.user_a, c.user_b, c.private, c.topic";

/** A user's place in a conversation. */
export interface Place {
  readonly conversation: Conversation;
  readonly state: string;
  readonly role: RoomRole;
}

const RANKS: Readonly<Record<RoomRole, number>> = { owner: 2, moderator: 1, member: 0 };

/** A conversation from {@linkcode CONVERSATION_COLUMNS}. */
export function toConversation(row: Row): Conversation {
  const name = row["name"] === null ? null : text(row, "name");
  return {
    number: integer(row, "number"),
    name,
    users: name === null ? [text(row, "user_a"), text(row, "user_b")] : null,
    isPrivate: integer(row, "private") === 1,
    topic: text(row, "topic"),
  };
}

/** The two of a pair of people, in the order in which they are stored. */
export function sortedPair(a: string, b: string): readonly [string, string] {
  return a < b ? [a, b] : [b, a];
}

/** What a user sees under a room's name: what they are in before what they are invited to. */
export function findPlace(
  db: SqliteDatabase,
  user: string,
  name: string,
  prefers: "joined" | "invited" = "joined",
): Place | undefined {
  const row = db.get(
    `SELECT ${CONVERSATION_COLUMNS}, coalesce(m.state, 'none') AS state,
       coalesce(m.role, 'member') AS role
     FROM chat_conversations c
     LEFT JOIN chat_members m ON m.conversation = c.number AND m.user = ?
     WHERE c.kind = 'room' AND c.name = ?
       AND (c.private = 0 OR coalesce(m.state, '') IN ('joined', 'invited'))
     ORDER BY coalesce(m.state, '') = ? DESC, coalesce(m.state, '') IN ('joined', 'invited') DESC,
       c.number
     LIMIT 1`,
    ...[user, name, prefers],
  );
  if (row === undefined) return undefined;
  return {
    conversation: toConversation(row),
    state: text(row, "state"),
    role: text(row, "role") as RoomRole,
  };
}

/** A user's place in a conversation that they have joined; a room or direct messages. */
export function requirePlace(db: SqliteDatabase, user: string, address: string): Place {
  const target = parseChatAddress(address);
  if (target.kind === "direct") {
    const conversation = findPair(db, user, target.user);
    if (conversation === undefined) {
      const text = `There are no messages between you and ${quoteName(target.user)}`;
      throw new TrivetError("ROOM_NOT_FOUND", text);
    }
    return { conversation, state: "joined", role: "member" };
  }
  const place = findPlace(db, user, target.name);
  if (place === undefined) throw notFound(target.name);
  if (place.state !== "joined") {
    throw new TrivetError("NOT_A_MEMBER", `You are not in room ${quoteName(target.name)}`);
  }
  return place;
}

/** The direct messages of two people. */
export function findPair(db: SqliteDatabase, a: string, b: string): Conversation | undefined {
  const row = db.get(
    `SELECT ${CONVERSATION_COLUMNS} FROM chat_conversations c
     WHERE c.kind = 'direct' AND c.user_a = ? AND c.user_b = ?`,
    ...sortedPair(a, b),
  );
  return row === undefined ? undefined : toConversation(row);
}

/** The direct messages of two people, made when there are none. */
export function openPair(
  db: SqliteDatabase,
  pair: readonly [string, string],
  nowMs: number,
): Conversation {
  const [user, peer] = pair;
  if (user === peer) {
    throw new TrivetError("CHAT_USER_NOT_FOUND", "Cannot send a message to yourself");
  }
  const found = findPair(db, user, peer);
  if (found !== undefined) return found;
  requireUser(db, peer);
  const sorted = sortedPair(user, peer);
  db.run(
    `INSERT INTO chat_conversations (kind, user_a, user_b, private, created_at_ms)
     VALUES ('direct', ?, ?, 1, ?)`,
    ...[...sorted, nowMs],
  );
  const conversation = findPair(db, user, peer);
  if (conversation === undefined) throw new TypeError("The pair was not stored");
  for (const each of sorted) setMember(db, conversation, { user: each, nowMs });
  return conversation;
}

/** Makes a room and its owner. */
export function insertRoom(
  db: SqliteDatabase,
  room: NewRoom,
  { nowMs, limits }: { readonly nowMs: number; readonly limits: ChatCatalogLimits },
): Conversation {
  const { name, owner, isPrivate, topic } = room;
  const seen = findPlace(db, owner, name);
  // A private room may share its name with a public one, but nobody is in two rooms of one name.
  if (seen !== undefined && (!isPrivate || seen.state !== "none")) {
    throw new TrivetError("ROOM_EXISTS", `There is a room ${quoteName(name)} already`);
  }
  const isTaken = !isPrivate && db.get(
        "SELECT 1 AS found FROM chat_conversations WHERE kind = 'room' AND name = ? AND private = 0",
        name,
      ) !== undefined;
  if (isTaken) throw new TrivetError("ROOM_EXISTS", `There is a room ${quoteName(name)} already`);
  requireFewRooms(db, owner, limits);
  db.run(
    `INSERT INTO chat_conversations (kind, name, private, topic, created_at_ms)
     VALUES ('room', ?, ?, ?, ?)`,
    ...[name, isPrivate ? 1 : 0, topic, nowMs],
  );
  const row = db.get(
    `SELECT ${CONVERSATION_COLUMNS} FROM chat_conversations c WHERE c.number = last_insert_rowid()`,
  );
  if (row === undefined) throw new TypeError("The room was not stored");
  const conversation = toConversation(row);
  setMember(db, conversation, { user: owner, role: "owner", nowMs });
  return conversation;
}

/** Makes somebody a member. */
export function joinRoom(
  db: SqliteDatabase,
  { user, name }: { readonly user: string; readonly name: string },
  { nowMs, limits }: { readonly nowMs: number; readonly limits: ChatCatalogLimits },
): { conversation: Conversation; joined: boolean } {
  const place = findPlace(db, user, name, "invited");
  if (place === undefined) throw notFound(name);
  const { conversation } = place;
  if (place.state === "joined") return { conversation, joined: false };
  if (place.state === "banned") {
    throw new TrivetError("BANNED", `You were banned from room ${quoteName(name)}`);
  }
  if (findPlace(db, user, name)?.state === "joined") {
    const text = `You are in another room ${quoteName(name)}: leave that one first`;
    throw new TrivetError("ROOM_EXISTS", text);
  }
  requireFewRooms(db, user, limits);
  const members = countMembers(db, conversation);
  if (members >= limits.membersMax) {
    const text = `Room ${quoteName(name)} has ${members} members, which is the limit`;
    throw new TrivetError("ROOM_FULL", text, { details: { limit: limits.membersMax } });
  }
  setMember(db, conversation, { user, nowMs });
  // A room whose last owner has gone would have nobody to look after it.
  chooseHeir(db, conversation);
  return { conversation, joined: true };
}

/** Takes somebody out who wants to go. */
export function leaveRoom(
  db: SqliteDatabase,
  user: string,
  name: string,
): { conversation: Conversation; wasJoined: boolean } {
  const place = findPlace(db, user, name);
  if (place === undefined) throw notFound(name);
  const { conversation, state } = place;
  if (state !== "joined" && state !== "invited") {
    throw new TrivetError("NOT_A_MEMBER", `You are not in room ${quoteName(name)}`);
  }
  removeMember(db, conversation, user);
  return { conversation, wasJoined: state === "joined" };
}

/** Lets somebody in who is not. */
export function inviteTo(
  db: SqliteDatabase,
  { by, name, user }: { readonly by: string; readonly name: string; readonly user: string },
  nowMs: number,
): { conversation: Conversation; invited: boolean } {
  const place = requirePlace(db, by, name);
  const { conversation } = place;
  requireUser(db, user);
  const found = memberOf(db, conversation, user);
  if (found?.state === "joined") return { conversation, invited: false };
  if ((conversation.isPrivate || found?.state === "banned") && RANKS[place.role] === 0) {
    throw new TrivetError("PERMISSION_DENIED", "Only moderators invite to this room");
  }
  setMember(db, conversation, { user, state: "invited", nowMs });
  return { conversation, invited: true };
}

/** Takes somebody out, whether they want to or not. */
export function expelFrom(
  db: SqliteDatabase,
  { by, name, user }: { readonly by: string; readonly name: string; readonly user: string },
  { ban, nowMs }: { readonly ban: boolean; readonly nowMs: number },
): Conversation {
  const { conversation, role } = requirePlace(db, by, name);
  const rank = RANKS[role];
  const target = memberOf(db, conversation, user);
  if (rank === 0 || (target !== undefined && RANKS[target.role] >= rank)) {
    throw new TrivetError("PERMISSION_DENIED", `You may not take ${quoteName(user)} out`);
  }
  if (target === undefined || target.state === "banned") {
    if (!ban) {
      const text = `${quoteName(user)} is not in room ${quoteName(name)}`;
      throw new TrivetError("CHAT_USER_NOT_FOUND", text);
    }
    requireUser(db, user);
  }
  if (ban) setMember(db, conversation, { user, state: "banned", nowMs });
  else removeMember(db, conversation, user);
  return conversation;
}

/** Changes the topic. */
export function updateTopic(
  db: SqliteDatabase,
  { by, name }: { readonly by: string; readonly name: string },
  topic: string,
): Conversation {
  const { conversation, role } = requirePlace(db, by, name);
  if (RANKS[role] === 0) {
    throw new TrivetError("PERMISSION_DENIED", "Only moderators set the topic of a room");
  }
  db.run("UPDATE chat_conversations SET topic = ? WHERE number = ?", topic, conversation.number);
  return { ...conversation, topic };
}

/** Changes a member's role. */
export function updateRole(
  db: SqliteDatabase,
  { by, name, user }: { readonly by: string; readonly name: string; readonly user: string },
  role: RoomRole,
): Conversation {
  const place = requirePlace(db, by, name);
  const { conversation } = place;
  if (place.role !== "owner") {
    throw new TrivetError("PERMISSION_DENIED", "Only owners give roles in a room");
  }
  if (memberOf(db, conversation, user)?.state !== "joined") {
    const text = `${quoteName(user)} is not in room ${quoteName(name)}`;
    throw new TrivetError("CHAT_USER_NOT_FOUND", text);
  }
  db.run(
    "UPDATE chat_members SET role = ? WHERE conversation = ? AND user = ?",
    ...[role, conversation.number, user],
  );
  chooseHeir(db, conversation);
  return conversation;
}

/** Members by name. */
export function selectMembers(
  db: SqliteDatabase,
  { number }: Conversation,
  { after, limit }: NamePage,
): MemberRecord[] {
  const rows = db.all(
    `SELECT user, role, delivered_id, read_id FROM chat_members
     WHERE conversation = ? AND state = 'joined' AND user > ? ORDER BY user LIMIT ?`,
    ...[number, after ?? "", limit],
  );
  return rows.map((row) => ({
    user: text(row, "user"),
    role: text(row, "role") as RoomRole,
    deliveredId: integer(row, "delivered_id"),
    readId: integer(row, "read_id"),
  }));
}

/** How many have joined. */
export function countMembers(db: SqliteDatabase, { number }: Conversation): number {
  const row = db.get(
    "SELECT count(*) AS n FROM chat_members WHERE conversation = ? AND state = 'joined'",
    number,
  );
  return row === undefined ? 0 : integer(row, "n");
}

/** What a room is called that a user cannot see, whether it exists or not. */
export function notFound(name: string): TrivetError {
  return new TrivetError("ROOM_NOT_FOUND", `There is no room ${quoteName(name)}`);
}

function memberOf(
  db: SqliteDatabase,
  { number }: Conversation,
  user: string,
): { state: string; role: RoomRole } | undefined {
  const row = db.get(
    "SELECT state, role FROM chat_members WHERE conversation = ? AND user = ?",
    ...[number, user],
  );
  if (row === undefined) return undefined;
  return { state: text(row, "state"), role: text(row, "role") as RoomRole };
}

function setMember(
  db: SqliteDatabase,
  { number }: Conversation,
  member: {
    readonly user: string;
    readonly state?: string;
    readonly role?: RoomRole;
    readonly nowMs: number;
  },
): void {
  const { user, state = "joined", role = "member", nowMs } = member;
  db.run(
    `INSERT INTO chat_members (conversation, user, state, role, since_ms) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET state = excluded.state, role = excluded.role,
       since_ms = excluded.since_ms`,
    ...[number, user, state, role, nowMs],
  );
}

function removeMember(db: SqliteDatabase, conversation: Conversation, user: string): void {
  const { number, isPrivate } = conversation;
  db.run("DELETE FROM chat_members WHERE conversation = ? AND user = ?", number, user);
  chooseHeir(db, conversation);
  // Nobody could ever see it again.
  if (!isPrivate || countMembers(db, conversation) > 0) return;
  db.run("DELETE FROM chat_conversations WHERE number = ?", number);
}

/** A room that has members has an owner. */
function chooseHeir(db: SqliteDatabase, { number }: Conversation): void {
  db.run(
    `UPDATE chat_members SET role = 'owner'
     WHERE conversation = ?1 AND user = (
       SELECT user FROM chat_members WHERE conversation = ?1 AND state = 'joined'
       ORDER BY role = 'owner' DESC, role = 'moderator' DESC, since_ms, user LIMIT 1
     ) AND role <> 'owner'`,
    number,
  );
}

function requireUser(db: SqliteDatabase, user: string): void {
  const row = db.get("SELECT 1 AS found FROM users WHERE name = ?", user);
  if (row !== undefined) return;
  throw new TrivetError("CHAT_USER_NOT_FOUND", `There is nobody called ${quoteName(user)}`);
}

function requireFewRooms(
  db: SqliteDatabase,
  user: string,
  { roomsPerUserMax }: ChatCatalogLimits,
): void {
  const row = db.get(
    `SELECT count(*) AS n FROM chat_members m
     JOIN chat_conversations c ON c.number = m.conversation
     WHERE m.user = ? AND m.state = 'joined' AND c.kind = 'room'`,
    user,
  );
  if (row === undefined || integer(row, "n") < roomsPerUserMax) return;
  throw new TrivetError(
    "TOO_MANY_ROOMS",
    `You are in ${roomsPerUserMax} rooms, which is the limit`,
    { details: { limit: roomsPerUserMax } },
  );
}
