/**
 * What can be written after `/` in the chat's screen: one table for reading, help and completion.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { suggest } from "../../lib/term/suggest.ts";
import type { ChatMessage, RoomRole } from "../chat_types.ts";
import type { Action } from "./actions.ts";

/** What completes a word behind a command. */
export type WordKind = "room" | "person" | "role" | "none";

/** Where a command was written. */
export interface CommandPlace {
  /** The room that is shown; empty where there is none. */
  readonly room: string;
  /** Who writes. */
  readonly user: string;
  /** The messages that are here. */
  readonly messages: readonly ChatMessage[];
}

/** What a command leads to. */
export type CommandResult =
  | Action
  /** Shows a room, joining it first where that is needed. */
  | { readonly kind: "open"; readonly room: string; readonly text?: string }
  /** Sends a message. */
  | { readonly kind: "say"; readonly text: string; readonly replyTo?: number }
  /** Begins the line anew. */
  | { readonly kind: "write"; readonly text: string }
  | { readonly kind: "help" }
  | { readonly kind: "ids" };

/** One command. */
export interface ScreenCommand {
  /** The word behind the slash. */
  readonly name: string;
  /** What stands behind it, for the help. */
  readonly usage: string;
  /** What it does, without a full stop. */
  readonly does: string;
  /** What completes its words. */
  readonly words: readonly WordKind[];
  /** Reads what stands behind it. */
  readonly read: (rest: string, place: CommandPlace) => CommandResult;
}

const ROLES: readonly RoomRole[] = ["owner", "moderator", "member"];

/** See the module, in the order of the help. */
export const SCREEN_COMMANDS: readonly ScreenCommand[] = [
  {
    name: "join",
    usage: "ROOM",
    does: "Enter a room, or show one that you are in",
    words: ["room"],
    read: (rest) => ({ kind: "open", room: one(rest, "a room") }),
  },
  {
    name: "msg",
    usage: "PERSON [TEXT]",
    does: "Write to one person alone",
    words: ["person"],
    read: (rest) => {
      const { first, text } = split(rest, "a person");
      const room = `@${bare(first)}`;
      return { kind: "open", room, ...(text === "" ? {} : { text }) };
    },
  },
  {
    name: "create",
    usage: "[--private] ROOM [TOPIC]",
    does: "Make a room",
    words: ["none"],
    read: (rest) => {
      const [, flag, words = ""] = /^(--private(?:\s+|$))?(.*)$/s.exec(rest) ?? [];
      const { first, text } = split(words, "a room");
      return { kind: "create", room: first, isPrivate: flag !== undefined, topic: text };
    },
  },
  {
    name: "leave",
    usage: "[ROOM]",
    does: "Leave a room, or turn an invitation down",
    words: ["room"],
    read: (rest, place) => ({ kind: "leave", room: rest === "" ? here(place) : rest }),
  },
  {
    name: "rooms",
    usage: "",
    does: "List your rooms, invitations and public rooms",
    words: [],
    read: () => ({ kind: "rooms" }),
  },
  {
    name: "who",
    usage: "",
    does: "List the members of the room",
    words: [],
    read: (_, place) => ({ kind: "who", room: here(place) }),
  },
  {
    name: "topic",
    usage: "[TEXT]",
    does: "Set what the room is for",
    words: [],
    read: (rest, place) => ({ kind: "topic", room: here(place), topic: rest }),
  },
  {
    name: "invite",
    usage: "PERSON",
    does: "Invite somebody to the room",
    words: ["person"],
    read: (rest, place) => ({
      kind: "invite",
      room: here(place),
      user: bare(one(rest, "a person")),
    }),
  },
  {
    name: "kick",
    usage: "PERSON",
    does: "Take somebody out of the room",
    words: ["person"],
    read: (rest, place) => kick(rest, place, false),
  },
  {
    name: "ban",
    usage: "PERSON",
    does: "The same, until somebody invites them again",
    words: ["person"],
    read: (rest, place) => kick(rest, place, true),
  },
  {
    name: "role",
    usage: "PERSON ROLE",
    does: "Make somebody owner, moderator or member",
    words: ["person", "role"],
    read: (rest, place) => {
      const { first, text } = split(rest, "a person and a role");
      const role = ROLES.find((each) => each === text);
      if (role === undefined) throw wrong(`A role is ${ROLES.join(", ")}`);
      return { kind: "role", room: here(place), user: bare(first), role };
    },
  },
  {
    name: "reply",
    usage: "[#ID] TEXT",
    does: "Answer a message: this one, or the newest of somebody else",
    words: [],
    read: (rest, place) => {
      const { id, text } = target(rest, place, "others");
      return { kind: "say", text: needed(text, "an answer"), replyTo: id };
    },
  },
  {
    name: "react",
    usage: "[#ID] EMOJI",
    does: "React to a message; with - in front of the emoji, take it back",
    words: [],
    read: (rest, place) => {
      const { id, text } = target(rest, place, "others");
      const remove = text.length > 1 && text.startsWith("-");
      const emoji = needed(remove ? text.slice(1) : text, "an emoji");
      return { kind: "react", id, emoji, remove };
    },
  },
  {
    name: "edit",
    usage: "[#ID] [TEXT]",
    does: "Change your message: this one, or your newest; without text, in the line",
    words: [],
    read: (rest, place) => {
      const { id, text } = target(rest, place, "own");
      if (text !== "") return { kind: "edit", id, text };
      const old = place.messages.find((message) => message.id === id);
      return { kind: "write", text: `/edit #${id} ${old?.text ?? ""}` };
    },
  },
  {
    name: "redact",
    usage: "[#ID]",
    does: "Take the text of a message away: this one, or your newest",
    words: [],
    read: (rest, place) => ({ kind: "redact", id: target(rest, place, "own").id }),
  },
  {
    name: "search",
    usage: "TEXT",
    does: "Find messages of the room that hold every word",
    words: [],
    read: (rest, place) => ({
      kind: "search",
      room: here(place),
      text: needed(rest, "what to look for"),
    }),
  },
  {
    name: "ids",
    usage: "",
    does: "Show the ids of messages, or hide them",
    words: [],
    read: () => ({ kind: "ids" }),
  },
  { name: "help", usage: "", does: "Show this", words: [], read: () => ({ kind: "help" }) },
  { name: "quit", usage: "", does: "Leave the chat", words: [], read: () => ({ kind: "quit" }) },
];

