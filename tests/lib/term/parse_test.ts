import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { TrivetError } from "../../../lib/errors.ts";
import { defineCommand, defineProgram } from "../../../lib/term/command.ts";
import { renderHelp } from "../../../lib/term/help.ts";
import { parseCommandLine, type ParsedCommand, peekSwitch } from "../../../lib/term/parse.ts";
import { DEMO, type Log } from "./programs.ts";

const none = { permissions: "none" } as const;

type Demo = ParsedCommand<Log, typeof DEMO.globalOptions>;

function parse(
  argv: readonly string[],
  env: Record<string, string> = {},
  config: Record<string, string> = {},
): ReturnType<typeof parseCommandLine<Log, typeof DEMO.globalOptions>> {
  return parseCommandLine(DEMO, argv, {
    env: (name) => env[name],
    config: (name) => {
      const text = config[name];
      return text === undefined ? undefined : { texts: [text], place: `demo.toml:${name.length}` };
    },
  });
}

function parseRun(argv: readonly string[], env: Record<string, string> = {}): Demo {
  const parsed = parse(argv, env);
  assert(parsed.kind === "command", `is a ${parsed.kind}`);
  return parsed;
}

function refuse(
  argv: readonly string[],
  message: string,
  env: Record<string, string> = {},
): TrivetError {
  const error = assertThrows(() => parse(argv, env), TrivetError, message);
  assertEquals(error.code, "USAGE");
  return error;
}

Deno.test("parseCommandLine() reads options of every form", { permissions: "none" }, () => {
  const forms = [
    ["put", "f", "--limit-rate", "2K", "--recursive"],
    ["put", "--limit-rate=2K", "--recursive", "f"],
    ["put", "-rl2K", "f"],
    ["put", "-r", "-l", "2K", "f"],
    ["put", "-rl=2K", "f"],
    ["put", "--recursive=yes", "-l", "1M", "-l", "2K", "f"],
  ];
  for (const form of forms) {
    const { invocation, path } = parseRun(form);
    assertEquals(path, ["put"]);
    assertEquals(invocation.values["limit-rate"], 2048, form.join(" "));
    assertEquals(invocation.values["recursive"], true, form.join(" "));
    assertEquals(invocation.arguments, { local: "f", remote: undefined });
  }
});

Deno.test("parseCommandLine() takes global options before and after the command", {
  permissions: "none",
}, () => {
  for (
    const argv of [["--json", "-p", "1", "put", "f"], ["put", "f", "--json", "-p1"], [
      "-p2",
      "put",
      "--port=1",
      "f",
      "--json",
    ]]
  ) {
    const { globals } = parseRun(argv);
    // Typed by the table: a switch is a boolean, a number with a default a number.
    const json: boolean = globals.json;
    const port: number = globals.port;
    assertEquals([json, port], [true, 1]);
  }
});

Deno.test("parseCommandLine() changes no argument", { permissions: "none" }, () => {
  const cases: [string[], string, string | undefined][] = [
    [["put", "007", "0x10"], "007", "0x10"],
    [["put", "--recursive", "true"], "true", undefined],
    [["put", "-r", "false"], "false", undefined],
    [["--json", "put", "true"], "true", undefined],
    [["put", "-", "1e3"], "-", "1e3"],
    [["put", "--", "-x", "--json"], "-x", "--json"],
    [["put", "a", "--", "--"], "a", "--"],
    [["put", "--", "-r=1"], "-r=1", undefined],
    [["put", "", " "], "", " "],
    [["put", "a=b", "help"], "a=b", "help"],
    [["put", "a_b", "_"], "a_b", "_"],
    [["put", "-s_", "_a", "--server=_"], "_a", undefined],
  ];
  for (const [argv, local, remote] of cases) {
    assertEquals(parseRun(argv).invocation.arguments, { local, remote }, argv.join(" "));
  }
});

