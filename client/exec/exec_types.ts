/**
 * What remote commands are told and tell, spelled out for programs.
 *
 * @module
 */

/** How a command ended. */
export interface CommandEnd {
  /** Exit code, 0 to 255; `null` after a signal. */
  readonly code: number | null;
  /** Name of the signal that ended it, such as `SIGKILL`. */
  readonly signal: string | null;
  /** Bytes that it wrote to stdout. */
  readonly stdoutBytes: number;
  /** Bytes that it wrote to stderr. */
  readonly stderrBytes: number;
  /** From its start to its end, in milliseconds. */
  readonly durationMs: number;
}

/** A command that the account may run. */
export interface ListedCommand {
  /** Its name. */
  readonly name: string;
  /** What it is for; may be empty. */
  readonly summary: string;
  /** Its further arguments, for people: `VERSION [LEVEL]`. */
  readonly arguments: string;
  /** Variables that may be set for it; with `*` all that begin so. */
  readonly variables: readonly string[];
  /** Whether it reads stdin. */
  readonly stdin: boolean;
  /** How long it may run, in milliseconds. */
  readonly timeLimitMs: number;
  /** How much it may write to both outputs together, in bytes. */
  readonly outputLimitBytes: number;
}

/** What is to run. */
export interface CommandRequest {
  /** Its name. */
  readonly name: string;
  /** Its further arguments. */
  readonly arguments: string[];
  /** Variables to set for it. */
  readonly environment?: Record<string, string>;
  /** A shorter time limit than the command's own. */
  readonly timeoutMs?: number;
}
