/**
 * What the chat's screen knows, as a state machine: it is told what happened, and says what is to be
 * done. It knows neither terminal nor connection; `chat_keys.ts` is told what was typed.
 *
 * @module
 */

import type { ChatEvent, ChatMember, ChatMessage, ChatRoom } from "../chat_types.ts";
import type { ScreenSize } from "../screen/frame.ts";
import type { Action, Outgoing } from "./actions.ts";
import { describeChange } from "./describe_change.ts";
import { geometryOf, layoutRoom, type PaneLine } from "./layout.ts";
import { LineEditor } from "./line_editor.ts";
import { RoomLog, TYPING_SHOWN_MS } from "./room_log.ts";

/** Options of {@linkcode ChatState}. */
export interface ChatStateOptions {
  /** Who is logged in. */
  readonly user: string;
  /** The server's address. */
  readonly server: string;
  /** The clock, in milliseconds since 1970. */
  readonly now: () => number;
  /** Names a message. */
  readonly makeId: () => string;
}

/** How the connection is that events come over. */
export type ConnectionState =
  | { readonly kind: "connected" }
  | { readonly kind: "lost"; readonly sinceMs: number; readonly reason: string };

/** Joined rooms first, then people, then invitations. */
const GROUPS = ["room", "direct", "invited"] as const;

/** See the module. */
export class ChatState {
  /** Who is logged in, and where. */
  readonly options: ChatStateOptions;
  /** The line that is written. */
  readonly editor: LineEditor = new LineEditor();
  /** Rooms by name. */
  readonly rooms: Map<string, RoomLog> = new Map();
  /** Messages that the server has not acknowledged. */
  outgoing: readonly Outgoing[] = [];
  /** The room that is shown; empty where there is none. */
  current = "";
  /** How the connection is. */
  connection: ConnectionState = { kind: "connected" };
  /** What Tab found, until the next key. */
  choices: readonly string[] = [];
  /** Whether somebody was told that messages would be lost if they left. */
  isWarned = false;
  /** Whether ids stand before messages. */
  showsIds = false;
  /** Columns and rows of the window. */
  size: ScreenSize = { columns: 80, rows: 24 };
  /** What is said while no room is shown. */
  readonly desk: RoomLog = new RoomLog(emptyRoom("", "none"));
  /** When others were told last that the user writes. */
  typedMs = -Infinity;

  /** Knows of no room. */
  constructor(options: ChatStateOptions) {
    this.options = options;
    this.desk.state = "loaded";
    this.desk.hasOlder = false;
    this.desk.note("/join ROOM enters a room, /create ROOM makes one, /rooms lists them.");
    this.desk.note("/msg PERSON writes to somebody alone, /help shows more, Ctrl-D leaves.");
  }

  /** The room that is shown, or what stands in its place. */
  get shown(): RoomLog {
    return this.rooms.get(this.current) ?? this.desk;
  }

  /** Rooms in the order of the list. */
  get listed(): readonly RoomLog[] {
    const groupOf = ({ about, name }: RoomLog) =>
      GROUPS.indexOf(
        about.state === "invited" ? "invited" : name.startsWith("@") ? "direct" : "room",
      );
    return [...this.rooms.values()].toSorted((a, b) =>
      groupOf(a) - groupOf(b) || (a.name < b.name ? -1 : 1)
    );
  }

  /** Takes what the server says of all rooms; rooms that it does not name are gone. */
  setRooms(rooms: readonly ChatRoom[]): Action[] {
    const mine = rooms.filter(({ state }) => state !== "none");
    const names = new Set(mine.map(({ room }) => room));
    for (const name of this.rooms.keys()) {
      // Direct messages are no room before the first of them.
      if (!names.has(name) && !name.startsWith("@")) this.#forget(name);
    }
    for (const about of mine) {
      const log = this.rooms.get(about.room);
      if (log === undefined) this.rooms.set(about.room, new RoomLog(about));
      else log.renew(about);
    }
    const log = this.rooms.get(this.current);
    // Another device may have joined it, or its messages could not be read.
    if (log !== undefined) return log.state === "unknown" ? this.show(log.name) : this.markRead();
    const first = this.listed.find(({ about }) => about.state === "joined");
    return first === undefined ? [] : this.show(first.name);
  }

