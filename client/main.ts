/**
 * The program `trivet`.
 *
 * @module
 */

// First: it works on another thread while the modules below are loaded.
import "./prepare.ts";
import { EXIT } from "../lib/errors.ts";
import { runProgram } from "../lib/term/run_program.ts";
import { systemPrompter } from "../lib/term/system.ts";
import { TRIVET } from "./command_table.ts";

/** Whether this runs from source, where it is started through the task runner. */
function isFromSource(): boolean {
  return Deno.mainModule.endsWith("/client/main.ts") && !Deno.build.standalone;
}

async function main(): Promise<void> {
  // Should nothing be left to wait for before the command has ended, that is a defect, and no success.
  Deno.exitCode = EXIT.FAILED;
  const code = await runProgram(TRIVET, Deno.args, (run) => ({
    ...run,
    prompter: systemPrompter({ noInput: run.globals["no-input"], signal: run.signal }),
    program: isFromSource() ? "./denow task trivet" : "trivet",
    argv: Deno.args,
    stdin: Deno.stdin,
  }));
  Deno.exit(code);
}

// Not awaited: the runtime keeps compiled code for the next start only of a module that has been
// evaluated to its end, and that is a quarter of the time of a short command.
if (import.meta.main) main();