Deno.test(
  "parseCommandLine() switches off with =false and the like",
  { permissions: "none" },
  () => {
    assertEquals(parseRun(["put", "f", "--json=no"], { DEMO_JSON: "1" }).globals.json, false);
    assertEquals(
      parseRun(["put", "f", "--recursive", "--recursive=off"]).invocation.values["recursive"],
      false,
    );
    refuse(["put", "f", "--json=maybe"], 'Option --json needs true or false, got "maybe"');
    refuse(["put", "f", "--json="], "Option --json needs true or false, got nothing");
  },
);

Deno.test("parseCommandLine() reads negative numbers as values", { permissions: "none" }, () => {
  assertEquals(parseRun(["put", "f", "--offset", "-5"]).invocation.values["offset"], -5);
  assertEquals(parseRun(["put", "f", "--offset=-10"]).invocation.values["offset"], -10);
  refuse(["put", "f", "--offset", "-11"], 'from -10 to 10, got "-11"');
  refuse(["put", "f", "-5"], 'Unknown option "-5"');
});

Deno.test("parseCommandLine() takes flag before environment before config before default", {
  permissions: "none",
}, () => {
  const env = { DEMO_PORT: "2" };
  const config = { port: "3" };
  const cases: [string[], Record<string, string>, Record<string, string>, number, string][] = [
    [["--port", "1", "put", "f"], env, config, 1, "flag"],
    [["put", "f"], env, config, 2, "environment"],
    [["put", "f"], { DEMO_PORT: "" }, config, 3, "config"],
    [["put", "f"], {}, {}, 9000, "default"],
  ];
  for (const [argv, env, config, port, source] of cases) {
    const parsed = parse(argv, env, config);
    assert(parsed.kind === "command");
    assertEquals([parsed.globals.port, parsed.globalSources["port"]], [port, source]);
    assertEquals(parsed.globals.server, undefined);
    assertEquals(parsed.globalSources["server"], "unset");
  }
});

Deno.test("parseCommandLine() says where each option was set", { permissions: "none" }, () => {
  const argv = ["put", "f", "--overwrite", "skip"];
  const parsed = parse(argv, { DEMO_EXCLUDE: "a,b" }, { offset: "3" });
  assert(parsed.kind === "command");
  const { places, values } = parsed.invocation;
  assertEquals(
    [places["overwrite"], places["exclude"], places["offset"], places["limit-rate"]],
    ["--overwrite", "DEMO_EXCLUDE", "demo.toml:6", undefined],
  );
  assertEquals(values["exclude"], ["a", "b"]);
  assertThrows(
    () => parse(["put", "f"], {}, { offset: "11" }),
    TrivetError,
    'Key "offset" (demo.toml:6) needs a whole number from -10 to 10, got "11"',
  );
});

Deno.test(
  "parseCommandLine() names the variable or key that is wrong",
  { permissions: "none" },
  () => {
    refuse(["put", "f"], 'Variable DEMO_PORT needs a whole number from 0 to 65535, got "x"', {
      DEMO_PORT: "x",
    });
    refuse(["put", "f"], "Variable DEMO_LIMIT_RATE needs a rate", { DEMO_LIMIT_RATE: "1" });
    assertThrows(
      () => parse(["put", "f"], {}, { port: "70000" }),
      TrivetError,
      'Key "port" (demo.toml:4) needs',
    );
  },
);

Deno.test("parseCommandLine() collects options that repeat", { permissions: "none" }, () => {
  assertEquals(parseRun(["put", "f"]).invocation.values["exclude"], []);
  const typed = parseRun(["put", "f", "--exclude", "a,b", "--exclude=1"], { DEMO_EXCLUDE: "z" });
  assertEquals(typed.invocation.values["exclude"], ["a,b", "1"]);
  assertEquals(parseRun(["put", "f"], { DEMO_EXCLUDE: "a,b" }).invocation.values["exclude"], [
    "a",
    "b",
  ]);
});

