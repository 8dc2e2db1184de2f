/**
 * Does over the connection what the chat's screen wants, and says how that changes the state.
 *
 * @module
 */

import type { ChatClient } from "../chat.ts";
import { formatTimestamp } from "../../lib/term/format.ts";
import type { ChatMessage, ChatRoom } from "../chat_types.ts";
import type { Action } from "./actions.ts";
import type { ChatState } from "./chat_state.ts";

/** What is left of the actions for the connection. */
export type RemoteAction = Exclude<
  Action,
  { readonly kind: "quit" | "redraw" | "send" | "receipt" }
>;

/** What an answer changes; more may be wanted then. */
export type Change = (state: ChatState) => readonly Action[] | void;

/** Messages of a page. */
const PAGE_MESSAGES = 100;

/** Messages that a search shows. */
const FOUND_MESSAGES = 20;

/**
 * Does something.
 *
 * @param chat The connection.
 * @param action What to do.
 * @param signal Gives up.
 * @throws {TrivetError} What the server refuses, and lost connections.
 */
export async function perform(
  chat: ChatClient,
  action: RemoteAction,
  signal: AbortSignal,
): Promise<Change> {
  switch (action.kind) {
    case "edit":
      return changed(await chat.edit(action.id, action.text, signal));
    case "redact":
      return changed(await chat.redact(action.id, signal));
    case "react": {
      const { id, emoji, remove } = action;
      return changed(await chat.react(id, emoji, { remove, signal }));
    }
    case "load": {
      const { room, before } = action;
      const query = before === undefined ? {} : { before };
      const page = await chat.history(room, { ...query, limit: PAGE_MESSAGES, signal });
      return (state) => state.addPage(room, page.messages, page.more);
    }
    case "members": {
      const members = await Array.fromAsync(chat.members(action.room, signal));
      return (state) => state.setMembers(action.room, members);
    }
    case "refresh":
      return renewed(await Array.fromAsync(chat.rooms(signal)));
    case "typing":
      await chat.typing(action.room, signal);
      return () => {};
    case "rooms":
    case "who":
    case "search":
      return await list(chat, action, signal);
    default:
      return await change(chat, action, signal);
  }
}

/** Changes a room, or the user's place in it. */
async function change(
  chat: ChatClient,
  action: Exclude<RemoteAction, { readonly kind: "rooms" | "who" | "search" }>,
  signal: AbortSignal,
): Promise<Change> {
  switch (action.kind) {
    case "join": {
      const { room } = action;
      if (!room.startsWith("@")) await chat.join(room, signal);
      return shown(await Array.fromAsync(chat.rooms(signal)), room);
    }
    case "create": {
      const { room, isPrivate, topic } = action;
      await chat.create(room, { private: isPrivate, topic, signal });
      return shown(await Array.fromAsync(chat.rooms(signal)), room);
    }
    case "leave":
      await chat.leave(action.room, signal);
      return renewed(await Array.fromAsync(chat.rooms(signal)));
    case "invite": {
      const { room, user } = action;
      const isInvited = await chat.invite(room, user, signal);
      return isInvited ? () => {} : (state) => state.note(`${user} is in ${room} already`);
    }
    case "kick":
      await chat.kick(action.room, action.user, { ban: action.ban, signal });
      return () => {};
    case "topic":
      await chat.setTopic(action.room, action.topic, signal);
      return () => {};
    case "role":
      await chat.setRole(action.room, action.user, { role: action.role, signal });
      return () => {};
  }
  return () => {};
}

/** Lists something in the room that is shown. */
async function list(
  chat: ChatClient,
  action: RemoteAction & { readonly kind: "rooms" | "who" | "search" },
  signal: AbortSignal,
): Promise<Change> {
  switch (action.kind) {
    case "rooms": {
      const rooms = await Array.fromAsync(chat.rooms(signal));
      if (rooms.length === 0) return (state) => state.note("There is no room yet");
      return (state) => state.note(rooms.map(describeRoom).join("\n"));
    }
    case "who": {
      const members = await Array.fromAsync(chat.members(action.room, signal));
      const lines = members.map(({ user, role, online }) =>
        `${user}  ${role}  ${online ? "online" : "away"}`
      );
      return (state) => {
        state.setMembers(action.room, members);
        state.note(lines.join("\n"), { room: action.room });
      };
    }
    case "search": {
      const { text, room } = action;
      const { messages, more } = await chat.search(text, { room, limit: FOUND_MESSAGES, signal });
      const lines = messages.toReversed().map((message) =>
        `#${message.id}  ${formatTimestamp(message.timeMs)}  ${message.from}: ${
          message.text.replaceAll("\n", " ")
        }`
      );
      if (more) lines.unshift(`The newest ${messages.length} of those that were found:`);
      const found = lines.length === 0 ? `Found nothing for "${text}"` : lines.join("\n");
      return (state) => state.note(found, { room });
    }
  }
}

function changed(message: ChatMessage): Change {
  return (state) => state.receive({ event: "message", message });
}

/** Takes the rooms anew; presence may have changed while nobody told. */
function renewed(rooms: readonly ChatRoom[]): Change {
  return (state) => {
    const wanted = state.setRooms(rooms);
    return state.current === "" ? wanted : [...wanted, { kind: "members", room: state.current }];
  };
}

function shown(rooms: readonly ChatRoom[], room: string): Change {
  return (state) => [...state.setRooms(rooms), ...state.show(room)];
}

function describeRoom({ room, state, role, private: isPrivate, members, topic }: ChatRoom): string {
  const place = role ?? (state === "invited" ? "invited" : "not in it");
  const kind = room.startsWith("@")
    ? "direct messages"
    : `${place}, ${isPrivate ? "private" : "public"}, ${members} members`;
  return `${room}  ${kind}${topic === "" ? "" : `  ${topic.replaceAll("\n", " ")}`}`;
}
