/**
 * Messages in SQLite, as they are written. Functions here run inside a transaction of `SqliteChat`.
 *
 * @module
 */

import { parseChatAddress } from "../../lib/chat/names.ts";
import { TrivetError } from "../../lib/errors.ts";
import type {
  ChatCatalogLimits,
  Conversation,
  FileRecord,
  MessageRecord,
  NewMessage,
} from "./catalog_chat.ts";
import { findMessage } from "./sqlite_chat_history.ts";
import { openPair, requirePlace } from "./sqlite_chat_rooms.ts";
import { nextNumber } from "./sqlite_chat_sequence.ts";
import type { SqliteDatabase } from "./sqlite_database.ts";
import { integer } from "./sqlite_values.ts";

/** Who changes which message. */
export interface MessageChange {
  readonly user: string;
  readonly id: number;
}

/** Stores a message, or finds the one that was stored under the same id of its sender. */
export function insertMessage(
  db: SqliteDatabase,
  message: NewMessage,
  nowMs: number,
): { message: MessageRecord; duplicate: boolean } {
  const { sender, clientId } = message;
  const known = db.get(
    "SELECT id FROM chat_messages WHERE account = ? AND client_id = ?",
    ...[sender, clientId],
  );
  if (known !== undefined) {
    const stored = requireMessage(db, integer(known, "id"));
    requireSame(stored, message);
    return { message: stored, duplicate: true };
  }
  const conversation = targetOf(db, message, nowMs);
  const { replyTo, file = null } = message;
  if (replyTo !== null && findMessage(db, replyTo)?.conversation.number !== conversation.number) {
    throw noMessage(replyTo);
  }
  const id = nextNumber(db);
  db.run(
    `INSERT INTO chat_messages (id, changed, conversation, sender, account, client_id, sent_at_ms,
       text, mentions, reply_to, file) VALUES (?1, ?1, ?2, ?3, ?3, ?4, ?5, ?6, ?7, ?8, ?9)`,
    ...[id, conversation.number, sender, clientId, nowMs, message.text],
    ...[JSON.stringify(message.mentions), replyTo, file === null ? null : JSON.stringify(file)],
  );
  // Who writes has seen what is above.
  db.run(
    `UPDATE chat_members SET delivered_id = ?1, read_id = ?1 WHERE conversation = ?2 AND user = ?3`,
    ...[id, conversation.number, sender],
  );
  // What was just written need not be read again.
  const { number, name, users } = conversation;
  const unchanged = { editedAtMs: null, redactedAtMs: null, redactedBy: null, reactions: [] };
  const { text, mentions } = message;
  const record = { id, seq: id, conversation: { number, name, users }, sender, clientId, text };
  return {
    message: { ...record, sentAtMs: nowMs, mentions, file, replyTo, ...unchanged },
    duplicate: false,
  };
}

/** Replaces the text of the user's own message. */
export function updateText(
  db: SqliteDatabase,
  { user, id }: MessageChange,
  change: {
    readonly text: string;
    readonly mentions: readonly string[];
    readonly nowMs: number;
  },
): MessageRecord {
  const { message } = requireVisible(db, user, id);
  if (!isOwn(db, user, id) || message.redactedAtMs !== null) {
    throw new TrivetError("PERMISSION_DENIED", `You may not edit message ${id}`);
  }
  db.run(
    "UPDATE chat_messages SET text = ?, mentions = ?, edited_at_ms = ?, changed = ? WHERE id = ?",
    ...[change.text, JSON.stringify(change.mentions), change.nowMs, nextNumber(db), id],
  );
  return requireMessage(db, id);
}

/** Takes the text away, and what was said about it. */
export function eraseText(
  db: SqliteDatabase,
  { user, id }: MessageChange,
  nowMs: number,
): MessageRecord {
  const { message, role } = requireVisible(db, user, id);
  if (message.redactedAtMs !== null) return message;
  if (!isOwn(db, user, id) && role === "member") {
    throw new TrivetError("PERMISSION_DENIED", `You may not redact message ${id}`);
  }
  db.run("DELETE FROM chat_reactions WHERE message = ?", id);
  db.run(
    `UPDATE chat_messages SET text = '', mentions = '[]', file = NULL, redacted_at_ms = ?, redacted_by = ?,
       changed = ? WHERE id = ?`,
    ...[nowMs, user, nextNumber(db), id],
  );
  return requireMessage(db, id);
}

