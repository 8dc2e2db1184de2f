/**
 * A real server with a chat, and people who are connected to it, for the tests of this folder.
 *
 * @module
 */

import { assertRejects } from "@std/assert";
import {
  ChatEvent,
  type ChatMessage,
  type ChatMethod,
  type ChatRequest,
  type ChatResponse,
  checkChatResponse,
} from "../../../lib/chat/messages.ts";
import { type ErrorCode, TrivetError } from "../../../lib/errors.ts";
import type { RpcClient } from "../../../lib/rpc/client.ts";
import { checkHead } from "../../../lib/rpc/messages.ts";
import type { ServeOptions } from "../../../server/serve.ts";
import type { TokenScope } from "../../../server/store/catalog.ts";
import { TestServer } from "../testing.ts";

/** Somebody who is connected. */
export class Chatter implements AsyncDisposable {
  readonly rpc: RpcClient;
  /** Events in their order. */
  readonly events: ChatEvent[] = [];
  #wake: (() => void) | undefined;
  #clientIds = 0;

  constructor(rpc: RpcClient) {
    this.rpc = rpc;
    rpc.listen((head) => {
      this.events.push(checkHead(ChatEvent, head, "EVENT"));
      this.#wake?.();
    });
  }

  /** Calls a method and checks its answer. */
  async ask<M extends ChatMethod>(method: M, request: ChatRequest<M>): Promise<ChatResponse<M>> {
    return checkChatResponse(method, (await this.rpc.call(method, request)).head);
  }

  /** Calls a method that must fail. */
  async refused<M extends ChatMethod>(
    code: ErrorCode,
    method: M,
    request: ChatRequest<M>,
  ): Promise<TrivetError> {
    const error = await assertRejects(() => this.ask(method, request), TrivetError);
    if (error.code !== code) throw error;
    return error;
  }

  /** Sends a message. */
  async say(to: string, text: string): Promise<ChatMessage> {
    const clientId = `${crypto.randomUUID()}-${this.#clientIds++}`;
    return (await this.ask("send", { to, text, clientId })).message;
  }

  /** Texts of a room's newest messages. */
  async read(room: string): Promise<string[]> {
    return (await this.ask("history", { room })).messages.map(({ text }) => text);
  }

  /** Waits until there are so many events. */
  async untilEvents(count: number): Promise<ChatEvent[]> {
    while (this.events.length < count) {
      this.rpc.failed.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.rpc.failed.addEventListener("abort", () => resolve(), { once: true });
      });
    }
    return this.events;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rpc.close();
  }
}

/** A server with a chat. */
export class ChatServer implements AsyncDisposable {
  readonly server: TestServer;
  readonly #chatters: Chatter[] = [];
  readonly #tokens = new Map<string, string>();

  private constructor(server: TestServer) {
    this.server = server;
  }

  static async start(options: Partial<ServeOptions> = {}): Promise<ChatServer> {
    return new ChatServer(await TestServer.start({ services: ["netdisk", "chat"], ...options }));
  }

  /** A token of somebody, who gets an account at the first time. */
  async tokenOf(name: string): Promise<string> {
    const token = this.#tokens.get(name) ?? await this.server.addUser(name);
    this.#tokens.set(name, token);
    return token;
  }

  /** Connects somebody. */
  async enter(name: string, limits?: { scope?: TokenScope; pathPrefix?: string[] }) {
    const token = await this.tokenOf(name);
    const used = limits === undefined ? token : await this.server.addToken(name, limits);
    const chatter = new Chatter(await this.server.login(used, (conn) => conn, "chat"));
    this.#chatters.push(chatter);
    return chatter;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const chatter of this.#chatters) await chatter[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}
