/**
 * `trivet exec`: runs a command on the server, as its administrator allows it.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { quoteName } from "../../lib/netdisk/path.ts";
import { defineCommand } from "../../lib/term/command.ts";
import type { ClientContext } from "./context.ts";

/** See the module. */
export const execCommand = defineCommand({
  name: "exec",
  summary: "Run a command of the server",
  description:
    "Everything behind NAME belongs to the command, also what begins with a hyphen; no shell sees " +
    "it. Both outputs and stdin are passed on, and SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and " +
    "SIGUSR2 too; a second SIGINT or SIGTERM ends everything at once.\n" +
    "Ends with the exit code of the command, with 128 + N when the signal N ended it, and with 255 " +
    "when it was refused or cut short, or the connection was lost. With --json, the outputs are " +
    "part of the document.",
  examples: [
    { command: "trivet exec --list", does: "List the commands that the account may run" },
    { command: "trivet exec deploy v1.2.3", does: "Run one" },
    { command: "trivet exec --env LANG=C report", does: "Set a variable that it takes" },
    { command: "trivet exec restore < backup.sql", does: "Send it a file" },
  ],
  options: {
    list: {
      kind: "boolean",
      env: "TRIVET_EXEC_LIST",
      help: "List the commands that the account may run",
    },
    env: {
      kind: "string",
      valueName: "NAME=VALUE",
      env: "TRIVET_EXEC_ENV",
      repeat: true,
      help: "Set a variable for the command, if it takes it from clients",
    },
    timeout: {
      kind: "duration",
      env: "TRIVET_EXEC_TIMEOUT",
      min: 1,
      help: "End the command after this time, if its own limit is not shorter",
    },
    "no-share": {
      kind: "boolean",
      env: "TRIVET_NO_SHARE",
      help: "Connect anew, also where trivet share keeps a connection",
    },
  },
  arguments: {
    name: { help: "Name of the command", optional: true },
    argument: { help: "Its arguments", optional: true, variadic: true },
  },
  passesThrough: true,
  run: async (context: ClientContext, { values, arguments: { name, argument } }) => {
    const mayShare = !values["no-share"];
    if (values.list && name !== undefined) {
      throw new TrivetError("USAGE", "--list takes no command");
    }
    if (values.list) {
      return await (await import("./exec_list.ts")).listCommands(context, { mayShare });
    }
    if (name === undefined) {
      throw new TrivetError("USAGE", "Name a command, or list them with --list");
    }
    const { runCommand } = await import("./exec_run.ts");
    return await runCommand(context, {
      name,
      args: argument,
      environment: readVariables(values.env),
      timeoutMs: values.timeout,
      mayShare,
    });
  },
});

/** The variables behind `--env`; of two with the same name, the last one counts. */
function readVariables(texts: readonly string[]): Record<string, string> | undefined {
  if (texts.length === 0) return undefined;
  return Object.fromEntries(texts.map((text) => {
    const at = text.indexOf("=");
    if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
    throw new TrivetError("USAGE", `Option --env needs NAME=VALUE, got ${quoteName(text)}`);
  }));
}
