/**
 * What the screen knows of one room: its messages, each once and in the order of the server, notices
 * among them, its members, and who writes.
 *
 * @module
 */

import type { ChatMember, ChatMessage, ChatRoom } from "../chat_types.ts";

/** Messages that a room keeps while its newest are shown; older ones are read again. */
export const ROOM_MESSAGES_MAX = 2000;

/** Notices that a room keeps. */
const NOTICES_MAX = 200;

/** How long somebody is said to write, in milliseconds. */
export const TYPING_SHOWN_MS = 6000;

/** Something the program says among the messages. */
export interface Notice {
  /** Message that it stands behind; 0 for none. */
  readonly afterId: number;
  /** What it says. */
  readonly text: string;
  /** Whether something went wrong. */
  readonly isError: boolean;
}

/** One thing that is shown in a room. */
export type Entry =
  | { readonly kind: "message"; readonly message: ChatMessage }
  | { readonly kind: "notice"; readonly notice: Notice };

/** The line at the bottom of what is shown, when that is not the newest. */
export interface ScrollPlace {
  /** The entry. */
  readonly entry: Entry;
  /** Line of the entry, from 0. */
  readonly line: number;
}

/** See the module. */
export class RoomLog {
  /** What the server says of it. */
  about: ChatRoom;
  /** Whether the newest messages are here, or on their way. */
  state: "unknown" | "loading" | "loaded" = "unknown";
  /** Whether there are older messages than those here. */
  hasOlder = true;
  /** Whether older messages are on their way. */
  isLoadingOlder = false;
  /** Messages of others that were not shown. */
  unread: number;
  /** Whether one of them names the user, or is for nobody else. */
  isMentioned: boolean;
  /** Up to where the server was told that the user has read. */
  readId: number;
  /** Newest message that is known of, here or not. */
  lastId: number;
  /** What is at the bottom; the newest without it. */
  scroll: ScrollPlace | undefined;
  /** Members by name. */
  readonly members: Map<string, ChatMember> = new Map();
  readonly #typing = new Map<string, number>();
  #entries: Entry[] = [];

  /** Begins without messages. */
  constructor(about: ChatRoom) {
    this.about = about;
    this.unread = about.unread;
    this.isMentioned = isDirect(about);
    this.readId = about.readId;
    this.lastId = about.lastId;
  }

  /** A room's name, or `@` and a person's. */
  get name(): string {
    return this.about.room;
  }

  /** Messages and notices in their order. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** Messages in their order. */
  get messages(): readonly ChatMessage[] {
    return this.#entries.flatMap((entry) => entry.kind === "message" ? [entry.message] : []);
  }

  /** A message by its id, if it is here. */
  find(id: number): ChatMessage | undefined {
    return this.messages.find((message) => message.id === id);
  }

  /** Takes what the server says of the room anew. */
  renew(about: ChatRoom): void {
    this.about = about;
    this.unread = about.unread;
    this.readId = Math.max(this.readId, about.readId);
    this.lastId = Math.max(this.lastId, about.lastId);
    if (about.unread === 0) this.isMentioned = false;
    else if (isDirect(about)) this.isMentioned = true;
  }

  /**
   * Takes a message that is new or changed. One that is older than all here is left out while there
   * are older ones on the server, since others between them may be missing.
   *
   * @returns Whether it is a message that nobody knew of before.
   */
  put(message: ChatMessage): boolean {
    const isNew = message.id > this.lastId;
    this.lastId = Math.max(this.lastId, message.id);
    if (this.state === "unknown") return isNew;
    const first = this.#entries.find((entry) => entry.kind === "message");
    const isTooOld = this.hasOlder && first?.kind === "message" && message.id < first.message.id;
    if (!isTooOld) this.#insert(message);
    if (this.scroll === undefined) this.#trim();
    return isNew;
  }

  /** Takes a page of messages: the newest, or those before what is here. */
  addPage(messages: readonly ChatMessage[], more: boolean): void {
    for (const message of messages) {
      this.lastId = Math.max(this.lastId, message.id);
      this.#insert(message);
    }
    this.state = "loaded";
    this.hasOlder = more;
    this.isLoadingOlder = false;
  }

  /** Says something behind what is newest. */
  note(text: string, isError = false): void {
    const afterId = this.lastId;
    this.#entries.push({ kind: "notice", notice: { afterId, text, isError } });
    const notices = this.#entries.filter(({ kind }) => kind === "notice");
    if (notices.length <= NOTICES_MAX) return;
    this.#entries = this.#entries.filter((entry) => entry !== notices[0]);
  }

  /** Somebody writes, or has written. */
  setTyping(user: string, untilMs: number | undefined): void {
    if (untilMs === undefined) this.#typing.delete(user);
    else this.#typing.set(user, untilMs);
  }

  /** Who writes now. */
  typingAt(nowMs: number): string[] {
    return [...this.#typing].filter(([, untilMs]) => untilMs > nowMs).map(([user]) => user);
  }

  #insert(message: ChatMessage): void {
    const entry: Entry = { kind: "message", message };
    const at = this.#entries.findLastIndex((each) => idOf(each) <= message.id);
    const there = this.#entries.findIndex((each) =>
      each.kind === "message" && each.message.id === message.id
    );
    const old = this.#entries[there];
    if (old?.kind === "message") {
      if (old.message.seq >= message.seq) return;
      this.#entries[there] = entry;
      if (this.scroll?.entry === old) this.scroll = { entry, line: this.scroll.line };
    } else this.#entries.splice(at + 1, 0, entry);
  }

  #trim(): void {
    if (this.#entries.length <= ROOM_MESSAGES_MAX) return;
    this.#entries = this.#entries.slice(-ROOM_MESSAGES_MAX / 2);
    this.hasOlder = true;
  }
}

/** Whether there is something unread that was written to the user alone. */
function isDirect({ room, unread }: ChatRoom): boolean {
  return unread > 0 && room.startsWith("@");
}

/** The message that an entry is, or stands behind. */
function idOf(entry: Entry): number {
  return entry.kind === "message" ? entry.message.id : entry.notice.afterId;
}
