/**
 * The commands file: TOML with one table `commands.NAME` for each command. It is checked as a whole
 * when it is read, and nothing of it is taken if one part is wrong.
 *
 * @module
 */

import { isAbsolute } from "node:path";
import * as v from "valibot";
import { checkUserName } from "../../lib/auth/credentials.ts";
import { MACHINE_KEY_NAME } from "../../lib/auth/machine_key.ts";
import { TrivetError } from "../../lib/errors.ts";
import {
  ARGUMENT_CHARS_MAX,
  ARGUMENTS_MAX,
  COMMAND_NAME,
  VARIABLE_NAME,
} from "../../lib/exec/messages.ts";
import { parseToml } from "../../lib/term/config_file.ts";
import { parseBytes, parseDuration } from "../../lib/term/values.ts";
import { CLIENT_VARIABLES_MAX, mistakeOfEntry } from "./client_environment.ts";
import { readPattern } from "./pattern.ts";
import { type CommandRule, type CommandRules, hasControl, type ParameterRule } from "./rules.ts";

/** Most commands of a file. */
export const COMMANDS_MAX = 256;

/** Largest commands file, in bytes. */
export const COMMANDS_FILE_MAX_BYTES: number = 1024 * 1024;

/** Longest time limit: a week, in milliseconds. */
export const TIME_LIMIT_MAX_MS: number = 7 * 24 * 60 * 60 * 1000;

/** Most of one command at once. */
export const CONCURRENT_MAX = 256;

const ID_MAX = 2 ** 32 - 2;

const Text = v.pipe(
  v.string("needs text in quotation marks"),
  v.maxLength(ARGUMENT_CHARS_MAX, `is longer than ${ARGUMENT_CHARS_MAX} characters`),
  v.check((text) => text.isWellFormed(), "is no valid Unicode"),
);
const Plain = v.pipe(Text, v.check((text) => !hasControl(text), "has control characters"));
const NoNul = v.pipe(Text, v.check((text) => !text.includes("\0"), "has a NUL"));
const Absolute = v.pipe(Plain, v.check(isAbsolute, "needs an absolute path"));
const Switch = v.boolean("needs true or false without quotation marks");

function count(max: number) {
  const text = `needs a whole number from 1 to ${max}`;
  return v.pipe(
    v.number(text),
    v.integer(text),
    v.minValue(1, text),
    v.maxValue(max, text),
  );
}

const Id = v.pipe(
  v.number("needs a number"),
  v.integer("needs a whole number"),
  v.minValue(0, "needs a number from 0"),
  v.maxValue(ID_MAX, `needs a number of at most ${ID_MAX}`),
);

const Duration = v.pipe(
  v.string("needs a duration such as 30s in quotation marks"),
  v.transform((text) => parseDuration(text) ?? NaN),
  v.number("needs a duration such as 30s or 5m"),
  v.minValue(1, "needs a duration of at least 1ms"),
  v.maxValue(TIME_LIMIT_MAX_MS, "needs a duration of at most 7d"),
);

const Size = v.pipe(
  v.union([v.string(), v.number()], "needs a size such as 10M"),
  v.transform((size) => parseBytes(String(size)) ?? NaN),
  v.number("needs a size such as 10_000 or 10M"),
);

const Pattern = v.pipe(
  Text,
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const pattern = readPattern(dataset.value);
    if (typeof pattern !== "string") return pattern;
    addIssue({ message: pattern });
    return NEVER;
  }),
);

const Parameter = v.pipe(
  v.strictObject({
    name: v.pipe(
      Plain,
      v.regex(/^[A-Z][A-Z0-9_]{0,31}$/, "needs a word in capitals such as LEVEL"),
    ),
    choices: v.optional(v.pipe(v.array(Plain), v.minLength(1, "needs at least one word"))),
    pattern: v.optional(Pattern),
    "allow-hyphen": v.optional(Switch, false),
    optional: v.optional(Switch, false),
    repeat: v.optional(count(ARGUMENTS_MAX), 1),
  }),
  v.check(
    ({ choices, pattern }) => (choices === undefined) !== (pattern === undefined),
    "needs either choices or a pattern",
  ),
);

const User = v.pipe(
  v.string("needs the name of an account in quotation marks"),
  v.check((name) => name === "*" || isUserName(name), "is no name of an account, nor *"),
);

const Key = v.pipe(
  v.string("needs the name of a machine key in quotation marks"),
  v.regex(MACHINE_KEY_NAME, "is no name of a machine key"),
);

const ClientVariable = v.pipe(
  v.string("needs the name of a variable in quotation marks"),
  v.rawCheck(({ dataset, addIssue }) => {
    const message = dataset.typed ? mistakeOfEntry(dataset.value) : undefined;
    if (message !== undefined) addIssue({ message });
  }),
);

