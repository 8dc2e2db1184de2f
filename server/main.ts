/**
 * The program `trivetd`.
 *
 * @module
 */

import { EXIT } from "../lib/errors.ts";
import { runProgram } from "../lib/term/run_program.ts";
import { systemPrompter } from "../lib/term/system.ts";
import { TRIVETD } from "./command_table.ts";

/** Whether this runs from source, where the client is started through the task runner too. */
function isFromSource(): boolean {
  return Deno.mainModule.endsWith("/server/main.ts") && !Deno.build.standalone;
}

async function main(): Promise<void> {
  // Should nothing be left to wait for before the command has ended, that is a defect, and no success.
  Deno.exitCode = EXIT.FAILED;
  const code = await runProgram(TRIVETD, Deno.args, ({ globals, output, env, signal }) => ({
    output,
    prompter: systemPrompter({ noInput: globals["no-input"], signal }),
    stdin: Deno.stdin,
    env,
    signal,
    untilInterrupted: async () => {
      if (signal.aborted) return;
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    },
    clientProgram: isFromSource() ? "./denow task trivet" : "trivet",
  }));
  Deno.exit(code);
}

// Not awaited: the runtime keeps compiled code for the next start only of a module that has been
// evaluated to its end, and that is a quarter of the time of a short command.
if (import.meta.main) main();
