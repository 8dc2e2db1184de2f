/**
 * Makes sure that what nobody expected ends a command with one sentence, never with a stack trace.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import {
  type CommandSpec,
  isGroup,
  type RunnableCommand,
  subcommandsOf,
} from "../../lib/term/command.ts";
import { OutputClosedError } from "../../lib/term/output.ts";
import type { ClientContext } from "./context.ts";

/** Variable that shows the stack all the same. */
const DEBUG_VARIABLE = "TRIVET_DEBUG";

/**
 * Turns a command's defects into `INTERNAL`, and those of the commands below it.
 *
 * @param command The command.
 * @returns The same command, whose `run` throws nothing else than errors with a code.
 */
export function guarded(command: CommandSpec<ClientContext>): CommandSpec<ClientContext> {
  const subcommands = subcommandsOf(command).map(guarded);
  return isGroup(command)
    ? { ...command, subcommands }
    : { ...guardedRun(command), ...(subcommands.length === 0 ? {} : { subcommands }) };
}

function guardedRun(command: RunnableCommand<ClientContext>): RunnableCommand<ClientContext> {
  return {
    ...command,
    run: async (context, invocation) => {
      try {
        return await command.run(context, invocation);
      } catch (error) {
        const isKnown = error instanceof TrivetError || error instanceof OutputClosedError;
        // What breaks because the user ended the command is no defect.
        if (isKnown || context.signal.aborted) throw error;
        throw defect(error, context);
      }
    },
  };
}

function defect(error: unknown, { env, output }: ClientContext): TrivetError {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  if (env(DEBUG_VARIABLE) === "1" && error instanceof Error) output.draw(`${error.stack}\n`);
  return new TrivetError("INTERNAL", `internal error: ${text}`, { cause: error });
}
