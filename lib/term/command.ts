/**
 * The command table: what a program's commands, options and arguments are, declared once. Parsing,
 * validation, help, completion and config keys all read it.
 *
 * @module
 */

/** What the text of an option means. Sizes and rates count in powers of 1024, durations in ms. */
export type OptionKind =
  | "boolean"
  | "string"
  | "path"
  | "choice"
  | "integer"
  | "bytes"
  | "rate"
  | "duration";

/** Kinds whose value is a number: an integer, bytes, bytes per second, milliseconds. */
export type NumberKind = "integer" | "bytes" | "rate" | "duration";

/** One option. Its name is its key in the {@linkcode OptionTable}, without hyphens in front. */
export interface OptionSpec {
  /** What its text means. */
  readonly kind: OptionKind;
  /** One sentence for the help, without a full stop. */
  readonly help: string;
  /** The one-letter form. */
  readonly short?: string;
  /** What the help calls its value, such as `RATE`; default: the kind's usual word. */
  readonly valueName?: string;
  /** Environment variable that sets it. */
  readonly env?: string;
  /** What holds when nothing sets it, written as a user would write it. */
  readonly default?: string;
  /** The words that a `choice` takes. */
  readonly choices?: readonly string[];
  /** The smallest number allowed. */
  readonly min?: number;
  /** The largest number allowed. */
  readonly max?: number;
  /** Given many times, all count; in the environment separated by commas, in a config file a list. */
  readonly repeat?: boolean;
  /** Left out of the help. */
  readonly hidden?: boolean;
}

/** Options by name, in the order of the help. */
export type OptionTable = Readonly<Record<string, OptionSpec>>;

/** Paths that complete an argument. */
export type PathCompletion = "local" | "local-folder" | "remote" | "remote-folder";

/** One positional argument. Its name is its key in the {@linkcode ArgumentTable}. */
export interface ArgumentSpec {
  /** One sentence for the help, without a full stop. */
  readonly help: string;
  /** May be left out. */
  readonly optional?: boolean;
  /** Takes all but what needed ones behind it take; one can. At least one unless `optional`. */
  readonly variadic?: boolean;
  /** The words it takes. */
  readonly choices?: readonly string[];
  /** Whose paths complete it: this machine's or the server's. */
  readonly completes?: PathCompletion;
}

/** Arguments by name, in their order on the command line. */
export type ArgumentTable = Readonly<Record<string, ArgumentSpec>>;

/** A line to copy, and what it does. */
export interface CommandExample {
  /** The whole line, with the program's name. */
  readonly command: string;
  /** What it does, without a full stop. */
  readonly does: string;
}

/** Any option's value. */
export type OptionValue = string | number | boolean | readonly (string | number | boolean)[];

/** Where an option's value came from; an earlier one in this list goes before a later one. */
export type ValueSource = "flag" | "environment" | "config" | "default" | "unset";

/** What a command is called with, before its table's types are known. */
export interface RawInvocation {
  /** Values of the command's own options, by name. */
  readonly values: Readonly<Record<string, OptionValue | undefined>>;
  /** Its arguments, by name. */
  readonly arguments: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Where each option's value came from. */
  readonly sources: Readonly<Record<string, ValueSource>>;
  /** The flag, the variable, or the file and line that set an option; nothing where none did. */
  readonly places: Readonly<Record<string, string | undefined>>;
}

/** Type of one value of an option declared as `S`. */
export type ScalarOf<S extends OptionSpec> = S["kind"] extends "boolean" ? boolean
  : S["kind"] extends NumberKind ? number
  : S extends { readonly choices: readonly (infer Choice)[] } ? Choice
  : string;

/** Type of the value of an option declared as `S`. */
export type ValueOf<S extends OptionSpec> = S extends { readonly repeat: true }
  ? readonly ScalarOf<S>[]
  : S["kind"] extends "boolean" ? boolean
  : S extends { readonly default: string } ? ScalarOf<S>
  : ScalarOf<S> | undefined;

/** Values of the options declared as `O`. */
export type ValuesOf<O extends OptionTable> = { readonly [Name in keyof O]: ValueOf<O[Name]> };

/** Type of an argument declared as `S`. */
export type ArgumentOf<S extends ArgumentSpec> = S extends { readonly variadic: true }
  ? readonly string[]
  : S extends { readonly optional: true } ? string | undefined
  : string;

/** What a command declared with options `O` and arguments `A` is called with. */
export interface Invocation<O extends OptionTable, A extends ArgumentTable> {
  /** Values of the command's own options, by name. */
  readonly values: ValuesOf<O>;
  /** Its arguments, by name. */
  readonly arguments: { readonly [Name in keyof A]: ArgumentOf<A[Name]> };
  /** Where each option's value came from. */
  readonly sources: Readonly<Record<string, ValueSource>>;
  /** The flag, the variable, or the file and line that set an option; nothing where none did. */
  readonly places: Readonly<Record<string, string | undefined>>;
}

