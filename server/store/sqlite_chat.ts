/**
 * What the chat keeps, in the server's SQLite file. It opens the file a second time: both ends are
 * synchronous within one process, so neither ever waits for the other.
 *
 * @module
 */

import type { RoomRole } from "../../lib/chat/limits.ts";
import { parseChatAddress } from "../../lib/chat/names.ts";
import type {
  ChatCatalog,
  ChatCatalogLimits,
  Conversation,
  ConversationView,
  ExpiryQuery,
  FileRecord,
  HistoryQuery,
  MemberRecord,
  MessageRecord,
  NamePage,
  NewMessage,
  NewRoom,
  SearchQuery,
} from "./catalog_chat.ts";
import type { Durability } from "./catalog.ts";
import { NO_WAIT, syncLogNow } from "./durable_log.ts";
import { deleteExpired } from "./sqlite_chat_expiry.ts";
import { INDEX_BATCH, indexAll, indexBatch, isIndexDue } from "./sqlite_chat_index.ts";
import * as history from "./sqlite_chat_history.ts";
import * as messages from "./sqlite_chat_messages.ts";
import * as rooms from "./sqlite_chat_rooms.ts";
import { closeSequence, lastNumber, openSequence } from "./sqlite_chat_sequence.ts";
import { SqliteDatabase, type SqliteOptions } from "./sqlite_database.ts";
import { asCatalogError } from "./sqlite_errors.ts";
import { integer } from "./sqlite_values.ts";

/** What is allowed unless something else is asked for. */
export const CHAT_CATALOG_LIMITS: ChatCatalogLimits = {
  roomsPerUserMax: 200,
  membersMax: 5000,
  reactionsMax: 100,
};

/** Options of {@linkcode SqliteChat.open}. */
export interface SqliteChatOptions extends SqliteOptions {
  /** The clock, in milliseconds since 1970. */
  readonly now?: () => number;
  /** In place of {@linkcode CHAT_CATALOG_LIMITS}. */
  readonly limits?: Partial<ChatCatalogLimits>;
  /** With `os`, nothing waits for the disk: a power cut may take back what was written last. */
  readonly durability?: Durability;
}

/** {@linkcode ChatCatalog} in one SQLite file. */
export class SqliteChat implements ChatCatalog {
  readonly #db: SqliteDatabase;
  readonly #now: () => number;
  readonly #limits: ChatCatalogLimits;
  readonly #isUnsynced: boolean;
  /** Messages since the search's index was last filled, and who fills it. */
  #unindexed = 0;
  #indexing: Promise<void> | undefined;
  #isClosed = false;

  private constructor(db: SqliteDatabase, options: SqliteChatOptions) {
    this.#db = db;
    this.#now = options.now ?? Date.now;
    this.#limits = { ...CHAT_CATALOG_LIMITS, ...options.limits };
    this.#isUnsynced = options.durability === "os";
  }

  /**
   * Opens a database, making it at the first time.
   *
   * @param path Of the file, in a folder that exists.
   * @param options Clock and limits.
   * @throws {TrivetError} `VERSION_MISMATCH` if a newer program wrote it.
   */
  static open(path: string, options: SqliteChatOptions = {}): SqliteChat {
    const isUnsynced = options.durability === "os";
    const db = SqliteDatabase.open(path, isUnsynced ? { log: NO_WAIT, ...options } : options);
    try {
      openSequence(db, isUnsynced);
      // The note must be there before the first number that may be taken back.
      if (isUnsynced) syncLogNow(path);
    } catch (error) {
      db.close();
      throw asCatalogError(error);
    }
    return new SqliteChat(db, options);
  }

  /** See {@linkcode ChatCatalog.createRoom}. */
  createRoom(room: NewRoom): Promise<Conversation> {
    return this.#durable(() => rooms.insertRoom(this.#db, room, this.#terms()));
  }

  /** See {@linkcode ChatCatalog.join}. */
  join(user: string, name: string): Promise<{ conversation: Conversation; joined: boolean }> {
    return this.#durable(() => rooms.joinRoom(this.#db, { user, name }, this.#terms()));
  }

