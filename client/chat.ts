/**
 * The chat from a program's side: rooms, direct messages, history, and everything that happens, without
 * gaps and repeats over lost connections.
 *
 * @module
 */

import { CHAT_PAGE_MAX } from "../lib/chat/limits.ts";
import {
  type ChatMethod,
  type ChatRequest,
  type ChatResponse,
  checkChatResponse,
} from "../lib/chat/messages.ts";
import { checkMessageText, parseChatAddress } from "../lib/chat/names.ts";
import { TrivetError } from "../lib/errors.ts";
import { parsePath } from "../lib/netdisk/path.ts";
import type { RpcClient } from "../lib/rpc/client.ts";
import { CHAT_SERVICE } from "../lib/rpc/services.ts";
import { ChatDialer, type ChatTransportOptions } from "./chat_dialer.ts";
import { followEvents } from "./chat_follow.ts";
import type { ChatEvent, ChatMember, ChatMessage, ChatRoom, RoomRole } from "./chat_types.ts";
import { Connections, type OpenConnection } from "./connections.ts";
import { type ConnectOptions, connectorFor } from "./connect_options.ts";
import { openDirect } from "./direct.ts";
import { retrying, sleep } from "./retry.ts";
import { openSession, type Session } from "./session.ts";

/** Options of {@linkcode ChatClient.connect}. */
export interface ChatClientOptions extends ConnectOptions, ChatTransportOptions {}

/** Options of {@linkcode ChatClient.send}. */
export interface ChatSendOptions {
  /** Id of the message that this one answers. */
  readonly replyTo?: number;
  /** A file in the sender's netdisk that the message carries: who reads it may fetch that file. */
  readonly file?: string;
  /** What the message is called: the same one again is stored once. Made anew without it. */
  readonly clientId?: string;
  /** Gives up. */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode ChatClient.history}. */
export interface ChatHistoryOptions {
  /** Only messages before this id. */
  readonly before?: number;
  /** Only messages behind this id, from the oldest; 0 for all. */
  readonly after?: number;
  /** Messages on both sides of this id. */
  readonly around?: number;
  /** Most messages. */
  readonly limit?: number;
  /** Gives up. */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode ChatClient.follow}. */
export interface ChatFollowOptions {
  /** Number of the last change that is known; from now on without it. */
  readonly after?: number;
  /** Told once events come, the first time and after each lost connection. */
  readonly onListening?: () => void;
  /** Told why a connection was lost, before it is opened anew. */
  readonly onRetry?: (error: TrivetError, waitMs: number) => void;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/** A page of messages. */
export interface ChatPage {
  /** The messages. */
  readonly messages: ChatMessage[];
  /** Whether there are more in the direction that was asked for. */
  readonly more: boolean;
}

/** Most waits for a place in the rate that one message may take. */
const RATE_WAITS_MAX = 20;

/** A chat with a user logged in. */
export class ChatClient implements AsyncDisposable {
  /** The server's address. */
  readonly server: string;
  /** Who is logged in. */
  readonly user: string;
  readonly #connections: Connections;
  /** Whether the token was made for this client alone. */
  readonly #isTokenOurs: boolean;
  readonly #dialer: ChatDialer;
  /** Short requests follow the events to UDP. */
  #moving: Promise<void> | undefined;
  readonly #closing = new AbortController();

  private constructor(
    server: string,
    first: Pick<Session, "rpc" | "user" | "token">,
    dialer: ChatDialer,
  ) {
    this.server = server;
    this.user = first.user;
    this.#dialer = dialer;
    this.#isTokenOurs = first.token !== undefined;
    this.#connections = new Connections(first.rpc, (signal) => dialer.open(signal));
  }

  /**
   * Connects and logs in.
   *
   * @param options The server, whom to trust, and who logs in.
   * @throws {TrivetError} As `NetdiskClient.connect`, and `UNKNOWN_SERVICE` without a chat.
   */
  static async connect(options: ChatClientOptions): Promise<ChatClient> {
    const { credentials, signal } = options;
    const connector = await connectorFor(options, CHAT_SERVICE);
    const session = await openSession(connector, credentials, signal);
    // The password has done its part: more connections cost no key derivation.
    const later = session.token === undefined ? credentials : { token: session.token };
    const dialer = new ChatDialer(
      (signal) => openSession(connector, later, signal),
      options,
      (control, signal) => openDirect(control, { connector, credentials: later, signal }),
    );
    const rpc = await dialer.first(session, signal);
    return new ChatClient(connector.name, { ...session, rpc }, dialer);
  }

