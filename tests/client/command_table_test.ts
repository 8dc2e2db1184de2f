import { assertEquals, assertMatch } from "@std/assert";
import { TRIVET } from "../../client/command_table.ts";
import {
  type CommandSpec,
  isGroup,
  type OptionTable,
  subcommandsOf,
} from "../../lib/term/command.ts";
import { checkProgram } from "../../lib/term/check_program.ts";
import { parseCommandLine } from "../../lib/term/parse.ts";

const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  register: ["ann"],
  sync: ["a", "b"],
  find: ["*.iso"],
  stat: ["a"],
  mkdir: ["a"],
  rmdir: ["a"],
  rm: ["a"],
  mv: ["a", "b"],
  cp: ["a", "b"],
  trash: ["list"],
  token: ["list"],
  put: ["a"],
  get: ["a"],
  cat: ["a"],
  verify: ["a", "b"],
  exec: ["a"],
  chat: ["rooms"],
};

/** The option tables of commands and of all below them. */
function tablesOf<C>(commands: readonly CommandSpec<C>[]): OptionTable[] {
  return commands.flatMap((command) => [
    ...(isGroup(command) ? [] : [command.options]),
    ...tablesOf(subcommandsOf(command)),
  ]);
}

const sources = { env: () => undefined };

Deno.test("TRIVET is a sound table", { permissions: "none" }, () => {
  assertEquals(checkProgram(TRIVET), []);
});

Deno.test("TRIVET gives every option a variable of its own", { permissions: "none" }, () => {
  for (const table of [TRIVET.globalOptions, ...tablesOf(TRIVET.commands)]) {
    for (const [name, { env }] of Object.entries(table)) {
      assertMatch(env ?? name, /^TRIVET_[A-Z_]+$/);
    }
  }
});

Deno.test("TRIVET reads every switch before and after the command", { permissions: "none" }, () => {
  for (const [name, { kind }] of Object.entries(TRIVET.globalOptions)) {
    if (kind !== "boolean") continue;
    for (const argv of [[`--${name}`, "whoami"], ["whoami", `--${name}`]]) {
      const parsed = parseCommandLine(TRIVET, argv, sources);
      const globals: Readonly<Record<string, unknown>> = parsed.kind === "command"
        ? parsed.globals
        : {};
      assertEquals(globals[name], true, `--${name}`);
    }
  }
});

Deno.test("TRIVET takes the arguments that its commands name", { permissions: "none" }, () => {
  for (const { name } of TRIVET.commands) {
    const argv = [name, ...ARGUMENTS[name] ?? []];
    assertEquals(parseCommandLine(TRIVET, argv, sources).kind, "command", name);
  }
});