Deno.test(
  "parseCommandLine() says what is unknown and what was meant",
  { permissions: "none" },
  () => {
    const cases: [string[], string][] = [
      [["pt"], 'Unknown command "pt", did you mean "put"?'],
      [["xyzzy"], 'Unknown command "xyzzy"'],
      [["user", "ad"], 'Unknown command "user ad", did you mean "user add"?'],
      [["put", "f", "--jsno"], 'Unknown option "--jsno", did you mean "--json"?'],
      [["put", "f", "--limit-rat=5"], 'Unknown option "--limit-rat", did you mean "--limit-rate"?'],
      [["--jsno", "put", "f"], 'Unknown option "--jsno", did you mean "--json"?'],
      [["--recursive", "put", "f"], 'Option --recursive belongs after its command, such as "put"'],
      [["--admin", "user"], 'Option --admin belongs after its command, such as "user add"'],
      [["put", "f", "-z"], 'Unknown option "-z"'],
      [["put", "f", "-rz"], 'Unknown option "-rz"'],
      [["put", "-dash"], 'Unknown option "-dash"; a name like that stands behind "--"'],
      [["put", "f", "--trac"], 'Unknown option "--trac"'],
      [["put", "f", "--__proto__=1"], 'Unknown option "--__proto__"'],
      [["put", "f", "--constructor"], 'Unknown option "--constructor"'],
      [["put", "f", "--net.port=1"], 'Unknown option "--net.port"'],
      [["put", "f", "--_=x"], "Unknown option"],
      [["put", "f", "-x_"], "Unknown option"],
      [["put", "f", "-=_"], "Unknown option"],
      [["put", "f", "-x=a_b"], "Unknown option"],
      [["-\n_", "put"], "Unknown option"],
      [["put", "f", "--no-json"], 'Unknown option "--no-json"'],
    ];
    for (const [argv, message] of cases) refuse(argv, message);
    assertEquals(refuse(["pt"], "").details, { command: "pt", suggestion: "put" });
  },
);

Deno.test("parseCommandLine() suggests no hidden option", {
  permissions: "none",
}, () => {
  const { message } = refuse(["put", "f", "--trac"], "Unknown option");
  assert(!message.includes("did you mean"), message);
});

Deno.test("parseCommandLine() misses values and arguments", { permissions: "none" }, () => {
  const cases: [string[], string][] = [
    [["put"], 'Command "put" needs an argument LOCAL: File to upload, - for stdin'],
    [["put", "a", "b", "c"], 'Command "put" takes no argument "c"'],
    [["put", "a", "b", "5M"], 'takes no argument "5M", did you mean "--limit-rate 5M"?'],
    [["put", "a", "b", "skip"], 'takes no argument "skip", did you mean "--overwrite skip"?'],
    [["user", "add"], 'Command "user add" needs an argument NAMES'],
    [["put", "f", "--limit-rate"], "Option --limit-rate needs a rate"],
    [["put", "f", "--limit-rate", "--json"], "Option --limit-rate needs a rate"],
    [["put", "f", "--limit-rate", ""], "Option --limit-rate needs a rate"],
    [["--server", "", "put", "f"], "Option --server needs a value, got nothing"],
    [["put", "f", "--server", "-x"], "Option --server needs a value, got nothing"],
    [["put", "f", "--server="], "Option --server needs a value, got nothing"],
    [
      ["put", "f", "--overwrite", "all"],
      'Option --overwrite needs replace, skip or fail, got "all"',
    ],
    [["put", "f", "-l", "1", "-l", "2K"], 'of at least 1.0 KiB/s, got "1"'],
    [["serve", "netdisk", "mail"], 'Argument SERVICES needs netdisk or chat, got "mail"'],
  ];
  for (const [argv, message] of cases) refuse(argv, message);
});

Deno.test("parseCommandLine() gives variadic arguments as lists", { permissions: "none" }, () => {
  assertEquals(parseRun(["serve"]).invocation.arguments, { services: [] });
  assertEquals(parseRun(["user", "add", "a", "--", "-b"]).invocation.arguments, {
    names: ["a", "-b"],
  });
  assertEquals(parseRun(["user", "add", "a"]).path, ["user", "add"]);
});

