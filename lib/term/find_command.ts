/**
 * Follows the words of a command line to the command that they name, or to a wish for help.
 *
 * @module
 */

import {
  BUILTIN_OPTIONS,
  type CommandSpec,
  isGroup,
  type OptionTable,
  type ProgramSpec,
  type RunnableCommand,
  subcommandsOf,
} from "./command.ts";
import { type ScannedTokens, scanTokens } from "./scan.ts";
import { suggest } from "./suggest.ts";
import { parseSwitch, usage } from "./values.ts";

/** A wish to see help. */
export interface HelpRequest {
  /** Tells it from what else a command line can be. */
  readonly kind: "help";
  /** The words that name the command or group; none for the program itself. */
  readonly path: readonly string[];
  /** False when a command was left out: the help belongs on stderr then, and the exit code is 2. */
  readonly asked: boolean;
}

/** A wish to see the version. */
export interface VersionRequest {
  /** Tells it from what else a command line can be. */
  readonly kind: "version";
}

/** Texts of the options seen so far, in order. */
export type Flags = Map<string, string[]>;

/** A command that was found, and what is still to be read for it. */
export interface Target<Context> {
  /** Tells it from what else a command line can be. */
  readonly kind: "target";
  /** The command. */
  readonly command: RunnableCommand<Context>;
  /** The words that name it. */
  readonly path: readonly string[];
  /** Options in front of those words. */
  readonly flags: Flags;
  /** What stands behind them. */
  readonly tokens: readonly string[];
}

/**
 * Follows the words of a command line to a command that runs. Where a command that runs has others
 * below it, the first word decides which of them is meant; behind `--` it is always an argument.
 *
 * @param program The command table.
 * @param argv The words after the program's name.
 * @returns The command, or a wish for help or the version.
 * @throws {TrivetError} USAGE, when a word or an option in front of a command is not known.
 */
export function findTarget<Context>(
  program: ProgramSpec<Context>,
  argv: readonly string[],
): Target<Context> | HelpRequest | VersionRequest {
  const globals: OptionTable = { ...program.globalOptions, ...BUILTIN_OPTIONS };
  const flags: Flags = new Map();
  const path: string[] = [];
  let above: RunnableCommand<Context> | undefined;
  let commands = program.commands;
  let tokens = argv;
  while (true) {
    const options = { ...globals, ...above?.options };
    const head = scanTokens(tokens, options, { stopEarly: true });
    const [word, ...rest] = head.words;
    if (above !== undefined && isArgument(word, above, path)) {
      return { kind: "target", command: above, path, flags, tokens };
    }
    gather(flags, head.flags);
    const help = isOn(flags, "help");
    if (isOn(flags, "version") && !help) return { kind: "version" };
    if (!help) checkHead(head, program, options);
    if (word === undefined) return { kind: "help", path, asked: help };
    if (isHelpCommand(program, path, word)) return findHelp(program, rest);
    const command = findCommand(commands, word, path);
    path.push(command.name);
    if (!help) checkEarly(head, globals, path);
    tokens = head.literal === undefined ? rest : [...rest, "--", ...head.literal];
    commands = subcommandsOf(command);
    if (isGroup(command)) above = undefined;
    else if (commands.length > 0) above = command;
    else return { kind: "target", command, path, flags, tokens };
  }
}

/**
 * Whether a word is an argument of the command that stands before it, not a command below that one.
 *
 * @throws {TrivetError} USAGE, when it is neither by all appearances.
 */
function isArgument<Context>(
  word: string | undefined,
  above: RunnableCommand<Context>,
  path: readonly string[],
): boolean {
  if (word === undefined) return true;
  const commands = subcommandsOf(above);
  if (commands.some(({ name }) => name === word)) return false;
  // Without arguments of its own, it is a group like any other.
  if (Object.keys(above.arguments).length === 0) return false;
  const { meant, full } = meantCommand(commands, word, path);
  if (meant === undefined) return true;
  throw usage(
    `Unknown command "${full}", did you mean "${meant}"? An argument like that stands behind "--"`,
    { command: full, suggestion: meant },
  );
}

/** Refuses options in front of a command that nothing knows there. */
function checkHead<Context>(
  head: ScannedTokens,
  program: ProgramSpec<Context>,
  options: OptionTable,
): void {
  const [unknown] = head.unknown;
  if (unknown !== undefined) throw unknownOption(unknown, options, findOwner(program, unknown));
}

