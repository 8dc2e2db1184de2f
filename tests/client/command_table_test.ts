import { assertEquals, assertMatch } from "@std/assert";
import { TRIVET } from "../../client/command_table.ts";
import { isGroup, type OptionTable } from "../../lib/term/command.ts";
import { checkProgram } from "../../lib/term/check_program.ts";
import { parseCommandLine } from "../../lib/term/parse.ts";

const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  register: ["ann"],
  stat: ["a"],
  mkdir: ["a"],
  put: ["a"],
  get: ["a"],
  cat: ["a"],
};

const sources = { env: () => undefined };

Deno.test("TRIVET is a sound table", { permissions: "none" }, () => {
  assertEquals(checkProgram(TRIVET), []);
});

Deno.test("TRIVET gives every option a variable of its own", { permissions: "none" }, () => {
  const tables: OptionTable[] = [TRIVET.globalOptions];
  for (const command of TRIVET.commands) if (!isGroup(command)) tables.push(command.options);
  for (const table of tables) {
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
