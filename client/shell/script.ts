/**
 * A shell without a person: it runs the lines of stdin and ends with the exit code of the first that
 * failed.
 *
 * @module
 */

import { EXIT, TrivetError } from "../../lib/errors.ts";
import { renderHelp } from "../../lib/term/help.ts";
import { consoleColumns } from "../../lib/term/system.ts";
import { splitWords } from "../../lib/term/words.ts";
import { TRIVET } from "../command_table.ts";
import type { ClientContext } from "../commands/context.ts";
import { readLines } from "../commands/read_lines.ts";
import { ShellSession } from "./session.ts";

/**
 * Runs the lines of stdin.
 *
 * @param context The command's.
 * @param isKeptGoing Whether lines after a failed one run too.
 * @returns The exit code of the first line that failed.
 */
export async function runScript(context: ClientContext, isKeptGoing: boolean): Promise<number> {
  const { globals, isImplied = false, output, signal, stdin } = context;
  if (isImplied && stdin.isTerminal()) return showUsage(context);
  await using session = new ShellSession(context, {
    isTerminal: () => false,
    setRaw: () => {},
    read: () => {
      throw new TrivetError("USAGE", 'Cannot read from "-": stdin holds the lines of the shell');
    },
  });
  // The first line of stdin is the password, so it must be read before any other.
  if (globals["password-stdin"]) await session.connect();
  let first: number = EXIT.OK;
  let number = 0;
  for await (const line of readLines(stdin, signal)) {
    number += 1;
    const code = await runLine(session, line, { output, number });
    if (session.isEnded) break;
    if (code === EXIT.OK) continue;
    if (first === EXIT.OK) first = code;
    if (!isKeptGoing || code === EXIT.INTERRUPTED) break;
  }
  return isImplied && number === 0 ? showUsage(context) : first;
}

/** Options of {@linkcode runLine}. */
export interface RunLineOptions {
  /** Where it is told that the line cannot be read. */
  readonly output: ClientContext["output"];
  /** Its number, where it is one of a script. */
  readonly number?: number;
}

/** Runs a line as it was typed; an empty one does nothing. */
export async function runLine(
  session: ShellSession,
  line: string,
  { output, number }: RunLineOptions,
): Promise<number> {
  try {
    const words = splitWords(line);
    return words.length === 0 ? EXIT.OK : await session.run(words, { line: number });
  } catch (error) {
    if (number === undefined || !(error instanceof TrivetError)) return output.fail(error);
    const message = `Cannot run line ${number}: ${error.message}`;
    return output.fail(new TrivetError(error.code, message));
  }
}

/** What a program says that nobody told what to do. */
function showUsage({ output }: ClientContext): number {
  output.draw(renderHelp(TRIVET, [], { width: consoleColumns() ?? 0 }));
  return EXIT.USAGE;
}