/** Adds a reaction or takes it back. */
export function updateReaction(
  db: SqliteDatabase,
  { user, id }: MessageChange,
  reaction: {
    readonly emoji: string;
    readonly remove: boolean;
    readonly limits: ChatCatalogLimits;
  },
): MessageRecord {
  const { message } = requireVisible(db, user, id);
  const { emoji, remove, limits } = reaction;
  if (message.redactedAtMs !== null) throw noMessage(id);
  const isThere = message.reactions.some((each) => each.emoji === emoji && each.user === user);
  if (isThere === !remove) return message;
  if (!remove && message.reactions.length >= limits.reactionsMax) {
    throw new TrivetError(
      "TOO_MANY_REACTIONS",
      `Message ${id} has ${limits.reactionsMax} reactions, which is the limit`,
      { details: { limit: limits.reactionsMax } },
    );
  }
  const sql = remove
    ? "DELETE FROM chat_reactions WHERE message = ? AND emoji = ? AND user = ?"
    : "INSERT INTO chat_reactions (message, emoji, user) VALUES (?, ?, ?)";
  db.run(sql, id, emoji, user);
  db.run("UPDATE chat_messages SET changed = ? WHERE id = ?", nextNumber(db), id);
  return requireMessage(db, id);
}

/** The file that a message carries; see `ChatCatalog.fileOf`. */
export function requireFile(
  db: SqliteDatabase,
  { user, id }: MessageChange,
): FileRecord & { readonly owner: string } {
  const { message } = requireVisible(db, user, id);
  const row = db.get("SELECT account FROM chat_messages WHERE id = ?", id);
  const owner = row?.["account"];
  if (message.file === null || typeof owner !== "string") {
    throw new TrivetError("NOT_FOUND", `Message ${id} carries no file`);
  }
  return { ...message.file, owner };
}

function targetOf(db: SqliteDatabase, { sender, to }: NewMessage, nowMs: number): Conversation {
  const target = parseChatAddress(to);
  if (target.kind === "direct") return openPair(db, [sender, target.user], nowMs);
  return requirePlace(db, sender, to).conversation;
}

/** A message that the user may see, and their role where it stands. */
function requireVisible(
  db: SqliteDatabase,
  user: string,
  id: number,
): { message: MessageRecord; role: string } {
  const message = findMessage(db, id);
  const place = message === null ? undefined : db.get(
    "SELECT role FROM chat_members WHERE conversation = ? AND user = ? AND state = 'joined'",
    ...[message.conversation.number, user],
  );
  if (message === null || place === undefined) throw noMessage(id);
  return { message, role: String(place["role"]) };
}

function isOwn(db: SqliteDatabase, user: string, id: number): boolean {
  const sql = "SELECT 1 AS found FROM chat_messages WHERE id = ? AND account = ?";
  return db.get(sql, id, user) !== undefined;
}

function requireMessage(db: SqliteDatabase, id: number): MessageRecord {
  const message = findMessage(db, id);
  if (message === null) throw noMessage(id);
  return message;
}

function requireSame(stored: MessageRecord, { sender, to, text }: NewMessage): void {
  const { name, users } = stored.conversation;
  const address = name ?? `@${users?.find((user) => user !== sender) ?? ""}`;
  // What was edited or redacted since is another text, and yet the same message.
  const isChanged = stored.editedAtMs !== null || stored.redactedAtMs !== null;
  if (address === to && (isChanged || stored.text === text)) return;
  throw new TrivetError("INVALID_REQUEST", "The client's id belongs to another message");
}

function noMessage(id: number): TrivetError {
  return new TrivetError("MESSAGE_NOT_FOUND", `There is no message ${id}`);
}
