/**
 * Reads a command line by the command table: finds the command, gathers each option's value from the
 * flags, the environment, the config file and the defaults, and checks all of it.
 *
 * @module
 */

import {
  BUILTIN_OPTIONS,
  type CommandSpec,
  isGroup,
  type OptionTable,
  type ProgramSpec,
  type RawInvocation,
  type RunnableCommand,
  type ValuesOf,
  type ValueSource,
} from "./command.ts";
import { readArguments, readOptions, type ValueSources } from "./read_values.ts";
import { type ScannedTokens, scanTokens } from "./scan.ts";
import { suggest } from "./suggest.ts";
import { parseSwitch, usage } from "./values.ts";

/** A command to run. */
export interface ParsedCommand<Context, G extends OptionTable = OptionTable> {
  /** Tells the three apart. */
  readonly kind: "command";
  /** The words that name the command. */
  readonly path: readonly string[];
  /** The command. */
  readonly command: RunnableCommand<Context>;
  /** Values of the global options. */
  readonly globals: ValuesOf<G>;
  /** Where each global option's value came from. */
  readonly globalSources: Readonly<Record<string, ValueSource>>;
  /** What the command is called with. */
  readonly invocation: RawInvocation;
}

/** A wish to see help. */
export interface HelpRequest {
  /** Tells the three apart. */
  readonly kind: "help";
  /** The words that name the command or group; none for the program itself. */
  readonly path: readonly string[];
  /** False when a command was left out: the help belongs on stderr then, and the exit code is 2. */
  readonly asked: boolean;
}

/** A wish to see the version. */
export interface VersionRequest {
  /** Tells the three apart. */
  readonly kind: "version";
}

/** Texts of the options seen so far, in order. */
type Flags = Map<string, string[]>;

/** A command that was found, and what is still to be read for it. */
interface Target<Context> {
  readonly kind: "target";
  /** The command. */
  readonly command: RunnableCommand<Context>;
  readonly path: readonly string[];
  readonly flags: Flags;
  readonly tokens: readonly string[];
}

/**
 * Reads a command line. Global options may stand before or after the command; `--` ends the options;
 * `-` alone is an argument; the last of a repeated option counts. A value that begins with a hyphen
 * is written `--name=-value`.
 *
 * @param program The command table.
 * @param argv The words after the program's name.
 * @param sources The environment and the config file.
 * @returns The command to run, or a wish for help or the version.
 * @throws {TrivetError} USAGE, with what is wrong and what was probably meant.
 */
export function parseCommandLine<Context, G extends OptionTable>(
  program: ProgramSpec<Context, G>,
  argv: readonly string[],
  sources: ValueSources,
): ParsedCommand<Context, G> | HelpRequest | VersionRequest {
  const target = findTarget(program, argv);
  if (target.kind !== "target") return target;
  const { command, path, flags } = target;

  const options = { ...program.globalOptions, ...BUILTIN_OPTIONS, ...command.options };
  const scanned = scanTokens(target.tokens, options);
  gather(flags, scanned.flags);
  if (isOn(flags, "help")) return { kind: "help", path, asked: true };
  if (isOn(flags, "version")) return { kind: "version" };

  const globals = readOptions(program.globalOptions, flags, sources);
  const own = readOptions(command.options, flags, sources);
  const [unknown] = scanned.unknown;
  if (unknown !== undefined) throw unknownOption(unknown, options);
  return {
    kind: "command",
    path,
    command,
    // readOptions fills every name of the table with the type that its declaration implies.
    globals: globals.values as ValuesOf<G>,
    globalSources: globals.sources,
    invocation: { ...own, arguments: readArguments(command.arguments, scanned.words, path) },
  };
}