/**
 * Reads a line that somebody has written.
 *
 * @param line Such as `/join lobby`, or a message; `//` in front stands for a message with one slash.
 * @param place Where it was written.
 * @throws {TrivetError} `USAGE`, when it is no command, or lacks something.
 */
export function readLine(line: string, place: CommandPlace): CommandResult {
  if (!line.startsWith("/")) return { kind: "say", text: line };
  if (line.startsWith("//")) return { kind: "say", text: line.slice(1) };
  const [, name = "", rest = ""] = /^\/(\S*)\s*(.*)$/s.exec(line) ?? [];
  const command = SCREEN_COMMANDS.find((each) => each.name === name);
  if (command !== undefined) return command.read(rest.trim(), place);
  const near = suggest(name, SCREEN_COMMANDS.map((each) => each.name));
  throw wrong(
    near === undefined
      ? `Unknown command "/${name}"; /help lists them`
      : `Unknown command "/${name}", did you mean "/${near}"?`,
  );
}

function kick(rest: string, place: CommandPlace, ban: boolean): CommandResult {
  return { kind: "kick", room: here(place), user: bare(one(rest, "a person")), ban };
}

/** The message that a command is about, and what stands behind its id. */
function target(
  rest: string,
  { messages, user }: CommandPlace,
  whose: "own" | "others",
): { readonly id: number; readonly text: string } {
  const [, named, text = ""] = /^(?:#(\d{1,15})(?:\s+|$))?(.*)$/s.exec(rest) ?? [];
  if (named !== undefined) return { id: Number(named), text };
  const fitting = messages.findLast(({ from, redactedMs }) =>
    redactedMs === undefined && (from === user) === (whose === "own")
  );
  if (fitting === undefined) throw wrong("Name a message by its id, such as #7; /ids shows them");
  return { id: fitting.id, text };
}

function here({ room }: CommandPlace): string {
  if (room === "") throw wrong("No room is shown; /join one, or /create it");
  return room;
}

function one(rest: string, what: string): string {
  const { first, text } = split(rest, what);
  if (text !== "") throw wrong(`Name ${what}, and nothing else`);
  return first;
}

function split(rest: string, what: string): { readonly first: string; readonly text: string } {
  const [, first = "", text = ""] = /^(\S*)\s*(.*)$/s.exec(rest) ?? [];
  return { first: needed(first, what), text };
}

function needed(text: string, what: string): string {
  if (text === "") throw wrong(`Name ${what}`);
  return text;
}

/** A person's name without the `@` that may stand before it. */
function bare(name: string): string {
  return name.replace(/^@/, "");
}

function wrong(message: string): TrivetError {
  return new TrivetError("USAGE", message);
}