const COPY = defineProgram({
  name: "demo",
  version: "1.2.3",
  summary: "Copies",
  globalOptions: {},
  commands: [defineCommand({
    name: "cp",
    summary: "Copy",
    options: { human: { kind: "boolean", short: "h", help: "For people" } },
    arguments: { from: { help: "From", variadic: true }, to: { help: "To" } },
    run: (_context: undefined) => Promise.resolve(),
  })],
});

Deno.test("parseCommandLine() leaves arguments for those behind a variadic one", none, () => {
  const read = (...argv: string[]) => {
    const parsed = parseCommandLine(COPY, ["cp", ...argv], { env: () => undefined });
    return parsed.kind === "command" ? parsed.invocation.arguments : parsed.kind;
  };
  assertEquals(read("a", "b"), { from: ["a"], to: "b" });
  assertEquals(read("a", "b", "c"), { from: ["a", "b"], to: "c" });
  assertThrows(() => read("a"), TrivetError, "needs an argument TO");
  assertThrows(() => read(), TrivetError, "needs an argument FROM");
});

Deno.test("A command may use -h for an option of its own", none, () => {
  const read = (...argv: string[]) => parseCommandLine(COPY, argv, { env: () => undefined });
  const parsed = read("cp", "-h", "a", "b");
  assertEquals(parsed.kind === "command" && parsed.invocation.values, { human: true });
  assertEquals([read("cp", "--help").kind, read("-h").kind], ["help", "help"]);
  const help = renderHelp(COPY, ["cp"]);
  assertStringIncludes(help, "  -h, --human");
  assertStringIncludes(help, "      --help ");
});

Deno.test(
  "parseCommandLine() asks for help and version on every level",
  { permissions: "none" },
  () => {
    const help = (path: string[], asked = true) => ({ kind: "help" as const, path, asked });
    const cases: [string[], unknown][] = [
      [[], help([], false)],
      [["--json"], help([], false)],
      [["--", "put"], help([], false)],
      [["user"], help(["user"], false)],
      [["--help"], help([])],
      [["-h"], help([])],
      [["help"], help([])],
      [["help", "put"], help(["put"])],
      [["help", "user", "add"], help(["user", "add"])],
      [["put", "--help"], help(["put"])],
      [["put", "-rh"], help(["put"])],
      [["--help", "put"], help(["put"])],
      [["put", "--bogus", "a", "b", "c", "--help"], help(["put"])],
      [["user", "--help"], help(["user"])],
      [["user", "add", "-h"], help(["user", "add"])],
      [["--version"], { kind: "version" }],
      [["-V"], { kind: "version" }],
      [["put", "--version"], { kind: "version" }],
    ];
    for (const [argv, expected] of cases) {
      assertEquals<unknown>(
        parse(argv),
        expected,
        argv.join(" "),
      );
    }
    refuse(["help", "pt"], 'Unknown command "pt"');
    refuse(["help", "put", "x"], 'Unknown command "put x"');
    assertEquals(parseRun(["put", "--", "--help"]).invocation.arguments["local"], "--help");
  },
);

Deno.test(
  "RunnableCommand.run() gets the types of its table",
  { permissions: "none" },
  async () => {
    const { command, invocation } = parseRun(["put", "-r", "file", "there"]);
    const log: Log = { entries: [] };
    assertEquals(await command.run(log, invocation), undefined);
    assertEquals(log.entries, [
      {
        rate: undefined,
        policy: "replace",
        isRecursive: true,
        exclude: [],
        local: 4,
        remote: "there",
      },
    ]);
    const add = parseRun(["user", "add", "x"]);
    assertEquals(await add.command.run(log, add.invocation), 4);
  },
);