  /** See {@linkcode ChatCatalog.leave}. */
  leave(user: string, name: string): Promise<{ conversation: Conversation; wasJoined: boolean }> {
    return this.#durable(() => rooms.leaveRoom(this.#db, user, name));
  }

  /** See {@linkcode ChatCatalog.invite}. */
  invite(
    by: string,
    name: string,
    user: string,
  ): Promise<{ conversation: Conversation; invited: boolean }> {
    return this.#durable(() => rooms.inviteTo(this.#db, { by, name, user }, this.#now()));
  }

  /** See {@linkcode ChatCatalog.expel}. */
  expel(
    by: string,
    name: string,
    { user, ban }: { readonly user: string; readonly ban: boolean },
  ): Promise<Conversation> {
    return this.#durable(() =>
      rooms.expelFrom(this.#db, { by, name, user }, { ban, nowMs: this.#now() })
    );
  }

  /** See {@linkcode ChatCatalog.setTopic}. */
  setTopic(by: string, name: string, topic: string): Promise<Conversation> {
    return this.#durable(() => rooms.updateTopic(this.#db, { by, name }, topic));
  }

  /** See {@linkcode ChatCatalog.setRole}. */
  setRole(
    by: string,
    name: string,
    { user, role }: { readonly user: string; readonly role: RoomRole },
  ): Promise<Conversation> {
    return this.#durable(() => rooms.updateRole(this.#db, { by, name, user }, role));
  }

  /** See {@linkcode ChatCatalog.find}. */
  find(user: string, address: string): Promise<Conversation> {
    return this.#read(() => rooms.requirePlace(this.#db, user, address).conversation);
  }

  /** See {@linkcode ChatCatalog.view}. */
  view(user: string, address: string): Promise<ConversationView> {
    return this.#read(() => {
      rooms.requirePlace(this.#db, user, address);
      const [view] = history.selectViews(this.#db, user, { address, limit: 1 });
      if (view === undefined) throw rooms.notFound(address);
      return view;
    });
  }

  /** See {@linkcode ChatCatalog.list}. */
  list(user: string, page: NamePage): Promise<ConversationView[]> {
    return this.#read(() => history.selectViews(this.#db, user, page));
  }

