/**
 * The chat on one connection: checks each request and hands it to its answer.
 *
 * @module
 */

import {
  type ChatMethod,
  type ChatRequest,
  checkChatRequest,
  isChatMethod,
} from "../../lib/chat/messages.ts";
import { TrivetError } from "../../lib/errors.ts";
import type { KeepaliveOptions } from "../../lib/link/keepalive.ts";
import type { Link } from "../../lib/link/link.ts";
import type { CallHandler, Reply } from "../../lib/rpc/server.ts";
import type { Session } from "../netdisk/context.ts";
import { type ChatContext, type ChatHub, requireChatWriter } from "./context.ts";
import { edit, react, receipt, redact, send, typing } from "./posting.ts";
import { listMembers, listRooms, readHistory, search, sync } from "./reading.ts";
import { createRoom, invite, joinRoom, kick, leaveRoom, setRole, setTopic } from "./rooms.ts";
import { Subscription } from "./subscription.ts";

/** A chat connection that died is noticed sooner than others: the user's friends look at it. */
export const CHAT_KEEPALIVE: KeepaliveOptions = { pingAfterMs: 10_000, closeAfterMs: 25_000 };

/** The chat's end of one connection. */
export interface ChatSession extends AsyncDisposable {
  /** Answers a request. */
  readonly handle: CallHandler;
}

type Answers = {
  readonly [M in ChatMethod]: (context: ChatContext, request: ChatRequest<M>) => Promise<unknown>;
};

/** Methods for logins that may only read. */
const READING: ReadonlySet<string> = new Set<ChatMethod>([
  "rooms",
  "members",
  "history",
  "search",
  "subscribe",
  "sync",
]);

/**
 * Opens the chat for one connection.
 *
 * @param hub The server's part.
 * @param connection Who is connected, and the link that events go out on.
 * @returns The handler, which refuses logins that are confined to a folder; disposing of it ends the
 * events.
 */
export function openChatSession(
  hub: ChatHub,
  connection: {
    readonly session: Session;
    readonly link: Pick<Link, "send" | "closeAfter">;
  },
): ChatSession {
  const { user, scope, pathPrefix } = connection.session;
  const context: ChatContext = { ...hub, user, canWrite: scope !== "read" };
  const subscription = new Subscription(context, connection.link);
  const answers: Answers = {
    rooms: listRooms,
    "room.create": createRoom,
    "room.join": joinRoom,
    "room.leave": leaveRoom,
    "room.invite": invite,
    "room.kick": kick,
    "room.topic": setTopic,
    "room.role": setRole,
    members: listMembers,
    send,
    edit,
    redact,
    react,
    history: readHistory,
    search,
    subscribe: async () => ({ head: await subscription.start() }),
    sync,
    typing,
    receipt,
  };
  return {
    handle: async ({ method, params }): Promise<Reply> => {
      if (!isChatMethod(method)) {
        throw new TrivetError("UNKNOWN_METHOD", `The chat has no method "${method}"`);
      }
      if (pathPrefix.length > 0) {
        throw new TrivetError("PERMISSION_DENIED", "The login reaches a folder and not the chat");
      }
      if (!READING.has(method)) requireChatWriter(context);
      return { head: await answer(answers, context, { method, params }) };
    },
    [Symbol.asyncDispose]: () => subscription[Symbol.asyncDispose](),
  };
}

function answer<M extends ChatMethod>(
  answers: Answers,
  context: ChatContext,
  { method, params }: { readonly method: M; readonly params: unknown },
): Promise<unknown> {
  return answers[method](context, checkChatRequest(method, params));
}
