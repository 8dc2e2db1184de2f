/**
 * What a transfer of a tree leaves out, told to whoever asked for it: nothing is passed over in silence.
 *
 * @module
 */

import type { ErrorCode } from "../../lib/errors.ts";
import { TrivetError } from "../../lib/errors.ts";
import { formatCount } from "../../lib/term/format.ts";

/** Why something is left out by rule: a symbolic link, or neither file nor folder. */
export type LeftOutKind = "link" | "special";

/** One file or folder that was not transferred. */
export interface LeftOut {
  /** Its path, local for an upload and remote for a download. */
  readonly path: string;
  /** `link` and `special` are left out by rule; anything else is the code of a failure. */
  readonly reason: LeftOutKind | ErrorCode;
  /** What happened, in one sentence. */
  readonly message: string;
}

/** Whether something was left out by rule, which is no failure. */
export function isByRule({ reason }: LeftOut): boolean {
  return reason === "link" || reason === "special";
}

/**
 * A failure that concerns one file and hinders no other.
 *
 * @throws The error itself when it concerns all: a full disk or quota, a lost connection, an interrupt.
 */
export function leftOutBy(error: unknown, path: string): LeftOut {
  if (!(error instanceof TrivetError) || FATAL.has(error.code)) throw error;
  return { path, reason: error.code, message: error.message };
}

const FATAL: ReadonlySet<ErrorCode> = new Set([
  "INTERRUPTED",
  "INTERNAL",
  "UNREACHABLE",
  "TIMEOUT",
  "CONNECTION_LOST",
  "SERVER_BUSY",
  "SHUTTING_DOWN",
  "AUTH_REQUIRED",
  "TOKEN_INVALID",
  "QUOTA_EXCEEDED",
  "DISK_FULL",
  "UPLOAD_TAKEN_OVER",
]);

/** Says how many things are neither files nor folders. */
export function describeSpecial(count: number): string {
  return `${formatCount(count, "link")} or special ${count === 1 ? "file" : "files"}`;
}