  /** Shows a room; its newest messages are read where they are not here. */
  show(name: string): Action[] {
    let log = this.rooms.get(name);
    if (log === undefined) {
      // Nothing was written to that person yet: there is nothing to read.
      log = new RoomLog(emptyRoom(name, "joined"));
      log.addPage([], false);
      this.rooms.set(name, log);
    }
    this.current = name;
    if (log.about.state !== "joined") {
      if (log.entries.length === 0) {
        log.note(`/join ${name} accepts the invitation, /leave declines`);
      }
      return [];
    }
    const isNew = name.startsWith("@") && log.lastId === 0;
    const load: Action[] = isNew ? [] : [{ kind: "members", room: name }];
    if (log.state === "unknown") {
      log.state = "loading";
      load.push({ kind: "load", room: name });
    }
    return [...load, ...this.markRead()];
  }

  /** Takes a page of messages that was asked for. */
  addPage(name: string, messages: readonly ChatMessage[], more: boolean): Action[] {
    const log = this.rooms.get(name);
    log?.addPage(messages, more);
    // A tall window shows more than a page.
    const isFull = log !== this.shown || this.lines().length >= geometryOf(this.size).height;
    return [...this.markRead(), ...(isFull ? [] : this.wantOlder())];
  }

  /** A page could not be had; it may be asked for again. */
  pageFailed(name: string): void {
    const log = this.rooms.get(name);
    if (log === undefined) return;
    log.isLoadingOlder = false;
    if (log.state === "loading") log.state = "unknown";
  }

  /** Takes a room's members. */
  setMembers(name: string, members: readonly ChatMember[]): void {
    const log = this.rooms.get(name);
    log?.members.clear();
    for (const member of members) log?.members.set(member.user, member);
  }

  /** Something happened. */
  receive(event: ChatEvent): Action[] {
    switch (event.event) {
      case "message":
        return this.#receiveMessage(event.message);
      case "typing":
        if (event.user === this.options.user) return [];
        this.rooms.get(event.room)?.setTyping(event.user, this.options.now() + TYPING_SHOWN_MS);
        return [];
      case "presence": {
        const members = this.rooms.get(event.room)?.members;
        const member = members?.get(event.user);
        if (member !== undefined) members?.set(event.user, { ...member, online: event.online });
        return [];
      }
      case "receipt": {
        const log = this.rooms.get(event.room);
        if (log === undefined || event.user !== this.options.user) return [];
        log.readId = Math.max(log.readId, event.read);
        // Another device of the user's shows the room.
        if (event.read >= log.lastId) [log.unread, log.isMentioned] = [0, false];
        return [];
      }
      case "room":
        return this.#receiveChange(event);
    }
  }

  /** The server has stored a message of the user's. */
  sent(clientId: string, message: ChatMessage): Action[] {
    this.outgoing = this.outgoing.filter((each) => each.clientId !== clientId);
    return this.#receiveMessage(message);
  }

  /** The server refused a message: it is shown, and can be written again. */
  refused(clientId: string, reason: string): void {
    const message = this.outgoing.find((each) => each.clientId === clientId);
    if (message === undefined) return;
    this.outgoing = this.outgoing.filter((each) => each !== message);
    const log = this.rooms.get(message.room) ?? this.desk;
    log.note(`Not sent, ${reason}: ${message.text}`, true);
  }

  /** Says something in the room that is shown, or in another. */
  note(text: string, { room, isError = false }: { room?: string; isError?: boolean } = {}): void {
    const log = room === undefined ? this.shown : this.rooms.get(room) ?? this.shown;
    for (const line of text.split("\n")) log.note(line, isError);
  }

