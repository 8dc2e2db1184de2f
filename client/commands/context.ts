/**
 * What every command of `trivet` works with.
 *
 * @module
 */

import type { ValueSource } from "../../lib/term/command.ts";
import type { Output } from "../../lib/term/output.ts";
import type { Prompter } from "../../lib/term/prompt.ts";
import type { GlobalValues } from "../global_options.ts";
import type { NetdiskClient } from "../netdisk.ts";

/** See the module. */
export interface ClientContext {
  /** Where results and messages go. */
  readonly output: Output;
  /** Asks the person at the terminal. */
  readonly prompter: Prompter;
  /** Values of the global options. */
  readonly globals: GlobalValues;
  /** Where each of them came from. */
  readonly globalSources: Readonly<Record<string, ValueSource>>;
  /** Reads an environment variable. */
  readonly env: (name: string) => string | undefined;
  /** Aborts at the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** How this program is started: `trivet`, or through the task runner; empty in a shell. */
  readonly program: string;
  /** The words after the program's name. */
  readonly argv: readonly string[];
  /** The streams of this process. */
  readonly stdin: Pick<Deno.FsFile, "read" | "isTerminal">;
  /** The shell that runs the command, if one does. */
  readonly shell?: SurroundingShell;
  /** Leaves signals to whatever the command runs next; `signal` aborts no more. */
  readonly releaseSignals?: () => void;
  /** Whether nobody named the command, and it is what runs then. */
  readonly isImplied?: boolean;
}

/** What a command gets from the shell that runs it. */
export interface SurroundingShell {
  /** A path on the server as somebody typed it, from the root on. */
  resolvePath(path: string): string;
  /** The same for what may be a pattern: the shell's own folder is none. */
  resolvePattern(pattern: string): string;
  /** The connection that the shell has, where the command's options allow it, else one of its own. */
  openClient(context: ClientContext): Promise<NetdiskClient>;
}

/**
 * The path on the server that somebody typed: every command reads such paths through this.
 *
 * @param context The command's.
 * @param path As it was typed; empty where none was.
 * @returns In a shell the path from the root on, else the same; empty is where a command works when
 * it is told no place: the shell's folder, else the root.
 */
export function remotePath({ shell }: ClientContext, path: string): string {
  return shell === undefined ? path : shell.resolvePath(path);
}

/**
 * The path or pattern on the server that somebody typed; see {@linkcode remotePath}.
 *
 * @param context The command's.
 * @param pattern As it was typed; empty where none was.
 */
export function remotePattern({ shell }: ClientContext, pattern: string): string {
  return shell === undefined ? pattern : shell.resolvePattern(pattern);
}

/** A command as it would be typed here. */
export function commandLine({ program }: ClientContext, words: readonly string[]): string {
  return [program, ...words].join(" ").trimStart();
}
