/**
 * What the system says when a path of this machine cannot be used, in the registry's words. A leaf
 * like the errors.
 *
 * @module
 */

import { type ErrorCode, TrivetError } from "./errors.ts";

/** Why a path cannot be used. */
export interface SystemReason {
  /** The code for it. */
  readonly code: Extract<ErrorCode, "LOCAL_NOT_FOUND" | "LOCAL_DENIED" | "FAILED">;
  /** The reason, to stand behind a colon. */
  readonly reason: string;
}

/**
 * Says why a call on a path of this machine failed.
 *
 * @param error What was thrown.
 * @returns Code and reason; undefined for what is no failure of the system.
 */
export function systemReason(error: unknown): SystemReason | undefined {
  if (!(error instanceof Error) || error instanceof TrivetError) return undefined;
  const { errors } = Deno;
  if (error instanceof errors.NotFound) {
    return { code: "LOCAL_NOT_FOUND", reason: "it does not exist" };
  }
  if (error instanceof errors.NotADirectory) {
    return { code: "LOCAL_NOT_FOUND", reason: "a part of the path is not a folder" };
  }
  if (error instanceof errors.IsADirectory) {
    return { code: "LOCAL_NOT_FOUND", reason: "it is a folder" };
  }
  if (error instanceof errors.AlreadyExists) {
    return { code: "LOCAL_NOT_FOUND", reason: "something else has the name" };
  }
  // Deno asks for all permissions before it touches /proc and the like, whatever was granted.
  const isDenied = error instanceof errors.PermissionDenied ||
    error instanceof errors.NotCapable || /read-only/i.test(error.message);
  if (isDenied) return { code: "LOCAL_DENIED", reason: "the system refuses it" };
  const [said, number] = error.message.split(" (os error", 2);
  return number === undefined ? undefined : { code: "FAILED", reason: said ?? "" };
}
