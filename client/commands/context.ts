/**
 * What every command of `trivet` works with.
 *
 * @module
 */

import type { ValueSource } from "../../lib/term/command.ts";
import type { Output } from "../../lib/term/output.ts";
import type { Prompter } from "../../lib/term/prompt.ts";
import type { GlobalValues } from "../global_options.ts";

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
  /** How this program is started: `trivet`, or through the task runner. */
  readonly program: string;
  /** The words after the program's name. */
  readonly argv: readonly string[];
  /** The streams of this process. */
  readonly stdin: Pick<Deno.FsFile, "read" | "isTerminal">;
}
