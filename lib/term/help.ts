/**
 * Writes the help of a program, a group or a command from the command table.
 *
 * @module
 */

import {
  type ArgumentTable,
  BUILTIN_OPTIONS,
  type CommandExample,
  type CommandSpec,
  isGroup,
  type OptionKind,
  type OptionSpec,
  type OptionTable,
  type ProgramSpec,
  subcommandsOf,
} from "./command.ts";
import { findCommand } from "./find_command.ts";
import { padEnd, textWidth, wrapText } from "./text.ts";
import { describeRange, listWords } from "./values.ts";

const WIDTH_DEFAULT = 80;
const WIDTH_MIN = 40;
const WIDTH_MAX = 120;

/** Left column of a list; entries that are wider have their text on the next line. */
const LEFT_COLUMNS_MAX = 30;

const VALUE_NAMES: Readonly<Record<OptionKind, string>> = {
  boolean: "",
  string: "TEXT",
  path: "PATH",
  choice: "WORD",
  integer: "NUMBER",
  bytes: "SIZE",
  rate: "RATE",
  duration: "TIME",
};

/** Options of {@linkcode renderHelp}. */
export interface HelpOptions {
  /** Columns of the terminal; 80 when absent or 0, that is not known. */
  readonly width?: number;
}

type Row = readonly [left: string, right: string];

/**
 * Writes help.
 *
 * @param program The command table.
 * @param path The words that name a command or group; none for the program.
 * @param options The width.
 * @returns Lines, each ended with `\n`.
 * @throws {TrivetError} USAGE, when there is no such command.
 */
export function renderHelp<Context>(
  program: ProgramSpec<Context>,
  path: readonly string[],
  options: HelpOptions = {},
): string {
  const width = Math.min(Math.max(options.width || WIDTH_DEFAULT, WIDTH_MIN), WIDTH_MAX);
  const command = resolve(program, path);
  const full = [program.name, ...path].join(" ");
  const sections = command === undefined
    ? describeProgram(program, width)
    : describeCommand(full, command, width);
  const subject = command ?? program;
  return [
    ...sections,
    section("Global options", listOptions(globalOptionsBeside(program, command)), width),
    examples(subject.examples ?? [], width),
  ].filter((lines) => lines.length > 0).map((lines) => lines.join("\n") + "\n").join("\n");
}

/** The global options; a letter that the command uses for one of its own is left out. */
function globalOptionsBeside<Context>(
  program: ProgramSpec<Context>,
  command: CommandSpec<Context> | undefined,
): OptionTable {
  const own = command === undefined || isGroup(command) ? [] : Object.values(command.options);
  const letters = new Set(own.map(({ short }) => short));
  const all: OptionTable = { ...program.globalOptions, ...BUILTIN_OPTIONS };
  return Object.fromEntries(
    Object.entries(all).map(([name, { short, ...spec }]) => [
      name,
      short === undefined || letters.has(short) ? spec : { short, ...spec },
    ]),
  );
}

function resolve<Context>(
  program: ProgramSpec<Context>,
  path: readonly string[],
): CommandSpec<Context> | undefined {
  let found: CommandSpec<Context> | undefined;
  let commands = program.commands;
  for (const [index, word] of path.entries()) {
    found = findCommand(commands, word, path.slice(0, index));
    commands = subcommandsOf(found);
  }
  return found;
}

function describeProgram<Context>(program: ProgramSpec<Context>, width: number): string[][] {
  const { name } = program;
  return [
    ...introduce([`${name} [global options] COMMAND [options] [arguments]`], program, width),
    [
      ...section("Commands", [...listCommands(program.commands), ...helpOf(program)], width),
      "",
      ...wrapText(`"${name} help COMMAND" or "${name} COMMAND --help" says more.`, width),
    ],
  ];
}

/** A group has commands, a command has options and arguments, and some have all of it. */
function describeCommand<Context>(
  full: string,
  command: CommandSpec<Context>,
  width: number,
): string[][] {
  const commands = subcommandsOf(command);
  const grouped = commands.length > 0 ? [`${full} COMMAND [options]`] : [];
  if (isGroup(command)) {
    return [
      ...introduce(grouped, command, width),
      section("Commands", listCommands(commands), width),
    ];
  }
  const usageLines = [usageOf(full, command.options, command.arguments), ...grouped];
  return [
    ...introduce(usageLines, command, width),
    section("Commands", listCommands(commands), width),
    section("Arguments", listArguments(command.arguments), width),
    section("Options", listOptions(command.options), width),
  ];
}

