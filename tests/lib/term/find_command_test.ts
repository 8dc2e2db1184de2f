import { assert, assertEquals, assertThrows } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { parseCommandLine, type ParsedCommand } from "../../../lib/term/parse.ts";
import { CLOCK, type Log } from "./programs.ts";

function parse(argv: readonly string[]) {
  return parseCommandLine(CLOCK, argv, { env: () => undefined });
}

function parseRun(argv: readonly string[]): ParsedCommand<Log, typeof CLOCK.globalOptions> {
  const parsed = parse(argv);
  assert(parsed.kind === "command", `is a ${parsed.kind}`);
  return parsed;
}

Deno.test("findTarget() runs a command by itself where no word names one below it", {
  permissions: "none",
}, () => {
  const cases: [argv: string[], format: string | undefined][] = [
    [["time"], undefined],
    [["time", "%H:%M"], "%H:%M"],
    [["time", "%H", "--json"], "%H"],
    [["--json", "time", "%H"], "%H"],
    [["time", ""], ""],
    [["time", "help"], "help"],
    // Behind "--" a word is an argument, whatever it says.
    [["time", "--", "show"], "show"],
    [["time", "--", "--json"], "--json"],
    [["time", "--utc", "--", "zones"], "zones"],
  ];
  for (const [argv, format] of cases) {
    const { path, invocation, globals } = parseRun(argv);
    assertEquals(path, ["time"], argv.join(" "));
    assertEquals(invocation.arguments, { format }, argv.join(" "));
    assertEquals(globals.json, argv.includes("--json") && !argv.includes("--"), argv.join(" "));
  }
});

Deno.test("findTarget() finds a command below one that runs", { permissions: "none" }, () => {
  const cases: [argv: string[], path: string[], instants: string[]][] = [
    [["time", "show"], ["time", "show"], []],
    [["time", "--json", "show", "1", "2"], ["time", "show"], ["1", "2"]],
    [["time", "show", "--every", "10s", "show"], ["time", "show"], ["show"]],
    [["time", "show", "--", "-1"], ["time", "show"], ["-1"]],
    [["time", "zones", "list", "a"], ["time", "zones", "list"], ["a"]],
    [["trash", "empty"], ["trash", "empty"], []],
  ];
  for (const [argv, path, instants] of cases) {
    const parsed = parseRun(argv);
    assertEquals(parsed.path, path);
    assertEquals(parsed.invocation.arguments, { instants });
  }
});

Deno.test("findTarget() keeps a command's own options to itself", { permissions: "none" }, () => {
  const { invocation } = parseRun([
    ...["time", "-z", "show", "--tag", "a", "-u", "%H", "--tag=b"],
  ]);
  assertEquals(invocation.values, { zone: "show", utc: true, tag: ["a", "b"] });
  const show = parseRun(["time", "show", "-z", "x"]);
  assertEquals(show.invocation.values, { zone: "x", every: undefined });
});

Deno.test("RunnableCommand.run() gets the types of its table beside subcommands", {
  permissions: "none",
}, async () => {
  const { command, invocation } = parseRun(["time", "--utc", "%H"]);
  const log: Log = { entries: [] };
  await command.run(log, invocation);
  assertEquals(log.entries, [{ zone: undefined, isUtc: true, format: "%H" }]);
});

Deno.test("findTarget() says what is wrong around a command that runs by itself", {
  permissions: "none",
}, () => {
  const cases: [argv: string[], message: string][] = [
    [
      ["time", "shwo"],
      'Unknown command "time shwo", did you mean "time show"? ' +
      'An argument like that stands behind "--"',
    ],
    [["time", "zon"], 'Unknown command "time zon", did you mean "time zones"?'],
    [["time", "zones", "lst"], 'Unknown command "time zones lst", did you mean "time zones list"?'],
    [["time", "%H", "%M"], 'Command "time" takes no argument "%M"'],
    [["time", "--zone", "x", "show"], 'Option --zone belongs after its command: "time show"'],
    [["time", "-u", "zones", "list"], 'Option --utc belongs after its command: "time zones"'],
    [["time", "--every", "10s", "show"], 'belongs after its command, such as "time show"'],
    [["time", "%H", "--every", "10s"], 'belongs after its command, such as "time show"'],
    [["--every", "10s", "time"], 'belongs after its command, such as "time show"'],
    [["--utc", "time"], 'Option --utc belongs after its command, such as "time"'],
    [["time", "--zoen", "x"], 'Unknown option "--zoen", did you mean "--zone"?'],
    [["time", "--evrey=1s", "show"], 'Unknown option "--evrey"'],
    // Without arguments of its own, a command with others below it takes no other word.
    [["trash", "fill"], 'Unknown command "trash fill"'],
    [["trash", "emtpy"], 'Unknown command "trash emtpy", did you mean "trash empty"?'],
  ];
  for (const [argv, message] of cases) {
    assertEquals(assertThrows(() => parse(argv), TrivetError, message).code, "USAGE");
  }
  const { details } = assertThrows(() => parse(["time", "shwo"]), TrivetError);
  assertEquals(details, { command: "time shwo", suggestion: "time show" });
});

Deno.test("findTarget() asks for help and version around a command that runs by itself", {
  permissions: "none",
}, () => {
  const help = (...path: string[]) => ({ kind: "help", path, asked: true });
  const cases: [argv: string[], expected: unknown][] = [
    [["time", "--help"], help("time")],
    [["time", "%H", "-h"], help("time")],
    [["--help", "time"], help("time")],
    [["time", "--help", "show"], help("time", "show")],
    [["time", "--utc", "--help", "show"], help("time", "show")],
    [["time", "show", "--help"], help("time", "show")],
    [["help", "time"], help("time")],
    [["help", "time", "show"], help("time", "show")],
    [["help", "time", "zones", "list"], help("time", "zones", "list")],
    [["time", "zones"], { kind: "help", path: ["time", "zones"], asked: false }],
    [["time", "--version"], { kind: "version" }],
    [["time", "show", "-V"], { kind: "version" }],
    [["trash", "-V"], { kind: "version" }],
  ];
  for (const [argv, expected] of cases) {
    assertEquals<unknown>(parse(argv), expected, argv.join(" "));
  }
  assertThrows(() => parse(["help", "time", "x"]), TrivetError, 'Unknown command "time x"');
});
