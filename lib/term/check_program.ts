/**
 * Finds mistakes in a command table, for a test of each program.
 *
 * @module
 */

import {
  type ArgumentTable,
  BUILTIN_OPTIONS,
  type CommandSpec,
  isGroup,
  type OptionSpec,
  type OptionTable,
  type ProgramSpec,
  type RunnableCommand,
  subcommandsOf,
} from "./command.ts";
import { parseValue } from "./values.ts";

const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

/**
 * Checks a program's table: names, letters and variables that are well formed and stand once,
 * defaults that fit, choices that are there, arguments in an order that can be read.
 *
 * @param program The program.
 * @returns One sentence for each mistake; none for a sound table.
 */
export function checkProgram<Context>(program: ProgramSpec<Context>): string[] {
  const globals: OptionTable = { ...program.globalOptions, ...BUILTIN_OPTIONS };
  return [
    ...Object.keys(BUILTIN_OPTIONS)
      .filter((name) => Object.hasOwn(program.globalOptions, name))
      .map((name) => `${program.name}: --${name} is built in`),
    ...checkOptions(program.name, globals, {}),
    ...(program.configKeys !== undefined && program.globalOptions["config"]?.kind !== "path"
      ? [`${program.name}: config keys need a global option --config, a path`]
      : []),
    ...checkCommands(program.name, program.commands, globals),
  ];
}

function checkCommands<Context>(
  place: string,
  commands: readonly CommandSpec<Context>[],
  globals: OptionTable,
): string[] {
  const names = commands.map(({ name }) => name);
  return commands.flatMap((command, index) => {
    const path = `${place} ${command.name}`;
    const mistakes = checkName(path, command.name);
    if (names.indexOf(command.name) !== index) mistakes.push(`${path}: stands twice`);
    if (!isGroup(command)) {
      mistakes.push(
        ...checkOptions(path, command.options, globals),
        ...checkArguments(path, command.arguments),
        ...checkFirstWord(path, command),
      );
    }
    return [...mistakes, ...checkCommands(path, subcommandsOf(command), globals)];
  });
}

/** A first word cannot be both a command and an argument. */
function checkFirstWord<Context>(place: string, command: RunnableCommand<Context>): string[] {
  const choices = Object.values(command.arguments)[0]?.choices ?? [];
  return subcommandsOf(command).filter(({ name }) => choices.includes(name))
    .map(({ name }) => `${place} ${name}: is a choice of its first argument too`);
}

function checkOptions(place: string, table: OptionTable, globals: OptionTable): string[] {
  const mistakes: string[] = [];
  const letters = new Set(Object.values(globals).map(({ short }) => short));
  // ls and its like have had -h for something else since before --help.
  if (Object.keys(globals).length > 0) letters.delete(BUILTIN_OPTIONS.help.short);
  const variables = new Set(Object.values(globals).map(({ env }) => env));
  for (const [name, spec] of Object.entries(table)) {
    const at = `${place} --${name}`;
    if (Object.hasOwn(globals, name)) mistakes.push(`${at}: is a global option`);
    mistakes.push(...checkName(at, name), ...checkOption(at, spec));
    if (spec.short !== undefined && letters.has(spec.short)) {
      mistakes.push(`${at}: -${spec.short} stands twice`);
    }
    if (spec.env !== undefined && variables.has(spec.env)) {
      mistakes.push(`${at}: ${spec.env} stands twice`);
    }
    letters.add(spec.short);
    variables.add(spec.env);
  }
  return mistakes;
}

function checkOption(at: string, spec: OptionSpec): string[] {
  const mistakes: string[] = [];
  if (spec.short !== undefined && !/^[A-Za-z]$/.test(spec.short)) {
    mistakes.push(`${at}: "${spec.short}" is no letter`);
  }
  if (spec.env !== undefined && !/^[A-Z][A-Z0-9_]*$/.test(spec.env)) {
    mistakes.push(`${at}: "${spec.env}" is no variable`);
  }
  if ((spec.kind === "choice") !== (spec.choices !== undefined)) {
    mistakes.push(`${at}: choices belong to the kind "choice", and it needs them`);
  }
  if (spec.kind === "boolean" && (spec.repeat === true || spec.valueName !== undefined)) {
    mistakes.push(`${at}: a switch neither repeats nor names a value`);
  }
  if (spec.default === undefined) return mistakes;
  try {
    for (const text of spec.repeat === true ? spec.default.split(",") : [spec.default]) {
      parseValue(spec, text, `${at}: default`);
    }
  } catch (error) {
    mistakes.push(error instanceof Error ? error.message : String(error));
  }
  return mistakes;
}

function checkArguments(place: string, table: ArgumentTable): string[] {
  const specs = Object.entries(table);
  return specs.flatMap(([name, spec], index) => {
    const mistakes = checkName(`${place} ${name}`, name);
    const behind = specs.slice(index + 1).map(([, each]) => each);
    const isSound = behind.every(({ optional, variadic }) =>
      optional !== true && variadic !== true
    );
    if (spec.variadic === true && !isSound) {
      mistakes.push(
        `${place} ${name}: takes all that are left but for single needed ones behind it`,
      );
    }
    if (spec.optional !== true && specs[index - 1]?.[1].optional === true) {
      mistakes.push(`${place} ${name}: is needed, but stands behind an optional one`);
    }
    return mistakes;
  });
}

function checkName(at: string, name: string): string[] {
  return NAME.test(name) && name.length > 1 ? [] : [`${at}: is no lower-case name of two or more`];
}