  /** Events come again, or no more. */
  setConnection(connection: ConnectionState): Action[] {
    const wasLost = this.connection.kind === "lost";
    if (connection.kind === "connected") {
      this.connection = connection;
      return wasLost ? [{ kind: "refresh" }] : [];
    }
    // Since the first failure, however many follow.
    if (!wasLost) this.connection = connection;
    return [];
  }

  /** Tells the server what has been shown. */
  markRead(): Action[] {
    const log = this.shown;
    if (log.state !== "loaded" || log.scroll !== undefined) return [];
    [log.unread, log.isMentioned] = [0, false];
    if (log.lastId <= log.readId) return [];
    log.readId = log.lastId;
    return [{ kind: "receipt", room: log.name, read: log.lastId }];
  }

  #receiveMessage(message: ChatMessage): Action[] {
    const { user } = this.options;
    let log = this.rooms.get(message.room);
    if (log === undefined) {
      log = new RoomLog(emptyRoom(message.room, "joined"));
      this.rooms.set(message.room, log);
    }
    this.outgoing = this.outgoing.filter((each) =>
      message.from !== user || each.clientId !== message.clientId
    );
    const isNew = log.put(message);
    log.setTyping(message.from, undefined);
    if (!isNew) return [];
    // The server counts what one writes as read.
    if (message.from === user && log.unread === 0) log.readId = message.id;
    if (message.from !== user) {
      log.unread += 1;
      if (message.mentions?.includes(user) || log.name.startsWith("@")) log.isMentioned = true;
    }
    if (log !== this.shown) return [];
    // With the first message to a person there are members.
    const members: Action[] = log.members.size > 0 ? [] : [{ kind: "members", room: log.name }];
    return [...members, ...this.markRead()];
  }

  #receiveChange(event: ChatEvent & { readonly event: "room" }): Action[] {
    const { room, change, user, by, topic, role } = event;
    const isMe = user === this.options.user;
    const isGone = change === "left" || change === "kicked" || change === "banned";
    const log = this.rooms.get(room);
    if (isMe && isGone) {
      this.#forget(room);
      if (change !== "left") this.note(`${by} took you out of ${room}`);
      return [{ kind: "refresh" }];
    }
    if (isMe && (change === "created" || change === "joined" || change === "invited")) {
      return [{ kind: "refresh" }];
    }
    if (log === undefined) return [];
    if (topic !== undefined) log.about = { ...log.about, topic };
    log.note(describeChange(event));
    if (isGone) log.members.delete(user);
    const member = log.members.get(user);
    if (role !== undefined && member !== undefined) log.members.set(user, { ...member, role });
    return change === "joined" && log === this.shown ? [{ kind: "members", room }] : [];
  }

  /** Asks for the page before what is here. */
  wantOlder(): Action[] {
    const log = this.shown;
    if (log.state !== "loaded" || !log.hasOlder || log.isLoadingOlder) return [];
    const [oldest] = log.messages;
    if (oldest === undefined) return [];
    log.isLoadingOlder = true;
    return [{ kind: "load", room: log.name, before: oldest.id }];
  }

  /** The lines of the room that is shown. */
  lines(): PaneLine[] {
    return layoutRoom(this.shown, {
      width: geometryOf(this.size).width,
      user: this.options.user,
      showsIds: this.showsIds,
      outgoing: this.outgoing,
    });
  }

  #forget(name: string): void {
    this.rooms.delete(name);
    if (this.current === name) this.current = "";
  }
}

/** A room of which the server has said nothing yet. */
function emptyRoom(room: string, state: ChatRoom["state"]): ChatRoom {
  return {
    room,
    state,
    private: false,
    topic: "",
    members: 0,
    lastId: 0,
    readId: 0,
    unread: 0,
  };
}