/** What every command has, whether it runs or only groups others. */
export interface CommandBase {
  /** The word on the command line. */
  readonly name: string;
  /** One sentence for the list of commands, without a full stop. */
  readonly summary: string;
  /** More for its own help; paragraphs end with `\n`. */
  readonly description?: string;
  /** Lines to copy. */
  readonly examples?: readonly CommandExample[];
  /** Left out of the help. */
  readonly hidden?: boolean;
}

/** A command that runs. {@linkcode defineCommand} makes one. */
export interface RunnableCommand<Context> extends CommandBase {
  /** Its own options. */
  readonly options: OptionTable;
  /** Its arguments. */
  readonly arguments: ArgumentTable;
  /** Everything from the first argument on is an argument, also what begins with a hyphen. */
  readonly passesThrough?: boolean;
  /** Commands below it: a first word that names one means that, any other is an argument. */
  readonly subcommands?: readonly CommandSpec<Context>[];
  /** Does the work; a number is an exit code other than 0 that is no error. */
  run(context: Context, invocation: RawInvocation): Promise<number | void>;
}

/** A command that only groups others, such as `user` in `user add`. */
export interface CommandGroup<Context> extends CommandBase {
  /** The commands in the group. */
  readonly subcommands: readonly CommandSpec<Context>[];
}

/** A command of the table. */
export type CommandSpec<Context> = RunnableCommand<Context> | CommandGroup<Context>;

/** A program: its name, global options and commands. */
export interface ProgramSpec<Context, G extends OptionTable = OptionTable> {
  /** The word that starts it. */
  readonly name: string;
  /** Such as `1.2.3`. */
  readonly version: string;
  /** One sentence, without a full stop. */
  readonly summary: string;
  /** More for its help; paragraphs end with `\n`. */
  readonly description?: string;
  /** Lines to copy. */
  readonly examples?: readonly CommandExample[];
  /** Options that stand before or after any command. */
  readonly globalOptions: G;
  /**
   * What a config file may set, which the global option `config` names. A key counts for every command
   * whose option table holds the same declaration.
   */
  readonly configKeys?: OptionTable;
  /** Its commands, in the order of the help. */
  readonly commands: readonly CommandSpec<Context>[];
  /** Name of the command that runs where none is named; without it, that shows the help. */
  readonly withoutCommand?: string;
}

/** What {@linkcode defineCommand} takes: a command whose `run` knows the types of its table. */
export interface CommandDefinition<Context, O extends OptionTable, A extends ArgumentTable>
  extends CommandBase {
  /** Its own options. */
  readonly options: O;
  /** Its arguments. */
  readonly arguments: A;
  /** Everything from the first argument on is an argument, also what begins with a hyphen. */
  readonly passesThrough?: boolean;
  /** Commands below it: a first word that names one means that, any other is an argument. */
  readonly subcommands?: readonly CommandSpec<Context>[];
  /** Does the work; a number is an exit code other than 0 that is no error. */
  run(context: Context, invocation: Invocation<O, A>): Promise<number | void>;
}

/** Options that every program has without declaring them. */
export const BUILTIN_OPTIONS = {
  help: { kind: "boolean", short: "h", help: "Show this help" },
  version: { kind: "boolean", short: "V", help: "Show the version" },
} as const satisfies OptionTable;

/**
 * Makes a command for the table whose `run` sees the types that its options and arguments imply.
 *
 * @param definition The command.
 * @returns The same command, for a {@linkcode ProgramSpec}.
 */
export function defineCommand<
  Context,
  const O extends OptionTable,
  const A extends ArgumentTable,
>(definition: CommandDefinition<Context, O, A>): RunnableCommand<Context> {
  return {
    ...definition,
    // The parser fills an invocation from this very table, so the types that it implies hold.
    run: (context, invocation) => definition.run(context, invocation as Invocation<O, A>),
  };
}

/**
 * Keeps the types of a program's global options for {@linkcode ParsedCommand.globals}.
 *
 * @param program The program.
 * @returns The same program.
 */
export function defineProgram<Context, const G extends OptionTable>(
  program: ProgramSpec<Context, G>,
): ProgramSpec<Context, G> {
  return program;
}

/** Whether a command only groups others. */
export function isGroup<Context>(command: CommandSpec<Context>): command is CommandGroup<Context> {
  return !("run" in command);
}

/** The commands below a command; none where there are none. */
export function subcommandsOf<Context>(
  command: CommandSpec<Context>,
): readonly CommandSpec<Context>[] {
  return command.subcommands ?? [];
}
