/**
 * The program `trivetd`.
 *
 * @module
 */

import { runProgram } from "../lib/term/run_program.ts";
import { systemPrompter } from "../lib/term/system.ts";
import { TRIVETD } from "./command_table.ts";

/** Whether this runs from source, where the client is started through the task runner too. */
function isFromSource(): boolean {
  return Deno.mainModule.endsWith("/server/main.ts") && !Deno.build.standalone;
}

if (import.meta.main) {
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
