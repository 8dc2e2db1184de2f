/**
 * The commands that only a shell has: where one is, on the server and on this machine, and leaving.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { compareNames, formatPath, parsePath, quoteName } from "../../lib/netdisk/path.ts";
import { type CommandSpec, defineCommand } from "../../lib/term/command.ts";
import type { ClientContext } from "../commands/context.ts";
import { localError } from "../local_error.ts";
import type { ShellSession } from "./session.ts";

/** The commands of a shell besides those of `trivet`. */
export function shellCommands(session: ShellSession): CommandSpec<ClientContext>[] {
  return [...remoteCommands(session), ...LOCAL_COMMANDS, ...endCommands(session)];
}

function remoteCommands(session: ShellSession): CommandSpec<ClientContext>[] {
  const cd = defineCommand({
    name: "cd",
    summary: "Change the folder on the server",
    options: {},
    arguments: {
      dir: {
        help: "The folder (default: the root)",
        optional: true,
        completes: "remote-folder",
      },
    },
    run: async (context: ClientContext, invocation) => {
      await enterFolder(session, invocation.arguments.dir ?? "/", context);
      context.output.json({ path: session.folder });
    },
  });
  const pwd = defineCommand({
    name: "pwd",
    summary: "Show the folder on the server",
    options: {},
    arguments: {},
    run: ({ output }: ClientContext) => {
      output.line(session.folder);
      output.json({ path: session.folder });
      return Promise.resolve();
    },
  });
  return [cd, pwd];
}

/** Changes into a folder of the server. */
async function enterFolder(
  session: ShellSession,
  path: string,
  context: ClientContext,
): Promise<void> {
  const components = parsePath(session.resolvePath(path));
  const folder = formatPath(components);
  await using client = await session.openClient(context);
  if (components.length > 0) {
    const { type } = await client.stat(folder, context.signal);
    if (type !== "folder") {
      throw new TrivetError("NOT_FOLDER", `Cannot enter ${quoteName(folder)}: it is no folder`);
    }
  }
  session.folder = folder;
}

const LOCAL_COMMANDS: readonly CommandSpec<ClientContext>[] = [
  defineCommand({
    name: "lcd",
    summary: "Change the folder on this machine",
    options: {},
    arguments: {
      dir: { help: "The folder (default: your home)", optional: true, completes: "local-folder" },
    },
    run: ({ env, output }: ClientContext, invocation) => {
      const folder = invocation.arguments.dir ?? (env("HOME") || env("USERPROFILE") || ".");
      try {
        Deno.chdir(folder);
      } catch (error) {
        throw localError(error, "enter", folder);
      }
      output.json({ path: Deno.cwd() });
      return Promise.resolve();
    },
  }),
  defineCommand({
    name: "lpwd",
    summary: "Show the folder on this machine",
    options: {},
    arguments: {},
    run: ({ output }: ClientContext) => {
      output.line(Deno.cwd());
      output.json({ path: Deno.cwd() });
      return Promise.resolve();
    },
  }),
  defineCommand({
    name: "lls",
    summary: "List a folder on this machine",
    options: {},
    arguments: {
      dir: { help: "The folder (default: this one)", optional: true, completes: "local-folder" },
    },
    run: async ({ output }: ClientContext, invocation) => {
      const folder = invocation.arguments.dir ?? ".";
      const names: string[] = [];
      try {
        for await (const { name } of Deno.readDir(folder)) names.push(name);
      } catch (error) {
        throw localError(error, "read", folder);
      }
      names.sort(compareNames);
      for (const name of names) output.line(name);
      output.json({ path: folder, names });
    },
  }),
];

function endCommands(session: ShellSession): CommandSpec<ClientContext>[] {
  return ["exit", "quit"].map((name) =>
    defineCommand({
      name,
      summary: name === "exit" ? "Leave the shell" : "The same as exit",
      options: {},
      arguments: {},
      run: () => {
        session.isEnded = true;
        return Promise.resolve();
      },
    })
  );
}
