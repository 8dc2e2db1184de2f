/**
 * What keys do in the chat's screen: writing, sending, commands, completion, scrolling, other rooms.
 *
 * @module
 */

import { checkMessageText } from "../../lib/chat/names.ts";
import { TrivetError } from "../../lib/errors.ts";
import type { Key } from "../screen/keys.ts";
import type { Action, Outgoing } from "./actions.ts";
import type { ChatState } from "./chat_state.ts";
import { type CommandResult, readLine, SCREEN_COMMANDS } from "./commands.ts";
import { completeText } from "./completion.ts";
import { geometryOf, topOf } from "./layout.ts";

/** How often others are told that the user writes, in milliseconds. */
const TYPING_EVERY_MS = 3000;

/** Columns of the commands in the help. */
const USAGE_COLUMNS = 33;

/**
 * Somebody pressed a key.
 *
 * @param state What it changes.
 * @param key What was typed.
 * @returns What is to be done.
 */
export function pressKey(state: ChatState, key: Key): Action[] {
  state.choices = [];
  const { isWarned } = state;
  state.isWarned = false;
  if (key.kind !== "key") {
    // A tab of a pasted table is kept; only the key completes.
    state.editor.insert(key.text);
    return typing(state);
  }
  switch (key.name) {
    case "enter":
      return enter(state, isWarned);
    case "tab":
      return complete(state);
    case "ctrl+c":
      if (state.editor.text === "") return leave(state, isWarned);
      state.editor.set("");
      return [];
    case "ctrl+d":
      if (state.editor.text === "") return leave(state, isWarned);
      break;
    case "ctrl+l":
      return [{ kind: "redraw" }];
    case "alt+up":
    case "ctrl+p":
      return step(state, -1);
    case "alt+down":
    case "ctrl+n":
      return step(state, 1);
    case "alt+a":
      return nextUnread(state);
    case "pageup":
      return scroll(state, -1);
    case "pagedown":
      return scroll(state, 1);
    case "escape":
      state.shown.scroll = undefined;
      return state.markRead();
  }
  state.editor.press(key.name);
  return [];
}

/** Leaves; whoever would lose messages is told so once. */
function leave(state: ChatState, isWarned: boolean): Action[] {
  const count = state.outgoing.length;
  if (count === 0 || isWarned) return [{ kind: "quit" }];
  state.isWarned = true;
  const what = count === 1 ? "1 message is" : `${count} messages are`;
  state.note(`${what} not sent yet; press Ctrl-D again to leave all the same`, { isError: true });
  return [];
}

function enter(state: ChatState, isWarned: boolean): Action[] {
  const line = state.editor.text;
  if (line.trim() === "") return [];
  const { user } = state.options;
  const messages = state.shown.messages;
  try {
    const result = readLine(line.trimEnd(), { room: state.current, user, messages });
    const actions = result.kind === "quit" ? leave(state, isWarned) : follow(state, result);
    state.editor.take();
    if (result.kind === "write") state.editor.set(result.text);
    return actions;
  } catch (error) {
    if (!(error instanceof TrivetError)) throw error;
    state.note(error.message, { isError: true });
    return [];
  }
}

function follow(state: ChatState, result: CommandResult): Action[] {
  switch (result.kind) {
    case "say":
      return say(state, state.current, result.text, result.replyTo);
    case "open": {
      const { room, text } = result;
      const isIn = room.startsWith("@") || state.rooms.get(room)?.about.state === "joined";
      if (!isIn) return [{ kind: "join", room }];
      return [...state.show(room), ...(text === undefined ? [] : say(state, room, text))];
    }
    case "help":
      for (const { name, usage, does } of SCREEN_COMMANDS) {
        state.note(`${`/${name} ${usage}`.padEnd(USAGE_COLUMNS)}${does}`);
      }
      return [];
    case "ids":
      state.showsIds = !state.showsIds;
      return [];
    case "write":
      return [];
    default:
      return [result];
  }
}

function say(state: ChatState, room: string, text: string, replyTo?: number): Action[] {
  if (room === "") throw new TrivetError("USAGE", "No room is shown; /join one, or /create it");
  checkMessageText(text);
  const message: Outgoing = {
    clientId: state.options.makeId(),
    room,
    text,
    ...(replyTo === undefined ? {} : { replyTo }),
  };
  state.outgoing = [...state.outgoing, message];
  state.shown.scroll = undefined;
  state.typedMs = -Infinity;
  return [{ kind: "send", message }, ...state.markRead()];
}

function typing(state: ChatState): Action[] {
  const nowMs = state.options.now();
  const isMessage = !state.editor.text.startsWith("/") && state.current !== "";
  if (!isMessage || nowMs - state.typedMs < TYPING_EVERY_MS) return [];
  state.typedMs = nowMs;
  return [{ kind: "typing", room: state.current }];
}

function complete(state: ChatState): Action[] {
  const { text, cursor } = state.editor;
  const people = new Set([...state.rooms.values()].flatMap((log) => [
    ...log.members.keys(),
    ...(log.name.startsWith("@") ? [log.name.slice(1)] : []),
  ]));
  const done = completeText(text.slice(0, cursor), {
    rooms: state.listed.map(({ name }) => name),
    people: [...people],
  });
  state.editor.set(done.text + text.slice(cursor), done.text.length);
  state.choices = done.choices;
  return [];
}

/** Goes by pages; at the bottom, what comes next is shown again. */
function scroll(state: ChatState, direction: -1 | 1): Action[] {
  const log = state.shown;
  const { height } = geometryOf(state.size);
  const lines = state.lines();
  const top = topOf(lines, log.scroll, height);
  const step = Math.max(1, height - 1);
  const bottom = Math.max(
    Math.min(top + height, lines.length) - 1 + direction * step,
    height - 1,
  );
  const line = lines[bottom];
  const isNewest = bottom >= lines.length - 1 || line?.entry === undefined;
  log.scroll = isNewest ? undefined : { entry: line.entry, line: line.line };
  if (log.scroll === undefined && direction > 0) return state.markRead();
  return bottom - height < height ? state.wantOlder() : [];
}

function step(state: ChatState, by: -1 | 1): Action[] {
  const { listed } = state;
  const at = listed.findIndex(({ name }) => name === state.current);
  const next = listed.at((at + by) % Math.max(1, listed.length));
  return next === undefined ? [] : state.show(next.name);
}

function nextUnread(state: ChatState): Action[] {
  const waiting = state.listed.filter((log) => log.unread > 0 && log !== state.shown);
  const next = waiting.find(({ isMentioned }) => isMentioned) ?? waiting[0];
  return next === undefined ? [] : state.show(next.name);
}