  /**
   * A chat over connections of the caller's.
   *
   * @param open Opens one that is logged in.
   * @param about What the server is called, and who is logged in.
   * @throws What `open` throws at the first connection.
   */
  static async over(
    open: OpenConnection,
    about: { readonly server: string; readonly user: string },
  ): Promise<ChatClient> {
    const login = async (signal?: AbortSignal) => ({ rpc: await open(signal), host: undefined });
    const dialer = new ChatDialer(login, { transport: "tcp" });
    return new ChatClient(about.server, { rpc: await open(), user: about.user }, dialer);
  }

  /**
   * Sends a message, over another connection if this one is lost: it is stored once all the same.
   *
   * @param to A room's name, or `@` and a person's.
   * @param text At most 16 KiB.
   * @returns The message as it is stored on the server's disk.
   * @throws {TrivetError} `ROOM_NOT_FOUND`, `NOT_A_MEMBER`, `CHAT_USER_NOT_FOUND`,
   * `MESSAGE_TOO_LONG`, `RATE_LIMITED` and others.
   */
  async send(to: string, text: string, options: ChatSendOptions = {}): Promise<ChatMessage> {
    const { clientId = crypto.randomUUID(), file, replyTo, signal } = options;
    parseChatAddress(to);
    checkMessageText(text);
    const request = {
      to,
      text,
      clientId,
      ...(replyTo === undefined ? {} : { replyTo }),
      ...(file === undefined ? {} : { file: parsePath(file) }),
    };
    return (await this.#paced("send", request, signal)).message;
  }

  /** Replaces the text of one's own message. */
  async edit(id: number, text: string, signal?: AbortSignal): Promise<ChatMessage> {
    checkMessageText(text);
    return (await this.#paced("edit", { id, text }, signal)).message;
  }

  /** Takes the text of a message away: one's own, or as a moderator anybody's. */
  async redact(id: number, signal?: AbortSignal): Promise<ChatMessage> {
    return (await this.#paced("redact", { id }, signal)).message;
  }

  /** Adds a reaction to a message, or with `remove` takes it back. */
  async react(
    id: number,
    emoji: string,
    options: { readonly remove?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<ChatMessage> {
    const { remove = false, signal } = options;
    return (await this.#paced("react", { id, emoji, remove }, signal)).message;
  }

  /** Says that the user is writing. */
  async typing(to: string, signal?: AbortSignal): Promise<void> {
    await this.#ask("typing", { to }, signal);
  }

  /** Says up to which message of a room the user has received, and read. */
  async receipt(
    room: string,
    upTo: { readonly delivered?: number; readonly read?: number },
    signal?: AbortSignal,
  ): Promise<void> {
    await this.#ask("receipt", { room, ...upTo }, signal);
  }

  /**
   * Messages of a room, ascending: the newest, or those beside the given ids.
   *
   * @param room A room's name, or `@` and a person's.
   */
  async history(room: string, options: ChatHistoryOptions = {}): Promise<ChatPage> {
    const { signal, ...query } = options;
    parseChatAddress(room);
    return await this.#ask("history", { room, ...query }, signal);
  }

  /** All messages of a room behind an id, from the oldest, read page by page. */
  async *messages(
    room: string,
    options: { readonly after?: number; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<ChatMessage> {
    let { after = 0 } = options;
    for (;;) {
      const query = { room, after, limit: CHAT_PAGE_MAX };
      const page = await this.#ask("history", query, options.signal);
      yield* page.messages;
      after = page.messages.at(-1)?.id ?? after;
      if (!page.more) return;
    }
  }

  /** Messages that hold every word of the text, the newest first. */
  async search(
    text: string,
    options: {
      readonly room?: string;
      readonly before?: number;
      readonly limit?: number;
      readonly signal?: AbortSignal;
    } = {},
  ): Promise<ChatPage> {
    const { signal, ...query } = options;
    return await this.#ask("search", { text, ...query }, signal);
  }

  /** The rooms that the user is in, is invited to or may join, and direct messages. */
  async *rooms(signal?: AbortSignal): AsyncGenerator<ChatRoom> {
    let after: string | undefined;
    for (;;) {
      const page = await this.#ask("rooms", after === undefined ? {} : { after }, signal);
      yield* page.rooms;
      after = page.rooms.at(-1)?.room;
      if (!page.more || after === undefined) return;
    }
  }

  /** A room's members by name. */
  async *members(room: string, signal?: AbortSignal): AsyncGenerator<ChatMember> {
    let after: string | undefined;
    for (;;) {
      const request = after === undefined ? { room } : { room, after };
      const page = await this.#ask("members", request, signal);
      yield* page.members;
      after = page.members.at(-1)?.user;
      if (!page.more || after === undefined) return;
    }
  }

  /** Makes a room, which the user owns. @throws {TrivetError} `ROOM_EXISTS` and others. */
  async create(
    room: string,
    options: {
      readonly private?: boolean;
      readonly topic?: string;
      readonly signal?: AbortSignal;
    } = {},
  ): Promise<ChatRoom> {
    const { signal, ...about } = options;
    return (await this.#ask("room.create", { room, ...about }, signal)).room;
  }

  /** Joins a room; whether the user was not in it before. */
  async join(room: string, signal?: AbortSignal): Promise<boolean> {
    return (await this.#ask("room.join", { room }, signal)).joined;
  }

  /** Leaves a room, or turns an invitation down. */
  async leave(room: string, signal?: AbortSignal): Promise<void> {
    await this.#ask("room.leave", { room }, signal);
  }

  /** Invites somebody; whether they were not in the room. */
  async invite(room: string, user: string, signal?: AbortSignal): Promise<boolean> {
    return (await this.#ask("room.invite", { room, user }, signal)).invited;
  }

  /** Takes somebody out of a room; with `ban`, until somebody invites them again. */
  async kick(
    room: string,
    user: string,
    options: { readonly ban?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const { ban = false, signal } = options;
    await this.#ask("room.kick", { room, user, ban }, signal);
  }

  /** Sets a room's topic. */
  async setTopic(room: string, topic: string, signal?: AbortSignal): Promise<void> {
    await this.#ask("room.topic", { room, topic }, signal);
  }

  /** Gives a member of a room a role. */
  async setRole(
    room: string,
    user: string,
    options: { readonly role: RoomRole; readonly signal?: AbortSignal },
  ): Promise<void> {
    await this.#ask("room.role", { room, user, role: options.role }, options.signal);
  }

  /**
   * Everything that happens, as long as somebody reads it. A lost connection is opened anew, and messages
   * that came or changed meanwhile are given: each once, in the order of the server.
   *
   * @param options From where, and when to end.
   * @throws {TrivetError} When no connection can be had any more; the signal's reason.
   */
  follow(options: ChatFollowOptions = {}): AsyncGenerator<ChatEvent> {
    return followEvents((signal) => this.#openLasting(signal), options);
  }

  /** Number of the newest change, from which {@linkcode ChatClient.follow} can go on. */
  async head(signal?: AbortSignal): Promise<number> {
    const nothing = { after: Number.MAX_SAFE_INTEGER, limit: 1 };
    return (await this.#ask("sync", nothing, signal)).head;
  }

  /**
   * Closes every connection; those who follow end by their signal. A token that was made for this client
   * alone is revoked first.
   */
  async close(): Promise<void> {
    this.#closing.abort(new TrivetError("INTERRUPTED", "The client is closed"));
    await this.#moving;
    if (this.#isTokenOurs) {
      const signal = AbortSignal.timeout(2000);
      await this.#connections.use((rpc) => rpc.call("logout", {}, { signal })).catch(() => {});
    }
    await this.#connections.close();
    await this.#dialer[Symbol.asyncDispose]();
  }

  /** The same as {@linkcode ChatClient.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** A connection for events; once they come over UDP, short requests go there, too. */
  async #openLasting(signal: AbortSignal | undefined): Promise<RpcClient> {
    const rpc = await this.#dialer.openLasting(signal);
    if (this.#dialer.isDatagrams(rpc)) this.#moving ??= this.#move();
    return rpc;
  }

  /** Never rejects: the connection that is there serves as well. */
  async #move(): Promise<void> {
    try {
      const rpc = await this.#dialer.openLasting(this.#closing.signal);
      await this.#connections.replace(rpc);
    } catch {
      // The next one that has to be opened tries again.
    }
  }

  /** Waits for its turn when the user has sent too much. */
  async #paced<M extends ChatMethod>(
    method: M,
    request: ChatRequest<M>,
    signal: AbortSignal | undefined,
  ): Promise<ChatResponse<M>> {
    for (let waits = 0;; waits++) {
      try {
        return await this.#ask(method, request, signal);
      } catch (error) {
        const isLimited = error instanceof TrivetError && error.code === "RATE_LIMITED";
        if (!isLimited || waits >= RATE_WAITS_MAX) throw error;
        const waitMs = error.details["wait_ms"];
        await sleep(typeof waitMs === "number" ? waitMs : 1000, signal);
      }
    }
  }

  /** Asks again over another connection what is the same when it is done twice. */
  async #ask<M extends ChatMethod>(
    method: M,
    request: ChatRequest<M>,
    signal: AbortSignal | undefined,
  ): Promise<ChatResponse<M>> {
    const attempt = () =>
      this.#connections.use(async (rpc) => {
        const { head } = await rpc.call(method, request, { signal });
        return checkChatResponse(method, head);
      }, signal);
    return await retrying(attempt, {
      progress: () => 0,
      canRetry: () => isRepeatable(method),
      signal,
    });
  }
}

/** Whether a request may be sent again when its answer was lost. */
function isRepeatable(method: ChatMethod): boolean {
  return method === "room.join" || !method.startsWith("room.");
}
