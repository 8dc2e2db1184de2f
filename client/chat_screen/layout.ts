/**
 * Breaks what a room holds into the lines of a pane, and finds those that are shown.
 *
 * @module
 */

import type { ChatMessage } from "../chat_types.ts";
import { type Cluster, clustersOf, widthOf } from "../screen/clusters.ts";
import type { CellStyle, ScreenSize } from "../screen/frame.ts";
import type { Outgoing } from "./actions.ts";
import type { Entry, RoomLog, ScrollPlace } from "./room_log.ts";

/** Where the parts of the screen are. */
export interface Geometry {
  /** Columns of the list of rooms; 0 where the window is narrow. */
  readonly left: number;
  /** Columns of the list of members; 0 where the window is not wide. */
  readonly right: number;
  /** Columns of the messages. */
  readonly width: number;
  /** Rows of all three, below the title. */
  readonly height: number;
}

/** A part of a line. */
export interface Span {
  /** What stands there. */
  readonly text: string | readonly Cluster[];
  /** How it looks. */
  readonly style: CellStyle;
}

/** A line of the pane. */
export interface PaneLine {
  /** Its parts, from the left. */
  readonly spans: readonly Span[];
  /** What it belongs to; nothing for what is on its way. */
  readonly entry: Entry | undefined;
  /** Which line of that it is; -1 for the day above it. */
  readonly line: number;
}

/** Options of {@linkcode layoutRoom}. */
export interface LayoutOptions {
  /** Columns of the pane. */
  readonly width: number;
  /** Who is logged in. */
  readonly user: string;
  /** Whether ids stand before messages. */
  readonly showsIds: boolean;
  /** Messages that are not acknowledged. */
  readonly outgoing: readonly Outgoing[];
}

/** Windows that are narrower have no list of rooms. */
const LEFT_FROM_COLUMNS = 60;
const LEFT_COLUMNS = 18;
/** Windows that are narrower have no list of members. */
const RIGHT_FROM_COLUMNS = 100;
const RIGHT_COLUMNS = 18;
/** Title, status and the line that is written. */
const OTHER_ROWS = 3;
/** Panes that are narrower have no column for names. */
const NAMES_FROM_COLUMNS = 50;
const NAME_COLUMNS = 10;
const TIME_COLUMNS = 6;
const QUOTE_CHARACTERS_MAX = 60;
const TAB = "    ";

/** Lines of entries that do not change, by their pane. */
const cache = new WeakMap<Entry, { readonly key: string; readonly lines: readonly Span[][] }>();

/** Where the parts of a screen are. */
export function geometryOf({ columns, rows }: ScreenSize): Geometry {
  const left = columns >= LEFT_FROM_COLUMNS ? LEFT_COLUMNS : 0;
  const right = columns >= RIGHT_FROM_COLUMNS ? RIGHT_COLUMNS : 0;
  const separators = (left > 0 ? 1 : 0) + (right > 0 ? 1 : 0);
  return {
    left,
    right,
    width: Math.max(1, columns - left - right - separators),
    height: Math.max(1, rows - OTHER_ROWS),
  };
}

/** All lines of a room, the oldest first. */
export function layoutRoom(log: RoomLog, options: LayoutOptions): PaneLine[] {
  const lines: PaneLine[] = [];
  let day = "";
  for (const entry of log.entries) {
    if (entry.kind === "message") {
      const its = formatDay(entry.message.timeMs);
      if (its !== day) {
        lines.push({ spans: [{ text: `-- ${its} --`, style: "dim" }], entry, line: -1 });
      }
      day = its;
    }
    const parts = linesOf(entry, log, options);
    lines.push(...parts.map((spans, line) => ({ spans, entry, line })));
  }
  const waiting = options.outgoing.filter(({ room }) => room === log.name);
  for (const { text } of waiting) {
    const about = { head: "..:..", name: options.user, nameStyle: "dim", style: "dim" } as const;
    const parts = linesOfText(text, { ...about, width: options.width });
    lines.push(...parts.map((spans, line) => ({ spans, entry: undefined, line })));
  }
  return lines;
}

/**
 * The first line that is shown.
 *
 * @param lines All lines.
 * @param scroll What is at the bottom; the newest without it.
 * @param height Rows of the pane.
 */
export function topOf(
  lines: readonly PaneLine[],
  scroll: ScrollPlace | undefined,
  height: number,
): number {
  const found = scroll === undefined ? -1 : lines.findLastIndex(({ entry, line }) =>
    // Another width may have made fewer lines of it.
    entry === scroll.entry && line <= scroll.line
  );
  const bottom = found < 0 ? lines.length - 1 : found;
  return Math.max(0, bottom - height + 1);
}

