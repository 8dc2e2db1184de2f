/**
 * Writes the state of a transfer as one line that fits.
 *
 * @module
 */

import { formatBytes, formatClock, formatDuration, formatRate } from "./format.ts";
import { cutMiddle, safeText, textWidth } from "./text.ts";

/** What a transfer is doing. */
export type ProgressAction =
  | "connecting"
  | "waiting"
  | "verifying"
  | "sending"
  | "receiving"
  | "finishing";

/** What there is to show of a transfer. */
export interface ProgressState {
  /** What the transfer does now. */
  readonly action: ProgressAction;
  /** Name of the file, of any origin. */
  readonly name: string;
  /** Bytes that are done, a resumed part included. */
  readonly doneBytes: number;
  /** Bytes in all, when known. */
  readonly totalBytes?: number | undefined;
  /** Smoothed bytes per second, when known. */
  readonly rate?: number | undefined;
  /** Number of this file, from 1, when there are several. */
  readonly fileNumber?: number | undefined;
  /** Number of files. */
  readonly fileCount?: number | undefined;
}

/** How a transfer went, for its last line. */
export interface ProgressSummary {
  /** The last state. */
  readonly state: ProgressState;
  /** What happened, such as `sent`, `received` or `interrupted`. */
  readonly outcome: string;
  /** Bytes that were done before. */
  readonly resumedBytes: number;
  /** Milliseconds from beginning to end. */
  readonly elapsed_ms: number;
}

/** Actions that have a speed. */
const MOVING: ReadonlySet<ProgressAction> = new Set(["verifying", "sending", "receiving"]);

const GAP = "  ";
const NAME_COLUMNS_MIN = 8;
const NAME_COLUMNS_MAX = 40;
const BAR_COLUMNS_MIN = 8;
const BAR_COLUMNS_MAX = 30;

/**
 * Writes the state of a transfer: name, file x of y, action, percent, bar, bytes, rate and time left,
 * of which the less important go where the line is narrow.
 *
 * @param state What there is to show.
 * @param width The most columns of the line.
 * @returns A safe line without a line break, never wider than `width`.
 */
export function renderProgress(state: ProgressState, width: number): string {
  const percent = percentOf(state);
  const files = describeFiles(state);
  const [bytes, rate, left] = [describeBytes(state), describeRate(state), describeLeft(state)];
  const name = safeText(state.name);
  const nameMin = Math.min(textWidth(name), NAME_COLUMNS_MIN);
  // From the fullest to the barest: the first that leaves room for some of the name is taken.
  const layouts = [
    [files, state.action, percent, bytes, rate, left],
    [files, state.action, percent, rate, left],
    [state.action, percent, rate, left],
    [state.action, percent, rate],
    [state.action, percent],
    [percent === "" ? state.action : percent],
  ].map((fields) => fields.filter((field) => field !== ""));
  const fields = layouts.find((fields) => widthOf(fields) + GAP.length + nameMin <= width);
  if (fields === undefined) return cutMiddle(percent === "" ? state.action : percent, width);

  const room = width - widthOf(fields) - GAP.length;
  const shown = cutMiddle(name, Math.min(room, NAME_COLUMNS_MAX));
  const spare = room - textWidth(shown) - GAP.length;
  const at = fields.indexOf(percent) + 1;
  if (percent !== "" && spare >= BAR_COLUMNS_MIN) fields.splice(at, 0, renderBar(state, spare));
  return [shown, ...fields].filter((field) => field !== "").join(GAP);
}

/**
 * Writes how a transfer went.
 *
 * @param summary The last state and the outcome.
 * @returns Such as `big.iso  sent 1.5 GiB in 12s (98.1 MiB/s), 450.0 MiB were there`.
 */
export function renderSummary(summary: ProgressSummary): string {
  const { state, outcome, resumedBytes, elapsed_ms } = summary;
  const moved = Math.max(0, state.doneBytes - resumedBytes);
  const rate = elapsed_ms > 0 ? ` (${formatRate(moved * 1000 / elapsed_ms)})` : "";
  const before = resumedBytes > 0 ? `, ${formatBytes(resumedBytes)} were there` : "";
  const files = describeFiles(state);
  return `${safeText(state.name)}${files === "" ? "" : GAP + files}${GAP}${outcome} ` +
    `${formatBytes(moved)} in ${formatDuration(elapsed_ms)}${rate}${before}`;
}

function widthOf(fields: readonly string[]): number {
  return textWidth(fields.join(GAP));
}

function fractionOf({ doneBytes, totalBytes }: ProgressState): number | undefined {
  if (totalBytes === undefined) return undefined;
  return totalBytes > 0 ? Math.min(1, Math.max(0, doneBytes / totalBytes)) : 1;
}

/** Whole percent, rounded down so that 100 means all. */
function percentOf(state: ProgressState): string {
  const fraction = fractionOf(state);
  if (fraction === undefined || state.action === "connecting") return "";
  return `${String(Math.floor(fraction * 100)).padStart(3)}%`;
}

function describeFiles({ fileNumber, fileCount }: ProgressState): string {
  if (fileNumber === undefined) return "";
  return fileCount === undefined ? `(${fileNumber})` : `(${fileNumber}/${fileCount})`;
}

function describeBytes({ action, doneBytes, totalBytes }: ProgressState): string {
  if (action === "connecting") return totalBytes === undefined ? "" : formatBytes(totalBytes);
  const done = formatBytes(doneBytes);
  return totalBytes === undefined ? done : `${done} / ${formatBytes(totalBytes)}`;
}

function describeRate({ action, rate }: ProgressState): string {
  return rate === undefined || !MOVING.has(action) ? "" : formatRate(rate);
}

function describeLeft({ action, rate, doneBytes, totalBytes }: ProgressState): string {
  if (rate === undefined || !MOVING.has(action)) return "";
  if (totalBytes === undefined || doneBytes >= totalBytes) return "";
  return `ETA ${formatClock(rate > 0 ? (totalBytes - doneBytes) * 1000 / rate : Infinity)}`;
}

function renderBar(state: ProgressState, columns: number): string {
  const inner = Math.min(columns, BAR_COLUMNS_MAX) - 2;
  const filled = Math.floor((fractionOf(state) ?? 0) * inner);
  return `[${"#".repeat(filled)}${"-".repeat(inner - filled)}]`;
}
