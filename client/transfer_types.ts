/**
 * What uploads and downloads have in common for their caller.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";
import type { ResumeMode } from "./netdisk_types.ts";
import type { Pacer } from "./pacer.ts";

/** How far a transfer is. */
export interface TransferProgress {
  /** What it does now. */
  readonly action: "connecting" | "waiting" | "verifying" | "sending" | "receiving" | "finishing";
  /** Bytes that are done, a resumed part included. */
  readonly doneBytes: number;
  /** Bytes in all, when known. */
  readonly totalBytes: number | undefined;
}

/** A transfer that was begun earlier and can go on. */
export interface PartialTransfer {
  /** Bytes that are there. */
  readonly heldBytes: number;
  /** Bytes in all. */
  readonly totalBytes: number;
}

/** Options of every transfer. */
export interface TransferOptions {
  /** Whether a partial transfer is continued (default: `auto`). */
  readonly resume?: ResumeMode;
  /** Decides, with `resume: "auto"`, whether a partial transfer goes on; without it, it does. */
  readonly confirmResume?: (partial: PartialTransfer) => Promise<boolean>;
  /** Told how far it is, at most about ten times a second. */
  readonly onProgress?: (progress: TransferProgress) => void;
  /** Told where a partial transfer goes on. */
  readonly onResume?: (heldBytes: number) => void;
  /** Told before another try after a lost connection. */
  readonly onRetry?: (error: TrivetError, waitMs: number) => void;
  /** Gives up; what is there stays, and can go on later. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of every transfer, as the client passes them on. */
export interface PacedTransferOptions extends TransferOptions {
  /** Holds the transfer to a rate. */
  readonly pacer?: Pacer | undefined;
}

/** Rounds in which damaged chunks are sent again. */
export const REPAIR_ROUNDS_MAX = 5;

/** Time between two reports of progress, in milliseconds. */
const REPORT_MS = 100;

/** The two actions that a transfer alternates between, by which counter has moved. */
export interface ProgressCounters {
  /** Bytes that were compared and need not move. */
  readonly verifiedBytes: number;
  /** Bytes that were moved. */
  readonly movedBytes: number;
}

/**
 * Reports progress by looking at counters ten times a second, so that the path of the bytes does
 * nothing for it.
 */
export class ProgressReporter implements Disposable {
  readonly #report: TransferOptions["onProgress"];
  readonly #moving: "sending" | "receiving";
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #counters: (() => ProgressCounters) | undefined;
  #baseBytes = 0;
  #totalBytes: number | undefined;
  #seen: ProgressCounters = { verifiedBytes: 0, movedBytes: 0 };
  #doneBytes = 0;

  /** Begins to report. */
  constructor(options: TransferOptions, moving: "sending" | "receiving") {
    this.#report = options.onProgress;
    this.#moving = moving;
    if (this.#report !== undefined) this.#timer = setInterval(() => this.#tick(), REPORT_MS);
  }

  /** Bytes that are done. */
  get doneBytes(): number {
    this.#count();
    return this.#doneBytes;
  }

  /** Bytes in all, when known. */
  get totalBytes(): number | undefined {
    return this.#totalBytes;
  }

  /** Follows counters from now on; `baseBytes` were done before they began. */
  follow(
    counters: () => ProgressCounters,
    baseBytes: number,
    totalBytes: number | undefined,
  ): void {
    this.#counters = counters;
    this.#baseBytes = baseBytes;
    this.#totalBytes = totalBytes;
    this.#seen = counters();
    this.#count();
  }

  /** Reports an action at once. */
  say(action: TransferProgress["action"]): void {
    this.#count();
    this.#report?.({ action, doneBytes: this.#doneBytes, totalBytes: this.#totalBytes });
  }

  /** Ends reporting, with a last look at the counters. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#tick();
  }

  #tick(): void {
    const counters = this.#counters?.();
    if (counters === undefined) return;
    const isMoving = counters.movedBytes > this.#seen.movedBytes;
    const isVerifying = counters.verifiedBytes > this.#seen.verifiedBytes;
    this.#seen = counters;
    if (isMoving) this.say(this.#moving);
    else if (isVerifying) this.say("verifying");
  }

  #count(): void {
    const counters = this.#counters?.();
    if (counters === undefined) return;
    const done = this.#baseBytes + counters.verifiedBytes + counters.movedBytes;
    // Chunks that are sent again count twice.
    this.#doneBytes = Math.min(done, this.#totalBytes ?? done);
  }
}

/** The error of a transfer whose damaged chunks would not get better. */
export function stillDamaged(chunks: number, what: string): TrivetError {
  return new TrivetError(
    "DIGEST_MISMATCH",
    `Cannot ${what}: ${chunks} chunks arrived damaged ${REPAIR_ROUNDS_MAX} times`,
    { details: { damaged_chunks: chunks } },
  );
}
