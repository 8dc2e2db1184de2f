/**
 * What a check of the data finds, and when to believe it.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";

/** What can be wrong. */
export type FindingKind =
  /** A commit that a crash left; the next start settles it. */
  | "unsettled-commit"
  /** The same for small files that were sent together. */
  | "unsettled-batch"
  /** The same for a way into the trash or out of it. */
  | "unsettled-trash"
  /** The same for a move that replaces a file. */
  | "unsettled-move"
  /** An upload whose part is not on the disk. */
  | "upload-without-part"
  /** A part that belongs to no upload. */
  | "part-without-upload"
  /** An item of the trash that is not on the disk. */
  | "row-without-trash"
  /** Something in the trash that the database does not know. */
  | "trash-without-row"
  /** An item of the trash that takes more or less than it is counted with. */
  | "trash-size"
  /** A home that is nobody's. */
  | "home-without-account"
  /** An account that has no home. */
  | "account-without-home"
  /** What the account counts is not what the disk holds. */
  | "quota"
  /** Something that no request can reach: a link, a socket, a device, an unusable name. */
  | "foreign"
  /** A folder that the server may not read. */
  | "unreadable";

/** One thing that is wrong. */
export interface Finding {
  /** What is wrong. */
  readonly kind: FindingKind;
  /** Whose it is, where it is anybody's. */
  readonly user: string | null;
  /** Where it is, from the data folder. */
  readonly where: string;
  /** One sentence. */
  readonly detail: string;
  /** Id of the upload, the item or the move. */
  readonly id?: string;
  /** What the database counts. */
  readonly countedBytes?: number;
  /** What it should count. */
  readonly realBytes?: number;
  /** Files that the database counts. */
  readonly countedFiles?: number;
  /** Files that it should count. */
  readonly realFiles?: number;
}

/** Something that looks wrong, and how to look at it again. */
export interface Suspect {
  readonly finding: Finding;
  look(): Promise<Finding | null>;
}

/** Suspects that wait for their second look together. */
const SUSPECTS_MAX = 256;

/**
 * Keeps what is wrong and drops what was only under way: beside a running server, everything is looked
 * at again after a pause, and counts only if it is exactly the same.
 *
 * @param suspects What looks wrong.
 * @param pauseMs How long to wait for the second look; 0 when nobody else changes anything.
 * @param signal Ends the wait.
 */
export async function* confirm(
  suspects: AsyncIterable<Suspect>,
  pauseMs: number,
  signal?: AbortSignal,
): AsyncGenerator<Finding, void> {
  if (pauseMs === 0) {
    for await (const { finding } of suspects) yield finding;
    return;
  }
  const waiting: Suspect[] = [];
  for await (const suspect of suspects) {
    waiting.push(suspect);
    if (waiting.length < SUSPECTS_MAX) continue;
    yield* lookAgain(waiting.splice(0), pauseMs, signal);
  }
  yield* lookAgain(waiting, pauseMs, signal);
}

async function* lookAgain(
  suspects: readonly Suspect[],
  pauseMs: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Finding, void> {
  if (suspects.length === 0) return;
  await delay(pauseMs, undefined, signal === undefined ? {} : { signal });
  for (const { finding, look } of suspects) {
    const again = await look();
    if (again !== null && JSON.stringify(again) === JSON.stringify(finding)) yield finding;
  }
}
