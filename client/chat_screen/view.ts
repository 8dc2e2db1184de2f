/**
 * Draws the chat's state: the title, rooms at the left, messages, members at the right, the status, and
 * the line that is written.
 *
 * @module
 */

import { formatDuration } from "../../lib/term/format.ts";
import type { RoomRole } from "../chat_types.ts";
import { type Cluster, clustersOf, widthOf } from "../screen/clusters.ts";
import { type CellStyle, Frame, type ScreenSize } from "../screen/frame.ts";
import type { ChatState } from "./chat_state.ts";
import { cutEnd, type Geometry, geometryOf, layoutRoom, topOf } from "./layout.ts";
import type { RoomLog } from "./room_log.ts";

/** Below this nothing can be read. */
const COLUMNS_MIN = 20;
const ROWS_MIN = 5;

const PROMPT = "> ";
const LINE_FEED_SHOWN = "\u21b5";
const UNREAD_MAX = 999;
/** Most of the status that what Tab found takes. */
const CHOICES_SHOWN_MAX = 12;

const ROLE_MARKS: Readonly<Record<RoomRole, string>> = { owner: "*", moderator: "+", member: " " };

/**
 * Draws a state.
 *
 * @param state What is to be seen.
 * @param size The window.
 */
export function viewChat(state: ChatState, size: ScreenSize): Frame {
  const frame = new Frame(size);
  if (size.columns < COLUMNS_MIN || size.rows < ROWS_MIN) {
    frame.put("Window too small", { row: 0, column: 0 });
    return frame;
  }
  const geometry = geometryOf(size);
  const isBelow = viewMessages(frame, state, geometry);
  viewTitle(frame, state.shown);
  if (geometry.left > 0) viewRooms(frame, state, geometry);
  if (geometry.right > 0) viewMembers(frame, state.shown, geometry);
  viewStatus(frame, state, { isBelow, hasList: geometry.left > 0 });
  viewInput(frame, state);
  return frame;
}

function viewTitle(frame: Frame, { about, name }: RoomLog): void {
  const bar = { row: 0, column: 0, style: "bar" } as const;
  frame.fill(bar);
  const kind = about.private && !name.startsWith("@") ? " (private)" : "";
  const title = name === "" ? "Trivet chat" : `${name}${kind}`;
  const topic = about.topic === "" ? "" : ` - ${about.topic.replaceAll("\n", " ")}`;
  frame.put(cutEnd(` ${title}${topic}`, frame.size.columns), bar);
}

/** Draws the messages; whether there are more below. */
function viewMessages(frame: Frame, state: ChatState, { left, width, height }: Geometry): boolean {
  const log = state.shown;
  const lines = layoutRoom(log, {
    width,
    user: state.options.user,
    showsIds: state.showsIds,
    outgoing: state.outgoing,
  });
  const top = topOf(lines, log.scroll, height);
  const column = left > 0 ? left + 1 : 0;
  for (const [index, { spans }] of lines.slice(top, top + height).entries()) {
    let at = column;
    for (const { text, style } of spans) {
      at = frame.put(text, { row: 1 + index, column: at, width: column + width - at, style });
    }
  }
  if (log.isLoadingOlder && top === 0) {
    const style = "dim";
    frame.fill({ row: 1, column, width, style });
    frame.put("Reading older messages...", { row: 1, column, width, style });
  }
  return top + height < lines.length;
}

function viewRooms(frame: Frame, state: ChatState, { left, height }: Geometry): void {
  const { listed } = state;
  const at = listed.findIndex(({ name }) => name === state.current);
  const top = Math.max(0, Math.min(at - Math.floor(height / 2), listed.length - height));
  for (let index = 0; index < height; index++) {
    const row = 1 + index;
    frame.put("\u2502", { row, column: left, style: "dim" });
    const log = listed[top + index];
    if (log === undefined) continue;
    const count = unreadOf(log);
    const isInvited = log.about.state === "invited";
    const style: CellStyle = log.name === state.current
      ? "current"
      : log.isMentioned
      ? "mention"
      : log.unread > 0
      ? "bold"
      : "plain";
    const room = (isInvited ? "? " : "") + log.name;
    const columns = left - widthOf(count) - (count === "" ? 0 : 1);
    frame.fill({ row, column: 0, width: left, style });
    frame.put(cutEnd(room, columns), { row, column: 0, width: columns, style });
    frame.put(count, { row, column: left - widthOf(count), style });
  }
}

