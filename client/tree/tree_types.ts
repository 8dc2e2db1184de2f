/**
 * What transfers of trees have in common for their caller.
 *
 * @module
 */

import { isMendable, retrying } from "../retry.ts";
import type { DurabilityMode, OverwriteMode, ResumeMode } from "../netdisk_types.ts";
import type { Pacer } from "../pacer.ts";
import type { LeftOut } from "./left_out.ts";
import type { TrivetError } from "../../lib/errors.ts";

/** Requests with small files that are under way at a time. */
export const BATCHES_IN_FLIGHT = 4;

/** How far the transfer of a tree is. */
export interface TreeProgress {
  /** What it does now. */
  readonly action: "waiting" | "sending" | "receiving" | "finishing";
  /** Bytes that are done. */
  readonly doneBytes: number;
  /** Bytes in all. */
  readonly totalBytes: number;
  /** Files that are done. */
  readonly doneFiles: number;
  /** Files in all. */
  readonly totalFiles: number;
}

/** Options of both directions. */
export interface TreeOptions {
  /** What happens when a name is taken (default: `replace`). */
  readonly overwrite?: OverwriteMode | undefined;
  /** Whether partial transfers of large files are continued (default: `auto`). */
  readonly resume?: ResumeMode | undefined;
  /** When a file counts as stored (default: `commit`). */
  readonly durability?: DurabilityMode | undefined;
  /** Large files at a time (default: 2). */
  readonly jobs?: number | undefined;
  /** Told how far it is, at most about ten times a second. */
  readonly onProgress?: ((progress: TreeProgress) => void) | undefined;
  /** Told of each file or folder that is left out. */
  readonly onLeftOut?: ((left: LeftOut) => void) | undefined;
  /** Told before another try after a lost connection. */
  readonly onRetry?: ((error: TrivetError, waitMs: number) => void) | undefined;
  /** Gives up; what was transferred stays. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of both directions, as the client passes them on. */
export interface PacedTreeOptions extends TreeOptions {
  /** Holds the transfer to a rate. */
  readonly pacer?: Pacer | undefined;
}

/** How the transfer of a tree went. */
export interface TreeResult {
  /** Files that were transferred. */
  readonly files: number;
  /** Bytes of these. */
  readonly bytes: number;
  /** Folders that were made. */
  readonly folders: number;
  /** Files whose name was taken and that `skip` left as they were. */
  readonly skipped: number;
  /** What was left out. */
  readonly leftOut: readonly LeftOut[];
}

/** Counts what a transfer does and tells of it ten times a second. */
export class TreeTally implements Disposable {
  /** Files that were transferred, bytes of these, folders that were made, files that were skipped. */
  readonly done = { files: 0, bytes: 0, folders: 0, skipped: 0 };
  readonly #options: TreeOptions;
  readonly #leftOut: LeftOut[] = [];
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  readonly #total = { files: 0, bytes: 0 };
  #action: TreeProgress["action"];
  /** Bytes of files that are under way or were skipped. */
  #otherBytes = 0;

  /** Begins to count. */
  constructor(
    options: TreeOptions,
    action: "sending" | "receiving",
  ) {
    this.#options = options;
    this.#action = action;
    if (options.onProgress !== undefined) {
      this.#timer = setInterval(() => this.#tell(), 100);
    }
  }

  /** Counts a file that is going to be transferred, or skipped. */
  expect(bytes: number): void {
    this.#total.files += 1;
    this.#total.bytes += bytes;
  }

  /** Counts a file. */
  file(bytes: number): void {
    this.done.files += 1;
    this.done.bytes += bytes;
  }

  /** Counts a file that was skipped. */
  skip(bytes: number): void {
    this.done.skipped += 1;
    this.#otherBytes += bytes;
  }

  /** Counts bytes of a file under way; negative to take them back. */
  move(bytes: number): void {
    this.#otherBytes += bytes;
  }

  /** Notes what was left out. */
  leaveOut(left: LeftOut): void {
    this.#leftOut.push(left);
    this.#options.onLeftOut?.(left);
  }

  /** Says what is being done. */
  say(action: TreeProgress["action"]): void {
    this.#action = action;
    this.#tell();
  }

  /** How it went. */
  get result(): TreeResult {
    return { ...this.done, leftOut: this.#leftOut };
  }

  /** Ends telling, with a last word. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#tell();
  }

  #tell(): void {
    this.#options.onProgress?.({
      action: this.#action,
      doneBytes: Math.min(this.#total.bytes, this.done.bytes + this.#otherBytes),
      totalBytes: this.#total.bytes,
      doneFiles: this.done.files + this.done.skipped,
      totalFiles: this.#total.files,
    });
  }
}

/** Tries a request again after a lost connection; what it says does not depend on how often. */
export async function again<T>(
  work: () => Promise<T>,
  { onRetry, signal }: TreeOptions,
): Promise<T> {
  return await retrying(work, {
    progress: () => 0,
    canRetry: isMendable,
    signal,
    ...(onRetry === undefined ? {} : { onRetry }),
  });
}

/** How {@linkcode inParallel} works. */
export interface ParallelOptions {
  /** Items at a time. */
  readonly lanes: number;
  /** Aborted with the first failure: whatever else listens to it ends, too. */
  readonly ending: AbortController;
}

/**
 * Runs `work` for every item, so many at a time.
 *
 * @param items Asked for when there is room for one.
 * @param options How many at a time, and what ends all.
 * @param work What is done with each; ends early when `ending` is aborted.
 * @throws The first failure, once what is under way has ended.
 */
export async function inParallel<T>(
  items: Iterable<T> | AsyncIterable<T>,
  { lanes, ending }: ParallelOptions,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = Symbol.asyncIterator in items
    ? items[Symbol.asyncIterator]()
    : items[Symbol.iterator]();
  await Promise.all(Array.from({ length: lanes }, async () => {
    try {
      while (!ending.signal.aborted) {
        const next = await iterator.next();
        if (next.done === true) return;
        await work(next.value);
      }
    } catch (error) {
      ending.abort(error);
    }
  }));
  ending.signal.throwIfAborted();
}

/** Options with a signal that also ends what is under way when `ending` is aborted. */
export function endingWith<O extends TreeOptions>(
  options: O,
  ending: AbortController,
): O & { readonly signal: AbortSignal } {
  const { signal } = options;
  const both = signal === undefined ? ending.signal : AbortSignal.any([signal, ending.signal]);
  return { ...options, signal: both };
}
