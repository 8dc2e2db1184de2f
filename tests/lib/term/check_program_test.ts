import { assertEquals } from "@std/assert";
import { checkProgram } from "../../../lib/term/check_program.ts";
import {
  type ArgumentTable,
  defineCommand,
  type OptionTable,
  type ProgramSpec,
} from "../../../lib/term/command.ts";
import { CLOCK, DEMO } from "./programs.ts";

function programOf(options: OptionTable, table: ArgumentTable = {}): ProgramSpec<undefined> {
  const command = defineCommand({
    name: "go",
    summary: "Go",
    options,
    arguments: table,
    run: (_context: undefined) => Promise.resolve(),
  });
  return {
    name: "demo",
    version: "1",
    summary: "Demo",
    globalOptions: { quiet: { kind: "boolean", short: "q", env: "DEMO_QUIET", help: "" } },
    commands: [command],
  };
}

Deno.test("checkProgram() finds nothing in a sound table", { permissions: "none" }, () => {
  assertEquals(checkProgram(DEMO), []);
  assertEquals(checkProgram(CLOCK), []);
});

Deno.test("checkProgram() finds each mistake", { permissions: "none" }, () => {
  const help = "";
  const cases: [OptionTable, ArgumentTable, string][] = [
    [{ quiet: { kind: "boolean", help } }, {}, "demo go --quiet: is a global option"],
    [{ loud: { kind: "boolean", short: "q", help } }, {}, "demo go --loud: -q stands twice"],
    [{ loud: { kind: "boolean", short: "V", help } }, {}, "demo go --loud: -V stands twice"],
    [{ loud: { kind: "boolean", short: "1", help } }, {}, 'demo go --loud: "1" is no letter'],
    [
      { loud: { kind: "boolean", env: "DEMO_QUIET", help } },
      {},
      "demo go --loud: DEMO_QUIET stands twice",
    ],
    [{ loud: { kind: "boolean", env: "lo", help } }, {}, 'demo go --loud: "lo" is no variable'],
    [
      { Loud: { kind: "boolean", help } },
      {},
      "demo go --Loud: is no lower-case name of two or more",
    ],
    [
      { way: { kind: "choice", help } },
      {},
      'demo go --way: choices belong to the kind "choice", and it needs them',
    ],
    [
      { loud: { kind: "boolean", repeat: true, help } },
      {},
      "demo go --loud: a switch neither repeats nor names a value",
    ],
    [
      { port: { kind: "integer", default: "x", help } },
      {},
      'demo go --port: default needs a whole number, got "x"',
    ],
    [
      {},
      { files: { help, variadic: true }, target: { help, optional: true } },
      "demo go files: takes all that are left but for single needed ones behind it",
    ],
    [
      {},
      { files: { help, variadic: true }, more: { help, variadic: true } },
      "demo go files: takes all that are left but for single needed ones behind it",
    ],
    [
      {},
      { file: { help, optional: true }, target: { help } },
      "demo go target: is needed, but stands behind an optional one",
    ],
  ];
  for (const [options, table, mistake] of cases) {
    assertEquals(checkProgram(programOf(options, table)), [mistake]);
  }
  assertEquals(checkProgram(programOf({ human: { kind: "boolean", short: "h", help } })), []);
  const twice = programOf({});
  assertEquals(checkProgram({ ...twice, commands: [...twice.commands, ...twice.commands] }), [
    "demo go: stands twice",
  ]);
  assertEquals(
    checkProgram({ ...twice, globalOptions: { help: { kind: "boolean", help } } }),
    ["demo: --help is built in"],
  );
});

Deno.test("checkProgram() looks at the commands below one that runs", {
  permissions: "none",
}, () => {
  const below = defineCommand({
    name: "below",
    summary: "Below",
    options: { quiet: { kind: "boolean", help: "" } },
    arguments: {},
    run: (_context: undefined) => Promise.resolve(),
  });
  const withBelow = (choices: readonly string[]): ProgramSpec<undefined> => {
    const program = programOf({ Loud: { kind: "boolean", help: "" } }, {
      word: { help: "", choices },
    });
    return {
      ...program,
      commands: program.commands.map((command) => ({ ...command, subcommands: [below] })),
    };
  };
  const mistakes = [
    "demo go --Loud: is no lower-case name of two or more",
    "demo go below --quiet: is a global option",
  ];
  assertEquals(checkProgram(withBelow(["above"])), mistakes);
  assertEquals(checkProgram(withBelow(["above", "below"])), [
    ...mistakes.slice(0, 1),
    "demo go below: is a choice of its first argument too",
    ...mistakes.slice(1),
  ]);
});