function viewMembers(frame: Frame, log: RoomLog, { right, height }: Geometry): void {
  const column = frame.size.columns - right;
  // Who is online first; the server sorts by name.
  const members = [...log.members.values()].toSorted((a, b) => Number(b.online) - Number(a.online));
  const isTooMany = members.length > height;
  for (let index = 0; index < height; index++) {
    const row = 1 + index;
    frame.put("\u2502", { row, column: column - 1, style: "dim" });
    const member = members[index];
    if (member === undefined) continue;
    const isRest = isTooMany && index === height - 1;
    const text = isRest
      ? `and ${members.length - index} more`
      : `${ROLE_MARKS[member.role]}${member.user}`;
    const style = member.online && !isRest ? "plain" : "dim";
    frame.put(cutEnd(text, right), { row, column, width: right, style });
  }
}

function viewStatus(
  frame: Frame,
  state: ChatState,
  { isBelow, hasList }: { readonly isBelow: boolean; readonly hasList: boolean },
): void {
  const bar = { row: frame.size.rows - 2, column: 0, style: "bar" } as const;
  frame.fill(bar);
  const waiting = state.listed.filter((log) => log.unread > 0 && log !== state.shown);
  const parts = [
    ...(state.choices.length > 0 ? [choicesText(state.choices)] : []),
    ...(isBelow ? ["more below"] : []),
    connectionText(state),
    ...(hasList || waiting.length === 0
      ? []
      : [waiting.map((log) => `${log.name} ${unreadOf(log)}`).join(", ")]),
    ...typingText(state.shown.typingAt(state.options.now())),
    `${state.options.user} at ${state.options.server}`,
  ];
  frame.put(cutEnd(` ${parts.join(" | ")}`, frame.size.columns), bar);
}

function viewInput(frame: Frame, { editor }: ChatState): void {
  const { columns, rows } = frame.size;
  const row = rows - 1;
  const column = frame.put(PROMPT, { row, column: 0, style: "bold" });
  const before = inputClusters(editor.text.slice(0, editor.cursor));
  const behind = inputClusters(editor.text.slice(editor.cursor));
  // The cursor stands behind what fits before it, and has a place of its own.
  let room = columns - column - 1;
  let first = before.length;
  for (; first > 0; first--) {
    room -= before[first - 1]?.width ?? 0;
    if (room < 0) break;
  }
  const at = frame.put(before.slice(first), { row, column });
  frame.put(behind, { row, column: at });
  frame.cursor = { row, column: at };
}

/** What is written, in one line. */
function inputClusters(text: string): Cluster[] {
  return clustersOf(text.replaceAll("\n", LINE_FEED_SHOWN).replaceAll("\t", " "));
}

/** How many messages were not shown; `@` where one of them is for the user. */
function unreadOf({ unread, isMentioned }: RoomLog): string {
  if (unread === 0) return "";
  return `${isMentioned ? "@" : ""}${unread > UNREAD_MAX ? `${UNREAD_MAX}+` : unread}`;
}

function choicesText(choices: readonly string[]): string {
  const shown = choices.slice(0, CHOICES_SHOWN_MAX).join(" ");
  return choices.length > CHOICES_SHOWN_MAX ? `${shown} ...` : shown;
}

function connectionText({ connection, options }: ChatState): string {
  if (connection.kind === "connected") return "connected";
  const seconds = Math.max(0, Math.floor((options.now() - connection.sinceMs) / 1000));
  return `connection lost, trying again for ${formatDuration(seconds * 1000)}`;
}

function typingText(users: readonly string[]): string[] {
  const [first] = users;
  if (first === undefined) return [];
  return [users.length === 1 ? `${first} is writing` : `${users.length} people are writing`];
}
