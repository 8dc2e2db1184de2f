/**
 * The work behind `trivet exec --list`.
 *
 * @module
 */

import { exactBytes, exactDuration } from "../../lib/term/exact.ts";
import { renderTable } from "../../lib/term/table.ts";
import type { ClientContext } from "./context.ts";
import { openExec, type OpenExecOptions } from "./exec_open.ts";

const COLUMNS = ["NAME", "ARGUMENTS", "VARIABLES", "STDIN", "TIME", "OUTPUT", "WHAT IT DOES"]
  .map((title) => ({ title }));

/** Lists the commands that the account may run. */
export async function listCommands(
  context: ClientContext,
  options: OpenExecOptions,
): Promise<void> {
  await using client = await openExec(context, options);
  const commands = await client.list(context.signal);
  const rows = commands.map((command) => [
    command.name,
    command.arguments,
    command.variables.join(" "),
    command.stdin ? "yes" : "no",
    exactDuration(command.timeLimitMs),
    exactBytes(command.outputLimitBytes),
    command.summary,
  ]);
  for (const line of renderTable(COLUMNS, rows)) context.output.line(line);
  context.output.json({
    commands: commands.map((command) => ({
      name: command.name,
      arguments: command.arguments,
      variables: command.variables,
      summary: command.summary,
      stdin: command.stdin,
      time_limit_ms: command.timeLimitMs,
      output_limit_bytes: command.outputLimitBytes,
    })),
  });
}
