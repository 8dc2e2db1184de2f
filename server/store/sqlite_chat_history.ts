/**
 * Messages in SQLite, as they are read: by id, page by page, by what they say, and by what changed.
 *
 * @module
 */

import type { RoomRole } from "../../lib/chat/limits.ts";
import {
  type Conversation,
  type ConversationView,
  type FileRecord,
  type HistoryQuery,
  type MemberState,
  type MessageRecord,
  type NamePage,
  type SearchQuery,
  UNREAD_MAX,
} from "./catalog_chat.ts";
import { CONVERSATION_COLUMNS, requirePlace, toConversation } from "./sqlite_chat_rooms.ts";
import type { Row, SqliteDatabase } from "./sqlite_database.ts";
import { integer, integerOrNull, text } from "./sqlite_values.ts";

/** Code points below which a word has no trigram, and messages are looked through. */
const TRIGRAM = 3;

/** Newest messages that are looked through for a word without trigrams. */
export const SCAN_MESSAGES_MAX = 100_000;

const MESSAGE_COLUMNS = `m.id, m.changed, m.sender, m.client_id, m.sent_at_ms, m.text, m.mentions,
  m.file, m.reply_to, m.edited_at_ms, m.redacted_at_ms, m.redacted_by,
  c.number, c.name, c.user_a, c.user_b,
  (SELECT json_group_array(json_array(emoji, user) ORDER BY emoji, user)
     FROM chat_reactions WHERE message = m.id) AS reactions`;

const FROM_MESSAGES = "FROM chat_messages m JOIN chat_conversations c ON c.number = m.conversation";

const JOINED = "(SELECT conversation FROM chat_members WHERE user = ? AND state = 'joined')";

/** A message by its id. */
export function findMessage(db: SqliteDatabase, id: number): MessageRecord | null {
  const row = db.get(`SELECT ${MESSAGE_COLUMNS} ${FROM_MESSAGES} WHERE m.id = ?`, id);
  return row === undefined ? null : toMessage(row);
}

/** Messages of a conversation, ascending. */
export function selectHistory(
  db: SqliteDatabase,
  { number }: Conversation,
  query: HistoryQuery,
): MessageRecord[] {
  const { before, after, around, limit } = query;
  if (around !== undefined) {
    const older = selectPage(db, number, { before: around, limit: Math.floor(limit / 2) });
    const newer = selectPage(db, number, { after: around - 1, limit: limit - older.length });
    return [...older, ...newer];
  }
  return selectPage(db, number, { before, after, limit });
}

/** Messages with every word of the text, the newest first. */
export function selectFound(
  db: SqliteDatabase,
  user: string,
  query: SearchQuery,
): MessageRecord[] {
  const words = query.text.split(/\s+/).filter((word) => word !== "");
  if (words.length === 0) return [];
  const long = words.filter((word) => [...word].length >= TRIGRAM);
  const short = words.filter((word) => [...word].length < TRIGRAM);
  const number = query.in === undefined
    ? null
    : requirePlace(db, user, query.in).conversation.number;
  const where = [`m.conversation IN ${JOINED}`, "(? IS NULL OR m.conversation = ?)", "m.id < ?"];
  const before = query.before ?? Number.MAX_SAFE_INTEGER;
  const values: (string | number | null)[] = [user, number, number, before];
  if (long.length > 0) {
    where.push("m.id IN (SELECT rowid FROM chat_search WHERE chat_search MATCH ?)");
    values.push(long.map((word) => `"${word.replaceAll('"', '""')}"`).join(" AND "));
  } else {
    where.push(
      "m.id > coalesce((SELECT id FROM chat_messages ORDER BY id DESC LIMIT 1 OFFSET ?), 0)",
    );
    values.push(SCAN_MESSAGES_MAX);
  }
  for (const word of short) {
    where.push(String.raw`m.text LIKE ? ESCAPE '\'`);
    values.push(`%${word.replace(/[\\%_]/g, String.raw`\$&`)}%`);
  }
  const rows = db.all(
    `SELECT ${MESSAGE_COLUMNS} ${FROM_MESSAGES} WHERE ${where.join(" AND ")}
     ORDER BY m.id DESC LIMIT ?`,
    ...values,
    query.limit,
  );
  return rows.map(toMessage);
}

/** Messages whose last change is behind `after`, by change. */
export function selectChanges(
  db: SqliteDatabase,
  user: string,
  { after, limit }: { readonly after: number; readonly limit: number },
): MessageRecord[] {
  const rows = db.all(
    `SELECT ${MESSAGE_COLUMNS} ${FROM_MESSAGES}
     WHERE m.changed > ? AND m.conversation IN ${JOINED} ORDER BY m.changed LIMIT ?`,
    ...[after, user, limit],
  );
  return rows.map(toMessage);
}