  /** See {@linkcode ChatCatalog.joinedBy}. */
  joinedBy(user: string): Promise<Conversation[]> {
    return this.#read(() =>
      this.#db.all(
        `SELECT ${rooms.CONVERSATION_COLUMNS} FROM chat_conversations c
         JOIN chat_members m ON m.conversation = c.number
         WHERE m.user = ? AND m.state = 'joined' ORDER BY c.number`,
        user,
      ).map(rooms.toConversation)
    );
  }

  /** See {@linkcode ChatCatalog.members}. */
  members(user: string, address: string, page: NamePage): Promise<MemberRecord[]> {
    return this.#read(() => {
      const { conversation } = rooms.requirePlace(this.#db, user, address);
      return rooms.selectMembers(this.#db, conversation, page);
    });
  }

  /** See {@linkcode ChatCatalog.addMessage}. */
  addMessage(message: NewMessage): Promise<{ message: MessageRecord; duplicate: boolean }> {
    return this.#durable(() => {
      this.#unindexed += 1;
      return messages.insertMessage(this.#db, message, this.#now());
    });
  }

  /** See {@linkcode ChatCatalog.editMessage}. */
  editMessage(
    user: string,
    id: number,
    change: { readonly text: string; readonly mentions: readonly string[] },
  ): Promise<MessageRecord> {
    return this.#durable(() =>
      messages.updateText(this.#db, { user, id }, { ...change, nowMs: this.#now() })
    );
  }

  /** See {@linkcode ChatCatalog.redactMessage}. */
  redactMessage(user: string, id: number): Promise<MessageRecord> {
    return this.#durable(() => messages.eraseText(this.#db, { user, id }, this.#now()));
  }

  /** See {@linkcode ChatCatalog.react}. */
  react(
    user: string,
    id: number,
    reaction: { readonly emoji: string; readonly remove: boolean },
  ): Promise<MessageRecord> {
    const limits = this.#limits;
    return this.#durable(() =>
      messages.updateReaction(this.#db, { user, id }, { ...reaction, limits })
    );
  }

  /** See {@linkcode ChatCatalog.fileOf}. */
  fileOf(user: string, id: number): Promise<FileRecord & { readonly owner: string }> {
    return this.#read(() => messages.requireFile(this.#db, { user, id }));
  }

  /** See {@linkcode ChatCatalog.history}. */
  history(user: string, address: string, query: HistoryQuery): Promise<MessageRecord[]> {
    return this.#read(() => {
      const { conversation } = rooms.requirePlace(this.#db, user, address);
      return history.selectHistory(this.#db, conversation, query);
    });
  }

  /** See {@linkcode ChatCatalog.search}. */
  search(user: string, query: SearchQuery): Promise<MessageRecord[]> {
    return this.#read(() => {
      indexAll(this.#db);
      return history.selectFound(this.#db, user, query);
    });
  }

  /** See {@linkcode ChatCatalog.changes}. */
  changes(
    user: string,
    query: { readonly after: number; readonly limit: number },
  ): Promise<MessageRecord[]> {
    return this.#read(() => history.selectChanges(this.#db, user, query));
  }

  /** See {@linkcode ChatCatalog.head}. */
  head(): Promise<number> {
    return this.#read(() => lastNumber(this.#db));
  }

  /** See {@linkcode ChatCatalog.noteReceipt}. */
  noteReceipt(
    user: string,
    address: string,
    upTo: { readonly delivered?: number | undefined; readonly read?: number | undefined },
  ): Promise<{ conversation: Conversation; delivered: number; read: number } | null> {
    return this.#read(() =>
      this.#db.write(() => {
        parseChatAddress(address);
        const { conversation } = rooms.requirePlace(this.#db, user, address);
        // What was read was received; neither goes beyond the newest message, nor back.
        const row = this.#db.get(
          `UPDATE chat_members SET delivered_id = max(delivered_id, min(max(?1, ?2), top)),
             read_id = max(read_id, min(?2, top))
           FROM (SELECT coalesce(max(id), 0) AS top FROM chat_messages WHERE conversation = ?3)
           WHERE conversation = ?3 AND user = ?4
             AND (delivered_id < min(max(?1, ?2), top) OR read_id < min(?2, top))
           RETURNING delivered_id, read_id`,
          ...[upTo.delivered ?? 0, upTo.read ?? 0, conversation.number, user],
        );
        if (row === undefined) return null;
        return {
          conversation,
          delivered: integer(row, "delivered_id"),
          read: integer(row, "read_id"),
        };
      })
    );
  }

  /** See {@linkcode ChatCatalog.expire}. */
  expire(query: ExpiryQuery): Promise<number> {
    return this.#read(() => this.#db.write(() => deleteExpired(this.#db, query)));
  }

  /** See {@linkcode ChatCatalog.close}. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#indexing;
    await this.#db.close(this.#isUnsynced ? () => closeSequence(this.#db) : undefined);
  }

  /** Takes messages into the search's index once they are published; what fails is tried again later. */
  async #indexSoon(): Promise<void> {
    this.#unindexed = 0;
    try {
      await this.#db.turn();
      while (!this.#isClosed && isIndexDue(this.#db)) {
        indexBatch(this.#db);
        await this.#db.turn();
      }
    } catch {
      // Whoever searches is told what is wrong.
    }
    this.#indexing = undefined;
  }

  #terms(): { nowMs: number; limits: ChatCatalogLimits } {
    return { nowMs: this.#now(), limits: this.#limits };
  }

  async #read<T>(work: () => T): Promise<T> {
    try {
      return await this.#db.settled(work);
    } catch (error) {
      throw asCatalogError(error);
    }
  }

  /** All changes go through here, so that their promises resolve in the order of the changes. */
  async #durable<T>(work: () => T): Promise<T> {
    try {
      const result = await this.#db.durable(work);
      if (this.#unindexed >= INDEX_BATCH) this.#indexing ??= this.#indexSoon();
      return result;
    } catch (error) {
      throw asCatalogError(error);
    }
  }
}