const Command = v.pipe(
  v.strictObject({
    summary: v.optional(Plain, ""),
    executable: Absolute,
    arguments: v.optional(v.array(NoNul), []),
    parameters: v.optional(
      v.pipe(
        v.array(Parameter),
        v.maxLength(ARGUMENTS_MAX, `has more than ${ARGUMENTS_MAX} entries`),
        v.check(
          (all) => all.slice(0, -1).every(({ repeat }) => repeat === 1),
          "lets another one than the last repeat",
        ),
        v.check(
          (all) => all.every((each, index) => each.optional || !all[index - 1]?.optional),
          "has one that is needed behind one that is optional",
        ),
      ),
      [],
    ),
    users: v.optional(
      v.pipe(
        v.array(User, "needs a list of accounts"),
        v.minLength(1, "needs at least one account, or *"),
      ),
    ),
    keys: v.optional(
      v.pipe(
        v.array(Key, "needs a list of machine keys"),
        v.minLength(1, "needs the name of at least one machine key"),
      ),
    ),
    directory: v.optional(Absolute, "/"),
    environment: v.optional(
      v.record(
        v.pipe(v.string(), v.regex(VARIABLE_NAME, "is no name of a variable")),
        NoNul,
      ),
      {},
    ),
    "client-environment": v.optional(
      v.pipe(
        v.array(ClientVariable),
        v.maxLength(CLIENT_VARIABLES_MAX, `has more than ${CLIENT_VARIABLES_MAX} entries`),
      ),
      [],
    ),
    stdin: v.optional(Switch, false),
    "time-limit": v.optional(Duration, "1m"),
    "output-limit": v.optional(Size, "10M"),
    concurrent: v.optional(count(CONCURRENT_MAX), 4),
    "run-as": v.optional(v.strictObject({ uid: Id, gid: Id })),
  }),
  v.check(({ users, keys }) => users !== undefined || keys !== undefined, "needs users or keys"),
);

const CommandsFile = v.strictObject({
  commands: v.pipe(
    v.record(
      v.pipe(
        v.string(),
        v.regex(COMMAND_NAME, "is no name: use a-z, 0-9, dot, underscore and hyphen"),
      ),
      Command,
      "needs a table for each command",
    ),
    v.check((all) => Object.keys(all).length <= COMMANDS_MAX, `has more than ${COMMANDS_MAX}`),
  ),
});

/**
 * Reads the text of a commands file.
 *
 * @param text The text.
 * @param path What errors call the file.
 * @returns The commands by name.
 * @throws {TrivetError} `USAGE`, with every mistake and its place.
 */
export function parseCommands(text: string, path: string): CommandRules {
  const result = v.safeParse(CommandsFile, parseToml(text, { kind: "commands file", path }));
  if (!result.success) {
    const mistakes = result.issues.map((issue) => `${placeOf(issue)} ${wordsOf(issue)}`);
    throw new TrivetError("USAGE", `Cannot use commands file "${path}": ${mistakes.join("; ")}`);
  }
  return new Map(
    Object.entries(result.output.commands).map(([name, command]) => [name, toRule(name, command)]),
  );
}

function toRule(name: string, command: v.InferOutput<typeof Command>): CommandRule {
  return {
    name,
    summary: command.summary,
    executable: command.executable,
    fixedArguments: command.arguments,
    parameters: command.parameters.map((parameter): ParameterRule => ({
      name: parameter.name,
      choices: parameter.choices && new Set(parameter.choices),
      pattern: parameter.pattern,
      allowsHyphen: parameter["allow-hyphen"],
      isOptional: parameter.optional,
      repeat: parameter.repeat,
    })),
    users: new Set(command.users),
    keys: new Set(command.keys),
    directory: command.directory,
    environment: command.environment,
    clientEnvironment: command["client-environment"],
    stdin: command.stdin,
    timeLimitMs: command["time-limit"],
    outputLimitBytes: command["output-limit"],
    concurrent: command.concurrent,
    runAs: command["run-as"],
  };
}

/** The place of a mistake as TOML writes it: `commands.deploy.users[0]`. */
function placeOf(issue: v.BaseIssue<unknown>): string {
  const keys = issue.path?.map(({ key }) => typeof key === "number" ? `[${key}]` : `.${key}`) ?? [];
  return keys.join("").replace(/^\./, "") || "the file";
}

function wordsOf(issue: v.BaseIssue<unknown>): string {
  if (issue.type !== "strict_object") return issue.message;
  if (issue.expected === "never") return "is no key that there is";
  return issue.expected === "Object" ? "needs a table" : "is missing";
}

function isUserName(name: string): boolean {
  try {
    checkUserName(name);
    return true;
  } catch {
    return false;
  }
}