/** Breaks text into lines, at spaces and beside wide characters where that can be. */
export function wrapClusters(clusters: readonly Cluster[], width: number): Cluster[][] {
  const lines: Cluster[][] = [];
  let begin = 0;
  let columns = 0;
  // Where the line may break, and how wide what stands behind that is.
  let breakAt = -1;
  let behind = 0;
  for (const [index, cluster] of clusters.entries()) {
    if (index > begin && (cluster.width === 2 || clusters[index - 1]?.width === 2)) {
      [breakAt, behind] = [index, 0];
    }
    if (columns + cluster.width > width && cluster.text !== " " && index > begin) {
      const end = breakAt > begin ? breakAt : index;
      lines.push(clusters.slice(begin, end));
      columns = end === index ? 0 : behind;
      begin = end;
      breakAt = -1;
    }
    columns += cluster.width;
    behind += cluster.width;
    if (cluster.text === " ") [breakAt, behind] = [index + 1, 0];
  }
  lines.push(clusters.slice(begin));
  return lines;
}

/** `HH:MM` of this machine's zone. */
function formatTime(timeMs: number): string {
  const time = new Date(timeMs);
  return `${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** `YYYY-MM-DD` of this machine's zone. */
function formatDay(timeMs: number): string {
  const time = new Date(timeMs);
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

function linesOf(entry: Entry, log: RoomLog, options: LayoutOptions): readonly Span[][] {
  const key = `${options.width} ${options.showsIds}`;
  const known = cache.get(entry);
  if (known?.key === key) return known.lines;
  const lines = entry.kind === "message"
    ? linesOfMessage(entry.message, log, options)
    : wrapClusters(clustersOf(entry.notice.text), Math.max(1, options.width - 2)).map((text) =>
      [
        { text: "* ", style: "dim" },
        { text, style: entry.notice.isError ? "error" : "notice" },
      ] satisfies Span[]
    );
  // A quotation changes when what it quotes is read.
  const isQuoting = entry.kind === "message" && entry.message.replyTo !== undefined;
  if (!isQuoting) cache.set(entry, { key, lines });
  return lines;
}

function linesOfMessage(message: ChatMessage, log: RoomLog, options: LayoutOptions): Span[][] {
  const { id, from, text, timeMs, replyTo, editedMs, redactedBy, mentions, reactions = [] } =
    message;
  const isRedacted = redactedBy !== undefined;
  const edited = editedMs === undefined || isRedacted ? "" : " (edited)";
  const reacted = reactions.map(({ emoji, users }) => ` [${emoji} ${users.length}]`).join("");
  const quote = replyTo === undefined ? "" : `> ${quoteOf(log.find(replyTo), replyTo)}\n`;
  const isMentioned = !isRedacted && from !== options.user &&
    mentions?.includes(options.user) === true;
  return linesOfText(
    (isRedacted ? `(redacted by ${redactedBy})` : quote + text) + edited + reacted,
    {
      head: formatTime(timeMs) + (options.showsIds ? ` #${id}` : ""),
      name: from,
      nameStyle: from === options.user ? "own" : "person",
      style: isMentioned ? "mention" : isRedacted ? "dim" : "plain",
      width: options.width,
      isQuoting: quote !== "" && !isRedacted,
    },
  );
}

function linesOfText(
  text: string,
  about: {
    readonly head: string;
    readonly name: string;
    readonly nameStyle: CellStyle;
    readonly style: CellStyle;
    readonly width: number;
    /** Whether the first line is a quotation. */
    readonly isQuoting?: boolean;
  },
): Span[][] {
  const { head, name, nameStyle, style, width, isQuoting = false } = about;
  const isWide = width >= NAMES_FROM_COLUMNS;
  const shownName = isWide ? cutEnd(name, NAME_COLUMNS).padEnd(NAME_COLUMNS + 1) : `${name}: `;
  const first: Span[] = [
    { text: head.padEnd(TIME_COLUMNS - 1) + " ", style: "dim" },
    { text: shownName, style: nameStyle },
  ];
  const firstColumns = first.reduce((sum, span) => sum + widthOf(String(span.text)), 0);
  const indent = isWide ? firstColumns : 2;
  const [line = "", ...more] = text.replaceAll("\t", TAB).split("\n");
  // What stands beside the name is broken on its own where the other lines begin elsewhere.
  const beside = wrapClusters(clustersOf(line), Math.max(2, width - firstColumns));
  const [top = [], ...rest] = beside;
  const below = isWide
    ? rest
    : rest.length === 0
    ? []
    : wrapClusters(rest.flat(), Math.max(2, width - indent));
  const others = more.flatMap((each) =>
    wrapClusters(clustersOf(each), Math.max(2, width - indent))
  );
  const quoted = isQuoting ? 1 + below.length : 0;
  return [top, ...below, ...others].map((clusters, index) => [
    ...(index === 0 ? first : [{ text: " ".repeat(indent), style: "plain" } as const]),
    { text: clusters, style: index < quoted ? "dim" : style },
  ]);
}

/** Who wrote what is answered, and how it begins. */
function quoteOf(message: ChatMessage | undefined, id: number): string {
  if (message === undefined) return `#${id}`;
  const [line = ""] = message.text.split("\n");
  return `${message.from}: ${cutEnd(line, QUOTE_CHARACTERS_MAX)}`;
}

/** The beginning of a text that is too wide. */
export function cutEnd(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = "";
  let columns = 1;
  for (const cluster of clustersOf(text)) {
    columns += cluster.width;
    if (columns > width) break;
    kept += cluster.text;
  }
  return `${kept}\u2026`;
}
