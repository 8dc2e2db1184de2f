import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { ARGUMENTS_MAX } from "../../../lib/exec/messages.ts";
import {
  COMMANDS_MAX,
  CONCURRENT_MAX,
  parseCommands,
  TIME_LIMIT_MAX_MS,
} from "../../../server/exec/commands_file.ts";
import { PATTERN_CHARS_MAX, PATTERN_WIDE_MAX, readPattern } from "../../../server/exec/pattern.ts";
import {
  type Asking,
  checkArguments,
  type CommandRule,
  describeRule,
  mayRun,
  PATTERN_ARGUMENT_CHARS_MAX,
} from "../../../server/exec/rules.ts";

const HEAD = `[commands.x]\nexecutable = "/bin/x"\nusers = ["ann"]\n`;

function ruleOf(lines: string): CommandRule {
  const rule = parseCommands(HEAD + lines, "c.toml").get("x");
  if (rule === undefined) throw new Error("No rule");
  return rule;
}

function refusalOf(action: () => unknown): TrivetError {
  return assertThrows(action, TrivetError);
}

Deno.test("parseCommands() fills in the careful defaults", () => {
  assertEquals(ruleOf(""), {
    name: "x",
    summary: "",
    executable: "/bin/x",
    fixedArguments: [],
    parameters: [],
    users: new Set(["ann"]),
    keys: new Set<string>(),
    directory: "/",
    environment: {},
    clientEnvironment: [],
    stdin: false,
    timeLimitMs: 60_000,
    outputLimitBytes: 10 * 1024 ** 2,
    concurrent: 4,
    runAs: undefined,
  });
});

Deno.test("parseCommands() names each mistake and its place", () => {
  const parameter = (text: string) => `parameters = [${text}]`;
  const cases: [lines: string, words: string][] = [
    [`time = "1m"`, "commands.x.time is no key that there is"],
    [`time-limit = "0s"`, "commands.x.time-limit needs a duration of at least 1ms"],
    [`time-limit = "8d"`, "commands.x.time-limit needs a duration of at most 7d"],
    [`time-limit = 60`, "commands.x.time-limit needs a duration such as 30s in quotation marks"],
    [`output-limit = "much"`, "commands.x.output-limit needs a size such as"],
    [`concurrent = 0`, "commands.x.concurrent needs a whole number from 1 to 256"],
    [`concurrent = 257`, "commands.x.concurrent needs a whole number from 1 to 256"],
    [`stdin = "yes"`, "commands.x.stdin needs true or false"],
    [`directory = "srv"`, "commands.x.directory needs an absolute path"],
    [`arguments = ["a\\u0000b"]`, "commands.x.arguments[0] has a NUL"],
    [`environment = { "A B" = "1" }`, "is no name of a variable"],
    [`run-as = { uid = 1 }`, "commands.x.run-as.gid is missing"],
    [`run-as = { uid = -1, gid = 1 }`, "commands.x.run-as.uid needs a number from 0"],
    [parameter(`{ name = "A" }`), "commands.x.parameters[0] needs either choices or a pattern"],
    [parameter(`{ name = "A", choices = ["a"], pattern = "a" }`), "needs either choices or"],
    [parameter(`{ name = "a", choices = ["a"] }`), "needs a word in capitals"],
    [parameter(`{ name = "A", choices = [] }`), "needs at least one word"],
    [parameter(`{ name = "A", pattern = "a)|(b" }`), "parameters[0].pattern is no regular"],
    [parameter(`{ name = "A", pattern = "(a+)+" }`), "parameters[0].pattern repeats a group"],
    [
      parameter(`{ name = "A", pattern = "a", repeat = 2 }, { name = "B", pattern = "b" }`),
      "lets another one than the last repeat",
    ],
    [
      parameter(`{ name = "A", pattern = "a", optional = true }, { name = "B", pattern = "b" }`),
      "has one that is needed behind one that is optional",
    ],
  ];
  for (const [lines, words] of cases) {
    const { code, message } = refusalOf(() => ruleOf(lines));
    assertEquals(code, "USAGE");
    assertStringIncludes(message, words);
  }
  const files: [text: string, words: string][] = [
    ["", "commands is missing"],
    ["[commands", "(c.toml:1:"],
    ["commands = 1", "commands needs a table for each command"],
    [`[commands.x]\nusers = ["ann"]`, "commands.x.executable is missing"],
    [`[commands.x]\nexecutable = "/bin/x"`, "commands.x needs users or keys"],
    [
      `[commands.x]\nexecutable = "/bin/x"\nkeys = []`,
      "commands.x.keys needs the name of at least",
    ],
    [`[commands.x]\nexecutable = "/bin/x"\nkeys = ["*"]`, "keys[0] is no name of a machine key"],
    [`[commands.x]\nexecutable = "/bin/x"\nusers = []`, "commands.x.users needs at least one"],
    [`[commands.x]\nexecutable = "/bin/x"\nusers = ["A B"]`, "users[0] is no name of an account"],
    [`[commands.x]\nexecutable = "x"\nusers = ["ann"]`, "executable needs an absolute path"],
    [`[commands."a b"]\nexecutable = "/bin/x"\nusers = ["ann"]`, "is no name: use"],
  ];
  for (const [text, words] of files) {
    assertStringIncludes(refusalOf(() => parseCommands(text, "c.toml")).message, words);
  }
});