function introduce(
  usageLines: readonly string[],
  subject: { readonly summary: string; readonly description?: string },
  width: number,
): string[][] {
  return [
    usageLines.flatMap((line, index) => hang(index === 0 ? "Usage: " : "       ", line, width)),
    wrapText(`${subject.summary}.`, width),
    subject.description === undefined ? [] : wrapText(subject.description, width),
  ];
}

function usageOf(full: string, options: OptionTable, table: ArgumentTable): string {
  const words = Object.entries(table).map(([name, spec]) => {
    const word = spec.variadic === true ? `${name.toUpperCase()}...` : name.toUpperCase();
    return spec.optional === true ? `[${word}]` : word;
  });
  return [full, ...Object.keys(options).length > 0 ? ["[options]"] : [], ...words].join(" ");
}

/** The built-in command, unless the table has one of its own. */
function helpOf<Context>({ commands }: ProgramSpec<Context>): Row[] {
  if (commands.some(({ name }) => name === "help")) return [];
  return [["help", "Show the commands, or more about one"]];
}

function listCommands<Context>(commands: readonly CommandSpec<Context>[]): Row[] {
  return commands.filter(({ hidden }) => hidden !== true).map(({ name, summary }) =>
    [name, summary] as const
  );
}

function listArguments(table: ArgumentTable): Row[] {
  return Object.entries(table).map(([name, spec]) => {
    const choices = spec.choices === undefined ? "" : `: ${listWords(spec.choices)}`;
    return [name.toUpperCase(), spec.help + choices] as const;
  });
}

function listOptions(table: OptionTable): Row[] {
  return Object.entries(table).filter(([, { hidden }]) => hidden !== true).map(([name, spec]) => {
    const short = spec.short === undefined ? "    " : `-${spec.short}, `;
    const value = spec.valueName ?? VALUE_NAMES[spec.kind];
    return [`${short}--${name}${value === "" ? "" : ` ${value}`}`, describeOption(spec)] as const;
  });
}

function describeOption(spec: OptionSpec): string {
  const { kind } = spec;
  const numeric = kind === "integer" || kind === "bytes" || kind === "rate" || kind === "duration";
  const notes = [
    numeric ? describeRange(spec, kind).replace(/^of /, "") : "",
    spec.repeat === true ? "may be repeated" : "",
    spec.default === undefined ? "" : `default ${spec.default}`,
    spec.env ?? "",
  ].filter((note) => note !== "");
  const choices = spec.choices === undefined ? "" : `: ${listWords(spec.choices)}`;
  return `${spec.help}${choices}${notes.length === 0 ? "" : ` (${notes.join("; ")})`}`;
}

/** A heading and a list of two columns, or nothing for an empty list. */
function section(title: string, rows: readonly Row[], width: number): string[] {
  if (rows.length === 0) return [];
  const widest = Math.max(...rows.map(([left]) => textWidth(left)));
  const indent = Math.min(widest, LEFT_COLUMNS_MAX, Math.floor(width / 2) - 4) + 4;
  const lines = rows.flatMap(([left, right]) => {
    const start = padEnd(`  ${left}`, indent - 2);
    if (textWidth(start) <= indent - 2) return hang(`${start}  `, right, width);
    return [start, ...hang(" ".repeat(indent), right, width)];
  });
  return [`${title}:`, ...lines];
}

/** Wrapped text behind a first word, with its further lines below its beginning. */
function hang(start: string, text: string, width: number): string[] {
  const indent = textWidth(start);
  return wrapText(text, width - indent).map((line, index) =>
    (index === 0 ? start : " ".repeat(indent)) + line
  );
}

function examples(list: readonly CommandExample[], width: number): string[] {
  if (list.length === 0) return [];
  // The line to copy stays whole, however wide it is.
  const lines = list.flatMap(({ command, does }) => [
    ...hang("  # ", does, width),
    `  ${command}`,
  ]);
  return ["Examples:", ...lines];
}
