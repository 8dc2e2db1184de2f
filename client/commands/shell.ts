/**
 * `trivet shell`: runs commands line by line over one connection.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import type { ClientContext } from "./context.ts";

/** See the module. */
export const shellCommand = defineCommand({
  name: "shell",
  summary: "Run commands line by line, at a prompt or from stdin",
  description:
    "Lines are commands without the word trivet, and cd, pwd, lcd, lpwd, lls and exit besides; help " +
    "lists them. All use one login. Without a terminal, lines come from stdin, and the first that " +
    "fails ends the shell with its exit code. trivet without a command is the same.",
  examples: [
    { command: "trivet shell", does: "Open a shell" },
    { command: "trivet shell --keep-going < script", does: "Run every line of a file" },
  ],
  options: {
    "keep-going": {
      kind: "boolean",
      env: "TRIVET_KEEP_GOING",
      help: "Run the lines after one that failed too; the exit code is that of the first",
    },
  },
  arguments: {},
  run: async (context: ClientContext, invocation) => {
    if (context.prompter.canAsk) {
      const { runPromptLoop } = await import("../shell/prompt_loop.ts");
      return await runPromptLoop(context);
    }
    const { runScript } = await import("../shell/script.ts");
    return await runScript(context, invocation.values["keep-going"]);
  },
});