Deno.test("parseCommands() takes as many commands as the limit and not one more", () => {
  const file = (count: number) =>
    Array.from(
      { length: count },
      (_, index) => `[commands.c${index}]\nexecutable = "/bin/x"\nusers = ["*"]\n`,
    ).join("");
  assertEquals(parseCommands(file(COMMANDS_MAX), "c.toml").size, COMMANDS_MAX);
  refusalOf(() => parseCommands(file(COMMANDS_MAX + 1), "c.toml"));
});

Deno.test("parseCommands() takes what each limit still allows", () => {
  assertEquals(ruleOf(`time-limit = "7d"`).timeLimitMs, TIME_LIMIT_MAX_MS);
  assertEquals(ruleOf(`time-limit = "1ms"`).timeLimitMs, 1);
  assertEquals(ruleOf(`concurrent = ${CONCURRENT_MAX}`).concurrent, CONCURRENT_MAX);
  const parameter = (repeat: number) =>
    `parameters = [{ name = "A", pattern = "a", repeat = ${repeat} }]`;
  assertEquals(ruleOf(parameter(ARGUMENTS_MAX)).parameters[0]?.repeat, ARGUMENTS_MAX);
  refusalOf(() => ruleOf(parameter(ARGUMENTS_MAX + 1)));
  for (const source of ["a".repeat(PATTERN_CHARS_MAX), "a*".repeat(PATTERN_WIDE_MAX)]) {
    assertEquals(readPattern(source) instanceof RegExp, true);
  }
});

Deno.test("mayRun() knows the accounts and keys that are named, and every account", () => {
  const askers: Asking[] = [
    { user: "ann" },
    { user: "bob" },
    { user: "bob", keyName: "ci" },
    { user: "bob", keyName: "ann" },
    { user: "key:ci", keyName: "ci", byKeyAlone: true },
    { user: "key:ann", keyName: "ann", byKeyAlone: true },
  ];
  const allowed = (lines: string) => {
    const head = `[commands.x]\nexecutable = "/bin/x"\n`;
    const rule = parseCommands(head + lines, "c.toml").get("x");
    return askers.map((asking) => rule !== undefined && mayRun(rule, asking));
  };
  const users = `users = ["ann"]`;
  assertEquals(allowed(users), [true, false, false, false, false, false]);
  assertEquals(allowed(`users = ["*"]`), [true, true, true, true, false, false]);
  assertEquals(allowed(`keys = ["ci"]`), [false, false, true, false, true, false]);
  assertEquals(allowed(`${users}\nkeys = ["ci"]`), [true, false, true, false, true, false]);
});