/** Refuses a command's own options in front of the name of one below it. */
function checkEarly(head: ScannedTokens, globals: OptionTable, path: readonly string[]): void {
  const early = head.flags.keys().find((name) => !Object.hasOwn(globals, name));
  if (early === undefined) return;
  throw usage(`Option --${early} belongs after its command: "${path.join(" ")}"`);
}

/**
 * The first command that has an option.
 *
 * @param place Where to look: below it, and below what is there.
 * @param token The option, as it was typed.
 * @param path The words that name the place.
 */
export function findOwner<Context>(
  place: { readonly commands: readonly CommandSpec<Context>[] },
  token: string,
  path: readonly string[] = [],
): string | undefined {
  const name = token.replace(/^--/, "");
  for (const command of place.commands) {
    const below = [...path, command.name];
    if (!isGroup(command) && Object.hasOwn(command.options, name)) return below.join(" ");
    const inner = findOwner({ commands: subcommandsOf(command) }, token, below);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

/** Whether a word is the built-in `help`, which a table may replace with a command of its own. */
function isHelpCommand<Context>(
  program: ProgramSpec<Context>,
  path: readonly string[],
  word: string,
): boolean {
  return path.length === 0 && word === "help" &&
    !program.commands.some(({ name }) => name === "help");
}

/** Finds what `help COMMAND...` asks about. */
function findHelp<Context>(program: ProgramSpec<Context>, tokens: readonly string[]): HelpRequest {
  const path: string[] = [];
  let commands = program.commands;
  for (const word of tokens.filter((token) => !token.startsWith("-"))) {
    const command = findCommand(commands, word, path);
    path.push(command.name);
    commands = subcommandsOf(command);
  }
  return { kind: "help", path, asked: true };
}

/**
 * Finds a command by its word.
 *
 * @param commands Where to look.
 * @param word The word.
 * @param path The words before it, for the message.
 * @throws {TrivetError} USAGE, when there is none.
 */
export function findCommand<Context>(
  commands: readonly CommandSpec<Context>[],
  word: string,
  path: readonly string[],
): CommandSpec<Context> {
  const found = commands.find(({ name }) => name === word);
  if (found !== undefined) return found;
  const { meant, full } = meantCommand(commands, word, path);
  throw usage(
    `Unknown command "${full}"${meant === undefined ? "" : `, did you mean "${meant}"?`}`,
    meant === undefined ? { command: full } : { command: full, suggestion: meant },
  );
}

/** What was typed, in full, and the command that was probably meant. */
function meantCommand<Context>(
  commands: readonly CommandSpec<Context>[],
  word: string,
  path: readonly string[],
): { readonly full: string; readonly meant: string | undefined } {
  const names = commands.filter(({ hidden }) => hidden !== true).map(({ name }) => name);
  const near = suggest(word, names);
  const meant = near === undefined ? undefined : [...path, near].join(" ");
  return { full: [...path, word].join(" "), meant };
}

/**
 * The error for an option that is not known.
 *
 * @param token The option, as it was typed.
 * @param options What is known there.
 * @param owner The command that it belongs to, if there is one.
 */
export function unknownOption(token: string, options: OptionTable, owner?: string): Error {
  if (owner !== undefined) {
    return usage(`Option ${token} belongs after its command, such as "${owner}"`);
  }
  const names = Object.keys(options).filter((name) => options[name]?.hidden !== true);
  const near = token.startsWith("--") ? suggest(token.slice(2), names) : undefined;
  const meant = near === undefined ? undefined : `--${near}`;
  // With two dashes it was hardly meant as a name.
  const isName = meant === undefined && !token.startsWith("--");
  const advice = isName ? '; a name like that stands behind "--"' : "";
  return usage(
    `Unknown option "${token}"${meant === undefined ? advice : `, did you mean "${meant}"?`}`,
    meant === undefined ? { option: token } : { option: token, suggestion: meant },
  );
}

/** Adds the texts of options to those seen before. */
export function gather(flags: Flags, more: ReadonlyMap<string, readonly string[]>): void {
  for (const [name, texts] of more) flags.set(name, [...flags.get(name) ?? [], ...texts]);
}

/** Whether a built-in switch is on; only `--help=false` and its like turn it off again. */
export function isOn(flags: Flags, name: string): boolean {
  const text = flags.get(name)?.at(-1);
  return text !== undefined && parseSwitch(text) !== false;
}
