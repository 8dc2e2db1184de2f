/**
 * Turns texts from the flags, the environment, the config file and the defaults into checked values.
 *
 * @module
 */

import type {
  ArgumentTable,
  OptionSpec,
  OptionTable,
  OptionValue,
  RawInvocation,
  ValueSource,
} from "./command.ts";
import { parseChoice, parseValue, usage } from "./values.ts";

/** Where values come from besides the command line. */
export interface ValueSources {
  /** Looks up an environment variable; an empty one counts as unset. */
  readonly env: (name: string) => string | undefined;
  /** Looks up an option in the config file. */
  readonly config?: (name: string, spec: OptionSpec) => ConfiguredTexts | undefined;
}

/** What the config file says of an option. */
export interface ConfiguredTexts {
  /** The values, one unless the option repeats. */
  readonly texts: readonly string[];
  /** Where they stand, such as `trivetd.toml:3`. */
  readonly place: string;
}

/** The texts that apply to an option, where they came from, and what an error calls them. */
interface FoundTexts {
  readonly texts: readonly string[];
  readonly source: ValueSource;
  readonly place?: string;
  readonly label: string;
}

/**
 * Reads the values of a table of options: flag before environment before config file before default.
 *
 * @param table The options.
 * @param flags Texts from the command line, by option.
 * @param sources The environment and the config file.
 * @returns A value, its source and its place for every option of the table.
 * @throws {TrivetError} USAGE, when a text does not fit; the message names where it stands.
 */
export function readOptions(
  table: OptionTable,
  flags: ReadonlyMap<string, readonly string[]>,
  sources: ValueSources,
): Omit<RawInvocation, "arguments"> {
  const values: Record<string, OptionValue | undefined> = {};
  const origins: Record<string, ValueSource> = {};
  const places: Record<string, string | undefined> = {};
  for (const [name, spec] of Object.entries(table)) {
    const { texts, source, place, label } = findTexts(name, spec, flags, sources);
    // Every text is checked, also those that a later one replaces.
    const read = texts.map((text) => parseValue(spec, text, label));
    const fallback = spec.kind === "boolean" ? false : undefined;
    values[name] = spec.repeat === true ? read : read.at(-1) ?? fallback;
    origins[name] = source;
    places[name] = place;
  }
  return { values, sources: origins, places };
}

function findTexts(
  name: string,
  spec: OptionSpec,
  flags: ReadonlyMap<string, readonly string[]>,
  sources: ValueSources,
): FoundTexts {
  const typed = flags.get(name);
  if (typed !== undefined) {
    return { texts: typed, source: "flag", place: `--${name}`, label: `Option --${name}` };
  }
  const split = (text: string) => spec.repeat === true ? text.split(",") : [text];
  const inherited = spec.env === undefined ? "" : sources.env(spec.env) ?? "";
  if (spec.env !== undefined && inherited !== "") {
    const label = `Variable ${spec.env}`;
    return { texts: split(inherited), source: "environment", place: spec.env, label };
  }
  const configured = sources.config?.(name, spec);
  if (configured !== undefined) {
    return { ...configured, source: "config", label: configLabel(name, configured.place) };
  }
  return spec.default === undefined
    ? { texts: [], source: "unset", label: "" }
    : { texts: split(spec.default), source: "default", label: `Default of --${name}` };
}

/** What an error calls a key of a config file. */
export function configLabel(name: string, place: string): string {
  return `Key "${name}" (${place})`;
}

/**
 * Gives the arguments of a command their names.
 *
 * @param table The arguments.
 * @param words The words.
 * @param command The words that name the command and its options, for messages.
 * @returns A text, texts, or undefined for every argument of the table.
 * @throws {TrivetError} USAGE, when one is missing, one too many, or not among its choices.
 */
export function readArguments(
  table: ArgumentTable,
  words: readonly string[],
  { path, options }: { readonly path: readonly string[]; readonly options: OptionTable },
): RawInvocation["arguments"] {
  const values: Record<string, string | readonly string[] | undefined> = {};
  let left = words;
  const specs = Object.entries(table);
  for (const [index, [name, spec]] of specs.entries()) {
    const label = `Argument ${name.toUpperCase()}`;
    // Those behind a variadic one are needed; what is missing is told of the last of them.
    const behind = specs.length - 1 - index;
    const most = Math.max(spec.optional === true ? 0 : 1, left.length - behind);
    const taken = left.slice(0, spec.variadic === true ? most : 1);
    left = left.slice(taken.length);
    if (taken.length === 0 && spec.optional !== true) {
      throw usage(
        `Command "${path.join(" ")}" needs an argument ${name.toUpperCase()}: ${spec.help}`,
      );
    }
    if (spec.choices !== undefined) {
      for (const word of taken) parseChoice(spec.choices, word, label);
    }
    values[name] = spec.variadic === true ? taken : taken[0];
  }
  if (left[0] !== undefined) {
    const meant = meantOption(options, left[0]);
    const advice = meant === undefined ? "" : `, did you mean "--${meant} ${left[0]}"?`;
    throw usage(`Command "${path.join(" ")}" takes no argument "${left[0]}"${advice}`);
  }
  return values;
}

/** The first option that takes such a value and not just any text. */
function meantOption(options: OptionTable, text: string): string | undefined {
  return Object.entries(options).find(([, spec]) => {
    if (spec.hidden === true || ["boolean", "string", "path"].includes(spec.kind)) return false;
    try {
      parseValue(spec, text, "");
      return true;
    } catch {
      return false;
    }
  })?.[0];
}