/** Follows the words of the command line to a command that runs. */
function findTarget<Context>(
  program: ProgramSpec<Context>,
  argv: readonly string[],
): Target<Context> | HelpRequest | VersionRequest {
  const options: OptionTable = { ...program.globalOptions, ...BUILTIN_OPTIONS };
  const flags: Flags = new Map();
  const path: string[] = [];
  let commands = program.commands;
  let tokens = argv;
  while (true) {
    const head = scanTokens(tokens, options, { stopEarly: true });
    gather(flags, head.flags);
    const help = isOn(flags, "help");
    if (isOn(flags, "version") && !help) return { kind: "version" };
    checkHead(head, help, program, options);
    const [word, ...rest] = head.words;
    if (word === undefined) return { kind: "help", path, asked: help };
    if (isHelpCommand(program, path, word)) return findHelp(program, rest);
    const command = findCommand(commands, word, path);
    path.push(command.name);
    tokens = head.literal === undefined ? rest : [...rest, "--", ...head.literal];
    if (!isGroup(command)) return { kind: "target", command, path, flags, tokens };
    commands = command.subcommands;
  }
}

/** Refuses options in front of a command that are not global, unless help is wanted anyway. */
function checkHead<Context>(
  head: ScannedTokens,
  help: boolean,
  program: ProgramSpec<Context>,
  options: OptionTable,
): void {
  const [unknown] = head.unknown;
  if (help || unknown === undefined) return;
  const owner = findOwner(program.commands, unknown.replace(/^--/, ""));
  if (owner === undefined) throw unknownOption(unknown, options);
  throw usage(`Option ${unknown} belongs after its command, such as "${owner}"`);
}

/** The first command that has an option of this name. */
function findOwner<Context>(
  commands: readonly CommandSpec<Context>[],
  name: string,
): string | undefined {
  for (const command of commands) {
    if (isGroup(command)) {
      const inner = findOwner(command.subcommands, name);
      if (inner !== undefined) return `${command.name} ${inner}`;
    } else if (Object.hasOwn(command.options, name)) {
      return command.name;
    }
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
    commands = isGroup(command) ? command.subcommands : [];
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
  const names = commands.filter(({ hidden }) => hidden !== true).map(({ name }) => name);
  const near = suggest(word, names);
  const meant = near === undefined ? undefined : [...path, near].join(" ");
  const full = [...path, word].join(" ");
  throw usage(
    `Unknown command "${full}"${meant === undefined ? "" : `, did you mean "${meant}"?`}`,
    meant === undefined ? { command: full } : { command: full, suggestion: meant },
  );
}

function unknownOption(token: string, options: OptionTable): Error {
  const names = Object.keys(options).filter((name) => options[name]?.hidden !== true);
  const near = token.startsWith("--") ? suggest(token.slice(2), names) : undefined;
  const meant = near === undefined ? undefined : `--${near}`;
  return usage(
    `Unknown option "${token}"${meant === undefined ? "" : `, did you mean "${meant}"?`}`,
    meant === undefined ? { option: token } : { option: token, suggestion: meant },
  );
}

function gather(flags: Flags, more: ReadonlyMap<string, readonly string[]>): void {
  for (const [name, texts] of more) flags.set(name, [...flags.get(name) ?? [], ...texts]);
}

/**
 * Whether a global switch such as `--json` is on, for reporting that the rest of the command line
 * cannot be read. Never throws for what was typed.
 *
 * @param program The command table.
 * @param argv The words after the program's name.
 * @param name Name of the switch.
 * @returns True when it stands on the command line or, failing that, in its variable.
 */
export function peekSwitch<Context>(
  program: ProgramSpec<Context>,
  argv: readonly string[],
  name: string,
  { env }: ValueSources,
): boolean {
  const { flags } = scanTokens(argv, program.globalOptions);
  const variable = program.globalOptions[name]?.env;
  const text = flags.get(name)?.at(-1) ?? (variable === undefined ? undefined : env(variable));
  return parseSwitch(text ?? "") ?? false;
}

/** Whether a built-in switch is on; only `--help=false` and its like turn it off again. */
function isOn(flags: Flags, name: string): boolean {
  const text = flags.get(name)?.at(-1);
  return text !== undefined && parseSwitch(text) !== false;
}
