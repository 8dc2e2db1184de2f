/**
 * From runs to figures: medians with minimum and maximum, ratios of one round, and how they are shown.
 *
 * @module
 */

import type { Direction } from "./contender.ts";

/** One timed transfer. */
export interface Run {
  /** What was asked of it, such as `fresh`. */
  readonly scenario: string;
  readonly direction: Direction;
  readonly contender: string;
  /** Number of the round, from 0. */
  readonly round: number;
  readonly bytes: number;
  readonly wallMs: number;
  /** Client and server together. */
  readonly cpuSeconds: number | undefined;
  /** Most memory of client and server, in bytes; looked at in the first round only. */
  readonly memory?: { readonly client: number; readonly server: number } | undefined;
}

/** Median, minimum and maximum. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** A promise of the project, and what was measured. */
export interface Target {
  /** What is compared. */
  readonly text: string;
  /** What was measured; `undefined` when something of it is not installed. */
  readonly value: number | undefined;
  /** The figure to reach. */
  readonly bound: number;
  /** Whether the value must be at least or below the bound. */
  readonly rule: "at least" | "below";
  /** Behind the value, such as ` ms`. */
  readonly unit: string;
}

/** Median, minimum and maximum of some numbers; `undefined` of none. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  if (sorted.length === 0) return undefined;
  const half = Math.floor(sorted.length / 2);
  const median = sorted.length % 2 === 1 ? at(half) : (at(half - 1) + at(half)) / 2;
  return { median, min: at(0), max: at(sorted.length - 1) };
}

/** Megabytes (10^6) per second of a run. */
export function rateOf(run: Run): number {
  return run.bytes / 1e3 / run.wallMs;
}

/** Which runs of a contender. */
export interface Selection {
  readonly scenario: string;
  readonly direction: Direction;
  readonly contender: string;
}

/** The runs of one cell of a table. */
export function select(runs: readonly Run[], wanted: Selection): Run[] {
  return runs.filter((run) =>
    run.scenario === wanted.scenario && run.direction === wanted.direction &&
    run.contender === wanted.contender
  );
}

/**
 * How much faster `ours` is than `theirs`: the median of the ratios within each round, because the
 * machine's own speed drifts from round to round.
 */
export function ratioOf(runs: readonly Run[], ours: Selection, theirs: Selection) {
  const other = new Map(select(runs, theirs).map((run) => [run.round, run]));
  const ratios: number[] = [];
  for (const run of select(runs, ours)) {
    const peer = other.get(run.round);
    if (peer !== undefined) ratios.push(rateOf(run) / rateOf(peer));
  }
  return spreadOf(ratios)?.median;
}

/** The line of a target: `target …: value (held|missed)`. */
export function targetLine({ text, value, bound, rule, unit }: Target): string {
  if (value === undefined) return `target ${text}: not measured`;
  const isHeld = rule === "at least" ? value >= bound : value < bound;
  const shown = unit === "" ? value.toFixed(2) : `${value.toFixed(0)}${unit}`;
  return `target ${text}: ${shown} (${isHeld ? "held" : "missed"})`;
}

/** The tables, one a scenario, as text in Markdown. */
export function tables(runs: readonly Run[], titles: ReadonlyMap<string, string>): string {
  const lines: string[] = [];
  for (const [scenario, title] of titles) {
    const shown = runs.filter((run) => run.scenario === scenario);
    const contenders = [...new Set(shown.map((run) => run.contender))];
    const directions = [...new Set(shown.map((run) => run.direction))];
    if (contenders.length === 0) continue;
    lines.push("", title, "");
    lines.push(`| | ${directions.map((way) => `${way}, MB/s | CPU s | MiB`).join(" | ")} |`);
    lines.push(`|---|${directions.map(() => "---:|---:|---:|").join("")}`);
    for (const contender of contenders) {
      const cells = directions.map((direction) => {
        const cell = select(shown, { scenario, direction, contender });
        const rate = spreadOf(cell.map(rateOf));
        const cpu = spreadOf(cell.flatMap(({ cpuSeconds }) => cpuSeconds ?? []));
        const memory = cell.find((run) => run.memory !== undefined)?.memory;
        return `${formatSpread(rate)} | ${cpu?.median.toFixed(1) ?? "–"} | ${formatMemory(memory)}`;
      });
      lines.push(`| ${contender} | ${cells.join(" | ")} |`);
    }
  }
  return lines.join("\n");
}

function formatMemory(memory: Run["memory"]): string {
  // What was over before the first look was not seen.
  if (memory === undefined || memory.client === 0 || memory.server === 0) return "–";
  return [memory.client, memory.server].map((bytes) => (bytes / 2 ** 20).toFixed(0)).join(" + ");
}

function formatSpread(spread: Spread | undefined): string {
  if (spread === undefined) return "–";
  const [median, min, max] = [spread.median, spread.min, spread.max].map((n) => n.toFixed(0));
  return `${median} (${min}–${max})`;
}
