/**
 * A shell at a terminal: a prompt, lines that can be edited, found again and completed.
 *
 * @module
 */

import { EXIT } from "../../lib/errors.ts";
import { completeLine } from "../../lib/term/complete.ts";
import { LineReader } from "../../lib/term/line_reader.ts";
import { SharedInput } from "../../lib/term/shared_input.ts";
import { consoleColumns } from "../../lib/term/system.ts";
import type { ClientContext } from "../commands/context.ts";
import { pathLists } from "./path_lists.ts";
import { History } from "./history.ts";
import { runLine } from "./script.ts";
import { ShellSession } from "./session.ts";

/**
 * Runs what a person types until they leave. Errors are told and end nothing.
 *
 * @param context The command's.
 * @returns 0.
 */
export async function runPromptLoop(context: ClientContext): Promise<number> {
  const { output, env } = context;
  const input = new SharedInput(Deno.stdin);
  await using session = new ShellSession(context, input);
  await greet(session, context);
  // From here on Ctrl-C ends a command, each of which listens for itself, or empties the line.
  context.releaseSignals?.();
  const history = await History.open(env, output);
  const lists = pathLists(session);
  using reader = new LineReader({
    input,
    sink: Deno.stderr,
    columns: consoleColumns,
    history: history.lines,
    complete: (line) => completeLine(line, session.program, lists),
  });
  while (!session.isEnded) {
    const line = await reader.read(session.prompt);
    if (line === undefined) {
      output.draw("\n");
      break;
    }
    await history.add(line);
    await runLine(session, line, { output });
  }
  return EXIT.OK;
}

/** Logs in before the first prompt, which names who it is; whoever cannot may still type `login`. */
async function greet(session: ShellSession, { output, signal }: ClientContext): Promise<void> {
  try {
    await session.connect();
    output.note('Type "help" for the commands, "exit" to leave');
  } catch (error) {
    if (signal.aborted) throw error;
    output.fail(error);
  }
}
