/**
 * What every command of `trivetd` works with.
 *
 * @module
 */

import type { Output } from "../../lib/term/output.ts";
import type { Prompter } from "../../lib/term/prompt.ts";

/** See the module. */
export interface CommandContext {
  readonly output: Output;
  /** Asks the person at the terminal. */
  readonly prompter: Prompter;
  /** What is piped into this process. */
  readonly stdin: Pick<Deno.FsFile, "read">;
  /** Reads an environment variable. */
  readonly env: (name: string) => string | undefined;
  /** Aborts at the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** Resolves at the first SIGINT or SIGTERM. */
  readonly untilInterrupted: () => Promise<void>;
  /** How the client is started beside this server: `trivet`, or through the task runner. */
  readonly clientProgram: string;
}
