/**
 * Reads a command line by the command table: finds the command, gathers each option's value from the
 * flags, the environment, the config file and the defaults, and checks all of it.
 *
 * @module
 */

import {
  BUILTIN_OPTIONS,
  type OptionTable,
  type ProgramSpec,
  type RawInvocation,
  type RunnableCommand,
  subcommandsOf,
  type ValuesOf,
  type ValueSource,
} from "./command.ts";
import {
  findOwner,
  findTarget,
  gather,
  type HelpRequest,
  isOn,
  unknownOption,
  type VersionRequest,
} from "./find_command.ts";
import { readArguments, readOptions, type ValueSources } from "./read_values.ts";
import { type ScannedTokens, scanTokens } from "./scan.ts";
import { parseSwitch } from "./values.ts";

/** A command to run. */
export interface ParsedCommand<Context, G extends OptionTable = OptionTable> {
  /** Tells it from what else a command line can be. */
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

  // A command's own come first: -h of ls is not help.
  const options = { ...command.options, ...program.globalOptions, ...BUILTIN_OPTIONS };
  const stopEarly = command.passesThrough === true;
  const scanned = scanTokens(target.tokens, options, { stopEarly });
  gather(flags, scanned.flags);
  if (isOn(flags, "help")) return { kind: "help", path, asked: true };
  if (isOn(flags, "version")) return { kind: "version" };

  const globals = readOptions(program.globalOptions, flags, sources);
  const own = readOptions(command.options, flags, sources);
  const [unknown] = scanned.unknown;
  if (unknown !== undefined) {
    const below = { commands: subcommandsOf(command) };
    throw unknownOption(unknown, options, findOwner(below, unknown, path));
  }
  return {
    kind: "command",
    path,
    command,
    // readOptions fills every name of the table with the type that its declaration implies.
    globals: globals.values as ValuesOf<G>,
    globalSources: globals.sources,
    invocation: {
      ...own,
      arguments: readArguments(command.arguments, wordsOf(scanned), {
        path,
        options: command.options,
      }),
    },
  };
}

/** The arguments; `--` in front of the first of them only ends the options. */
function wordsOf({ words, literal }: ScannedTokens): readonly string[] {
  if (literal === undefined) return words;
  return words.length === 0 ? literal : [...words, "--", ...literal];
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
