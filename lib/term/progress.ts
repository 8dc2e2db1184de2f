/**
 * Shows how a transfer goes, on stderr: one line redrawn in place on a terminal, a plain line every
 * few seconds elsewhere, nothing with `--quiet` or `--json`.
 *
 * @module
 */

import type { Overlay, ProgressMode } from "./output.ts";
import { RateMeter } from "./rate_meter.ts";
import {
  type ProgressAction,
  type ProgressState,
  renderProgress,
  renderSummary,
} from "./render_progress.ts";
import { textWidth } from "./text.ts";

/** Time between redraws on a terminal: ten a second. */
export const PROGRESS_REDRAW_MS = 100;

/** Time between plain lines. */
export const PROGRESS_PLAIN_MS = 5000;

/** Width of plain lines, which no terminal limits. */
const PLAIN_COLUMNS = 120;

const ERASE_BELOW = "\r\x1b[J";

/** Where progress is shown; an `Output` is such. */
export interface ProgressTarget {
  /** How it may be shown. */
  readonly progressMode: ProgressMode;
  /** Columns of the terminal, asked anew for every line. */
  readonly columns: number;
  /** Writes as it is. */
  draw(text: string): void;
  /** Lets the line step aside for messages. */
  attach(overlay: Overlay | undefined): void;
}

/** Options of {@linkcode Progress}: the clock, for tests. */
export interface ProgressOptions {
  /** Milliseconds on a clock that never goes back; default: `performance.now`. */
  readonly now?: () => number;
  /** Calls `tick` again and again until the returned function is called. */
  readonly startTimer?: (tick: () => void, interval_ms: number) => () => void;
}

/** A file whose transfer begins. */
export interface ProgressFile {
  /** Name of the file, of any origin. */
  readonly name: string;
  /** Default: `connecting`. */
  readonly action?: ProgressAction;
  /** Bytes that are done already, when it resumes. */
  readonly doneBytes?: number;
  /** Bytes in all, when known. */
  readonly totalBytes?: number;
  /** Number of this file, from 1, when there are several. */
  readonly fileNumber?: number;
  /** Number of files, when known. */
  readonly fileCount?: number;
}

/** What changed. */
export interface ProgressUpdate {
  /** What the transfer does now. */
  readonly action?: ProgressAction;
  /** Bytes that are done, a resumed part included. */
  readonly doneBytes?: number;
  /** Bytes in all, when known. */
  readonly totalBytes?: number;
  /** Number of the file, or files that are done. */
  readonly fileNumber?: number;
  /** Number of files, when known. */
  readonly fileCount?: number;
}

interface Current {
  state: ProgressState;
  meter: RateMeter;
  resumedBytes: number;
  readonly startedAt_ms: number;
}

/**
 * Shows one transfer after another. Updates only note what is new, so they may come for every chunk;
 * a timer draws.
 */
export class Progress implements Disposable {
  readonly #target: ProgressTarget;
  readonly #now: () => number;
  readonly #startTimer: NonNullable<ProgressOptions["startTimer"]>;
  #stopTimer: (() => void) | undefined;
  #current: Current | undefined;
  #drawnColumns = 0;

  /**
   * Shows nothing until {@linkcode Progress.start}.
   *
   * @param target Where to show progress, such as an `Output`.
   * @param options The clock.
   */
  constructor(target: ProgressTarget, options: ProgressOptions = {}) {
    this.#target = target;
    this.#now = options.now ?? (() => performance.now());
    this.#startTimer = options.startTimer ?? startInterval;
  }

  /** Begins to show a file; one that is still shown ends without a word. */
  start(file: ProgressFile): void {
    const { action = "connecting", doneBytes = 0 } = file;
    const now_ms = this.#now();
    this.#current = {
      state: { ...file, action, doneBytes },
      meter: new RateMeter(now_ms, doneBytes),
      resumedBytes: doneBytes,
      startedAt_ms: now_ms,
    };
    const mode = this.#target.progressMode;
    if (mode === "off" || this.#stopTimer !== undefined) return;
    if (mode === "line") {
      this.#target.attach({ hide: () => this.#erase(), show: () => this.#draw() });
    }
    this.#stopTimer = this.#startTimer(
      () => this.#tick(),
      mode === "line" ? PROGRESS_REDRAW_MS : PROGRESS_PLAIN_MS,
    );
  }

  /** Notes what is new. */
  update(change: ProgressUpdate): void {
    const current = this.#current;
    if (current === undefined) return;
    const before = current.state;
    current.state = { ...before, ...change };
    const { action, doneBytes } = current.state;
    if (action === before.action) return;
    // Verified bytes are not transferred ones: each action has a speed of its own.
    current.meter = new RateMeter(this.#now(), doneBytes);
    if (action === "verifying" && this.#target.progressMode === "plain") this.#tick();
  }

  /** Notes that what is done up to here was there before, when a resume is decided after the start. */
  resumeAt(doneBytes: number): void {
    if (this.#current === undefined) return;
    this.#current.resumedBytes = doneBytes;
    this.#current.meter = new RateMeter(this.#now(), doneBytes);
    this.update({ doneBytes });
  }

  /**
   * Ends the file and writes one last line about it.
   *
   * @param outcome What happened, such as `sent` or `interrupted`.
   */
  end(outcome: string): void {
    const current = this.#current;
    this.stop();
    if (current === undefined || this.#target.progressMode === "off") return;
    const { state, resumedBytes, startedAt_ms } = current;
    const elapsed_ms = this.#now() - startedAt_ms;
    this.#target.draw(`${renderSummary({ state, outcome, resumedBytes, elapsed_ms })}\n`);
  }

  /** Ends without a last line and leaves the terminal's line empty. */
  stop(): void {
    this.#current = undefined;
    if (this.#stopTimer === undefined) return;
    this.#stopTimer();
    this.#stopTimer = undefined;
    if (this.#target.progressMode === "line") this.#target.attach(undefined);
  }

  /** The same as {@linkcode Progress.stop}. */
  [Symbol.dispose](): void {
    this.stop();
  }

  #tick(): void {
    const current = this.#current;
    if (current === undefined) return;
    const { meter } = current;
    meter.sample(this.#now(), current.state.doneBytes);
    current.state = { ...current.state, rate: meter.rate };
    if (this.#target.progressMode === "line") this.#draw();
    else this.#target.draw(`${renderProgress(current.state, PLAIN_COLUMNS)}\n`);
  }

  #draw(): void {
    if (this.#current === undefined) return;
    // The last column stays free: some terminals break the line when it is filled.
    const line = renderProgress(this.#current.state, Math.max(1, this.#target.columns - 1));
    this.#target.draw(this.#eraser() + line);
    this.#drawnColumns = textWidth(line);
  }

  #erase(): void {
    if (this.#drawnColumns === 0) return;
    this.#target.draw(this.#eraser());
    this.#drawnColumns = 0;
  }

  /** Erases what was drawn, on several lines if the terminal has become too narrow for it since. */
  #eraser(): string {
    const wrapped = Math.max(0, Math.ceil(this.#drawnColumns / this.#target.columns) - 1);
    return (wrapped > 0 ? `\x1b[${wrapped}A` : "") + ERASE_BELOW;
  }
}

function startInterval(tick: () => void, interval_ms: number): () => void {
  const timer = setInterval(tick, interval_ms);
  // A program that is done must not stay alive for its progress.
  Deno.unrefTimer(timer);
  return () => clearInterval(timer);
}
