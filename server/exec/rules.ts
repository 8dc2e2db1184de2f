/**
 * What a listed command may be: the rule that the administrator wrote for it, and whether a request
 * fits. Nothing here starts anything.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import type { ListedCommand } from "../../lib/exec/messages.ts";
import { quoteName } from "../../lib/netdisk/path.ts";
import { takesVariable } from "./client_environment.ts";

/** Longest argument that a pattern is tried on, in UTF-16 units: it bounds the time that takes. */
export const PATTERN_ARGUMENT_CHARS_MAX = 256;

/** One further argument that a command takes, or with `repeat` several. */
export interface ParameterRule {
  /** What people call it. */
  readonly name: string;
  /** The words that it may be; nothing where a pattern decides. */
  readonly choices: ReadonlySet<string> | undefined;
  /** What the whole argument must match. */
  readonly pattern: RegExp | undefined;
  /** Whether an argument that fits the pattern may begin with a hyphen. */
  readonly allowsHyphen: boolean;
  /** Whether it may be left out, with all behind it. */
  readonly isOptional: boolean;
  /** How often it may stand there, once or more; only the last may do so more than once. */
  readonly repeat: number;
}

/** A command as the administrator allows it. */
export interface CommandRule {
  readonly name: string;
  /** What it is for. */
  readonly summary: string;
  /** Absolute path of the program. */
  readonly executable: string;
  /** Arguments that always stand first. */
  readonly fixedArguments: readonly string[];
  readonly parameters: readonly ParameterRule[];
  /** Accounts that may run it; `*` is every one. */
  readonly users: ReadonlySet<string>;
  /** Names of machine keys whose connections may run it, whoever is logged in. */
  readonly keys: ReadonlySet<string>;
  /** Its working directory. */
  readonly directory: string;
  /** Its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Further variables that the client may set; with `*` all that begin so. */
  readonly clientEnvironment: readonly string[];
  /** Whether it reads what the client sends; else its stdin is empty. */
  readonly stdin: boolean;
  readonly timeLimitMs: number;
  /** Bytes of stdout and stderr together. */
  readonly outputLimitBytes: number;
  /** How many of it may run at once. */
  readonly concurrent: number;
  /** The user and group that it runs as; the server's own without it. */
  readonly runAs: { readonly uid: number; readonly gid: number } | undefined;
}

/** The commands by name. */
export type CommandRules = ReadonlyMap<string, CommandRule>;

/** Who asks for a command. */
export interface Asking {
  /** The account that is logged in; `byKeyAlone` says that it is none. */
  readonly user: string;
  /** Name of the machine key that admitted the connection. */
  readonly keyName?: string;
  /** The key itself is logged in. */
  readonly byKeyAlone?: true;
}

/** Whether somebody may run a command: by account, or by the machine key of the connection. */
export function mayRun(
  { users, keys }: Pick<CommandRule, "users" | "keys">,
  { user, keyName, byKeyAlone }: Asking,
): boolean {
  if (keyName !== undefined && keys.has(keyName)) return true;
  // Every account, but no key: that must be named.
  return byKeyAlone !== true && (users.has("*") || users.has(user));
}

/**
 * Checks the further arguments of a request.
 *
 * @param rule The command.
 * @param args What the client sent.
 * @throws {TrivetError} `ARGUMENT_REFUSED`, with what was expected.
 */
export function checkArguments({ name, parameters }: CommandRule, args: readonly string[]): void {
  const places = parameters.flatMap((rule) =>
    Array.from({ length: rule.repeat }, (_, time) => ({ rule, isNeeded: time === 0 }))
  );
  for (const [index, argument] of args.entries()) {
    const place = places[index];
    if (place === undefined) {
      throw refusal(name, tooMany(places.length, args.length));
    }
    if (!fits(place.rule, argument)) {
      throw refusal(name, `does not take ${quoteName(argument)} for ${place.rule.name}`);
    }
  }
  const missing = places.slice(args.length).find(({ rule, isNeeded }) =>
    isNeeded && !rule.isOptional
  );
  if (missing !== undefined) throw refusal(name, `needs an argument ${missing.rule.name}`);
}

/** What to say of more arguments than a command takes. */
function tooMany(most: number, given: number): string {
  if (most === 0) return `takes no arguments, got ${given}`;
  return `takes at most ${most} ${most === 1 ? "argument" : "arguments"}, got ${given}`;
}

/**
 * Checks the variables of a request.
 *
 * @param rule The command.
 * @param variables What the client sent.
 * @throws {TrivetError} `ARGUMENT_REFUSED`, with the first that it does not take.
 */
export function checkVariables(
  { name, environment, clientEnvironment }: CommandRule,
  variables: Readonly<Record<string, string>>,
): void {
  for (const [variable, value] of Object.entries(variables)) {
    // What the administrator has set is set.
    if (Object.hasOwn(environment, variable) || !takesVariable(clientEnvironment, variable)) {
      throw refusal(name, `does not take the variable ${quoteName(variable)} from clients`);
    }
    if (hasControl(value) || !value.isWellFormed()) {
      throw refusal(name, `does not take ${quoteName(value)} for ${variable}`);
    }
  }
}

/** A command as its users see it. */
export function describeRule(rule: CommandRule): ListedCommand {
  const { name, summary, stdin, timeLimitMs, outputLimitBytes } = rule;
  const words = rule.parameters.map((parameter) => {
    const word = `${parameter.name}${parameter.repeat > 1 ? "..." : ""}`;
    return parameter.isOptional ? `[${word}]` : word;
  });
  return {
    ...{ name, summary, stdin, timeLimitMs, outputLimitBytes },
    arguments: words.join(" "),
    variables: [...rule.clientEnvironment],
  };
}

function fits(rule: ParameterRule, argument: string): boolean {
  // No rule of an administrator was meant for these, whatever it says.
  if (hasControl(argument) || !argument.isWellFormed()) return false;
  if (rule.choices !== undefined) return rule.choices.has(argument);
  if (rule.pattern === undefined || argument.length > PATTERN_ARGUMENT_CHARS_MAX) return false;
  // A program would take it for an option that nobody has allowed.
  if (argument.startsWith("-") && !rule.allowsHyphen) return false;
  return rule.pattern.test(argument);
}

/** Whether a text holds NUL, a newline or another control character (C0, DEL, C1). */
export function hasControl(text: string): boolean {
  return /\p{Cc}/u.test(text);
}

function refusal(name: string, what: string): TrivetError {
  return new TrivetError("ARGUMENT_REFUSED", `Command "${name}" ${what}`);
}