/** What a user has joined, is invited to, or may join, by address. */
export function selectViews(
  db: SqliteDatabase,
  user: string,
  { after, limit, address }: NamePage & { readonly address?: string },
): ConversationView[] {
  const rows = db.all(
    `WITH seen AS (
       SELECT ${CONVERSATION_COLUMNS}, coalesce(m.state, 'none') AS state, m.role, m.read_id,
         coalesce(c.name, '@' || CASE c.user_a WHEN ?1 THEN c.user_b ELSE c.user_a END) AS address,
         row_number() OVER (
           PARTITION BY coalesce(c.name, c.number)
           ORDER BY coalesce(m.state, '') = 'joined' DESC, coalesce(m.state, '') = 'invited' DESC,
             c.number
         ) AS place
       FROM chat_conversations c
       LEFT JOIN chat_members m ON m.conversation = c.number AND m.user = ?1
       WHERE (c.kind = 'room' AND c.private = 0) OR coalesce(m.state, '') IN ('joined', 'invited')
     )
     SELECT c.*,
       (SELECT count(*) FROM chat_members WHERE conversation = c.number AND state = 'joined')
         AS members,
       coalesce((SELECT max(id) FROM chat_messages
         WHERE conversation = c.number AND c.state = 'joined'), 0) AS last_id,
       (SELECT count(*) FROM (SELECT 1 FROM chat_messages
         WHERE conversation = c.number AND c.state = 'joined' AND id > c.read_id AND sender <> ?1
           AND redacted_at_ms IS NULL LIMIT ${UNREAD_MAX})) AS unread
     FROM seen c WHERE place = 1 AND address > ?2 AND (?3 IS NULL OR address = ?3)
     ORDER BY address LIMIT ?4`,
    ...[user, after ?? "", address ?? null, limit],
  );
  return rows.map(toView);
}

function selectPage(
  db: SqliteDatabase,
  conversation: number,
  query: HistoryQuery,
): MessageRecord[] {
  const { before = Number.MAX_SAFE_INTEGER, after, limit } = query;
  const isForward = after !== undefined;
  const rows = db.all(
    `SELECT ${MESSAGE_COLUMNS} ${FROM_MESSAGES}
     WHERE m.conversation = ? AND m.id > ? AND m.id < ?
     ORDER BY m.id ${isForward ? "ASC" : "DESC"} LIMIT ?`,
    ...[conversation, after ?? 0, before, limit],
  );
  const messages = rows.map(toMessage);
  return isForward ? messages : messages.reverse();
}

function toMessage(row: Row): MessageRecord {
  const name = row["name"] === null ? null : text(row, "name");
  return {
    id: integer(row, "id"),
    seq: integer(row, "changed"),
    conversation: {
      number: integer(row, "number"),
      name,
      users: name === null ? [text(row, "user_a"), text(row, "user_b")] : null,
    },
    sender: text(row, "sender"),
    clientId: text(row, "client_id"),
    sentAtMs: integer(row, "sent_at_ms"),
    text: text(row, "text"),
    mentions: arrayOf(row, "mentions").map(String),
    file: row["file"] === null ? null : JSON.parse(text(row, "file")) as FileRecord,
    replyTo: integerOrNull(row, "reply_to"),
    editedAtMs: integerOrNull(row, "edited_at_ms"),
    redactedAtMs: integerOrNull(row, "redacted_at_ms"),
    redactedBy: row["redacted_by"] === null ? null : text(row, "redacted_by"),
    reactions: arrayOf(row, "reactions").map((pair) => {
      const [emoji, user] = Array.isArray(pair) ? pair : [];
      return { emoji: String(emoji), user: String(user) };
    }),
  };
}

function toView(row: Row): ConversationView {
  return {
    ...toConversation(row),
    state: stateOf(row),
    role: text(row, "state") === "joined" ? text(row, "role") as RoomRole : null,
    members: integer(row, "members"),
    lastId: integer(row, "last_id"),
    readId: integerOrNull(row, "read_id") ?? 0,
    unread: integer(row, "unread"),
  };
}

/** Who was banned sees a public room as everybody does who is not in it. */
function stateOf(row: Row): MemberState {
  const state = text(row, "state");
  return state === "joined" || state === "invited" ? state : "none";
}

function arrayOf(row: Row, column: string): unknown[] {
  const value: unknown = JSON.parse(text(row, column));
  return Array.isArray(value) ? value : [];
}