Deno.test("peekSwitch() works where the rest cannot be read", { permissions: "none" }, () => {
  const peek = (argv: string[], env: Record<string, string> = {}) =>
    peekSwitch(DEMO, argv, "json", { env: (name) => env[name] });
  assert(peek(["bogus", "--wrong", "--json"]));
  assert(peek(["--json", "pt"]));
  assert(peek(["pt"], { DEMO_JSON: "yes" }));
  assert(!peek(["pt", "--json=false"], { DEMO_JSON: "yes" }));
  assert(!peek(["pt", "--", "--json"]));
  assert(!peek(["pt"], { DEMO_JSON: "rubbish" }));
});

Deno.test(
  "parseCommandLine() throws nothing but USAGE, whatever is typed",
  { permissions: "none" },
  () => {
    const word = fc.oneof(
      fc.constantFrom(
        ...[
          "put",
          "serve",
          "user",
          "add",
          "help",
          "--",
          "-",
          "--json",
          "-q",
          "-p",
          "--port",
          "-rl2K",
        ],
        ...[
          "--offset",
          "-5",
          "--_",
          "--_=x",
          "-_",
          "-x_",
          "-r_",
          "--__proto__",
          "--_.x",
          "--=",
          "-=",
          "---",
        ],
        ...[
          "--help=false",
          "--constructor=1",
          "--port=",
          "-p=",
          "--exclude",
          "true",
          "",
          "--limit-rate",
        ],
      ),
      fc.string({ unit: "binary", maxLength: 8 }),
      fc.string({ maxLength: 6 }).map((text) => `--${text}`),
      fc.string({ maxLength: 4 }).map((text) => `-${text}`),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), fc.boolean(), (words, command) => {
        const argv = command ? ["put", ...words] : words;
        try {
          const parsed = parse(argv, { DEMO_PORT: "1" });
          if (parsed.kind === "command" && parsed.path[0] === "put") {
            assertEquals(typeof parsed.invocation.arguments["local"], "string");
          }
        } catch (error) {
          assert(error instanceof TrivetError && error.code === "USAGE", `${error} for ${argv}`);
        }
        peekSwitch(DEMO, argv, "json", { env: () => undefined });
      }),
      { numRuns: 5000 },
    );
  },
);

Deno.test(
  "parseCommandLine() gives back every word behind -- as it was",
  { permissions: "none" },
  () => {
    const words = fc.array(fc.string({ unit: "binary", maxLength: 10 }), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(fc.property(words, (words) => {
      assertEquals(parseRun(["user", "add", "--", ...words]).invocation.arguments, {
        names: words,
      });
    }));
  },
);

Deno.test("parseCommandLine() passes everything behind the first argument through where a command says so", () => {
  const command = defineCommand({
    name: "run",
    summary: "Run",
    options: { list: { kind: "boolean", help: "List" } },
    arguments: {
      name: { help: "Name", optional: true },
      rest: { help: "Rest", optional: true, variadic: true },
    },
    passesThrough: true,
    run: () => Promise.resolve(),
  });
  const program = defineProgram({
    name: "p",
    version: "1",
    summary: "P",
    globalOptions: { json: { kind: "boolean", help: "JSON" } },
    commands: [command],
  });
  const cases: [argv: string[], name: string | undefined, rest: string[], list: boolean][] = [
    [
      ["run", "a", "--list", "-x", "--json", "--help"],
      "a",
      ["--list", "-x", "--json", "--help"],
      false,
    ],
    [["run", "--list", "a", "b"], "a", ["b"], true],
    [["run", "a", "--", "b", "--", "c"], "a", ["--", "b", "--", "c"], false],
    [["run", "--", "a", "--", "--list"], "a", ["--", "--list"], false],
    [["run", "a", ""], "a", [""], false],
    [["run", "--list"], undefined, [], true],
  ];
  for (const [argv, name, rest, list] of cases) {
    const parsed = parseCommandLine(program, argv, { env: () => undefined });
    assert(parsed.kind === "command", argv.join(" "));
    assertEquals(parsed.invocation.arguments, { name, rest }, argv.join(" "));
    assertEquals([parsed.invocation.values["list"], parsed.globals.json], [list, false]);
  }
});