Deno.test("checkArguments() takes what the parameters say and nothing else", () => {
  const rule = ruleOf(`parameters = [
    { name = "VERSION", pattern = "v[0-9]{1,3}|latest" },
    { name = "MODE", choices = ["fast", "--slow"], optional = true },
    { name = "FILE", pattern = "[a-z-]+", optional = true, repeat = 3 },
  ]`);
  const good = [
    ["v1"],
    ["latest"],
    ["v123", "fast"],
    ["v1", "--slow"],
    ["v1", "fast", "a", "b-c", "d"],
  ];
  for (const args of good) checkArguments(rule, args);
  const bad = [
    [],
    ["v1234"],
    ["xv1"],
    ["v1x"],
    ["v1\n"],
    ["v1\0"],
    ["v1; id"],
    ["$(id)"],
    ["latest", "Fast"],
    ["v1", "fast\n"],
    ["v1", "-fast"],
    ["v1", "fast", "-rf"],
    ["v1", "fast", "--"],
    ["v1", "fast", "a\ud800"],
    ["v1", "fast", ""],
    ["v1", "fast", "a", "b", "c", "d"],
    ["--", "v1"],
    ["v1", "fast", "b;id"],
  ];
  for (const args of bad) {
    assertEquals(refusalOf(() => checkArguments(rule, args)).code, "ARGUMENT_REFUSED", args.join());
  }
  assertEquals(describeRule(rule).arguments, "VERSION [MODE] [FILE...]");
});

Deno.test("checkArguments() counts the arguments that are too many in words that fit", () => {
  const one = ruleOf(`parameters = [{ name = "A", choices = ["a"] }]`);
  const two = ruleOf(`parameters = [{ name = "A", choices = ["a"], repeat = 2 }]`);
  const cases = [
    [ruleOf(""), ["a"], "takes no arguments, got 1"],
    [one, ["a", "a"], "takes at most 1 argument, got 2"],
    [two, ["a", "a", "a"], "takes at most 2 arguments, got 3"],
  ] as const;
  for (const [rule, args, text] of cases) {
    const { message } = refusalOf(() => checkArguments(rule, args));
    assertEquals(message, `Command "${rule.name}" ${text}`);
  }
});

Deno.test("checkArguments() lets a hyphen lead only where the rule says so, and control never", () => {
  const rule = ruleOf(`parameters = [{ name = "ANY", pattern = "[^a]*", allow-hyphen = true }]`);
  checkArguments(rule, ["-x"]);
  checkArguments(rule, ["x".repeat(PATTERN_ARGUMENT_CHARS_MAX)]);
  refusalOf(() => checkArguments(rule, ["x".repeat(PATTERN_ARGUMENT_CHARS_MAX + 1)]));
  for (const sign of ["\0", "\n", "\r", "\t", "\x1b", "\x7f", "\x9b"]) {
    refusalOf(() => checkArguments(rule, [`x${sign}x`]));
  }
});

Deno.test("checkArguments() allows no argument where no parameter is named", () => {
  checkArguments(ruleOf(""), []);
  refusalOf(() => checkArguments(ruleOf(""), [""]));
});

Deno.test("readPattern() matches the whole argument and refuses what may take too long", () => {
  const pattern = readPattern("a|b") as RegExp;
  assertEquals(["a", "b", "ab", "xa", "bx", "a\n"].map((text) => pattern.test(text)), [
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
  const good = [
    "v[0-9]+(?:\\.[0-9]+)?",
    "[+*?{]{3}",
    "\\p{L}+",
    "a+?b*",
    "(x)?",
    "a{1,9}".repeat(12),
  ];
  for (const source of good) assertEquals(readPattern(source) instanceof RegExp, true, source);
  const bad: [source: string, words: string][] = [
    ["(a|a)*b", "repeats a group"],
    ["(?:ab){2}", "repeats a group"],
    ["(a)\\1", "refers back"],
    ["a+b+c+d+", "wide quantifiers"],
    ["a{1,10}".repeat(4), "wide quantifiers"],
    ["a?".repeat(13), "more than 12 quantifiers"],
    ["[", "is no regular expression"],
    ["a".repeat(513), "is longer than 512 characters"],
  ];
  for (const [source, words] of bad) assertStringIncludes(String(readPattern(source)), words);
});
