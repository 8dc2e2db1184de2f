/**
 * Completes a line from the command table: commands, options, their values, and paths.
 *
 * @module
 */

import {
  BUILTIN_OPTIONS,
  type CommandSpec,
  isGroup,
  type OptionSpec,
  type OptionTable,
  type PathCompletion,
  type ProgramSpec,
  subcommandsOf,
} from "./command.ts";
import { scanTokens } from "./scan.ts";
import { safeText } from "./text.ts";
import { escapeRest, type OpenWord, scanLine } from "./words.ts";

/** A name in a folder. */
export interface ListedName {
  /** The name. */
  readonly name: string;
  /** Whether more can stand behind it. */
  readonly isFolder: boolean;
}

/** Lists a folder that was typed; an empty text is where the shell is. */
export interface PathLists {
  /** A folder of this machine. */
  readonly local: (folder: string) => Promise<readonly ListedName[]>;
  /** A folder of the server. */
  readonly remote: (folder: string) => Promise<readonly ListedName[]>;
}

/** What the last word of a line can be: words, or paths behind what is typed of the word. */
type Wanted =
  | { readonly words: readonly string[] }
  | { readonly paths: PathCompletion; readonly text: string };

/** A word that the last one could become. */
interface Candidate {
  readonly text: string;
  /** Whether the word goes on behind it. */
  readonly isOpen: boolean;
}

const NOTHING: Wanted = { words: [] };

/**
 * Says what the last word of a line could become.
 *
 * @param line The line up to the cursor.
 * @param program The command table.
 * @param lists Lists folders.
 * @returns Texts that the word could become, as they would be typed, and the word as it was.
 */
export async function completeLine<Context>(
  line: string,
  program: ProgramSpec<Context>,
  lists: PathLists,
): Promise<readonly [texts: string[], end: string]> {
  const { words, open, endsEscaped } = scanLine(line);
  if (open === undefined || endsEscaped) return [[], ""];
  const wanted = findWanted(words, open.text, program);
  const candidates = "paths" in wanted
    ? await findPaths(wanted.paths, wanted.text, lists)
    : wanted.words.map((text) => ({ text, isOpen: false }));
  const start = "paths" in wanted ? wanted.text : open.text;
  const fitting = candidates.filter(({ text }) => text.startsWith(start));
  const isOnly = fitting.length === 1;
  const texts = fitting.map((each) => write(each, { open, typed: start.length, isOnly }));
  return [texts.sort(), open.raw];
}

/** A candidate as somebody would have typed it, behind what they did type. */
function write(
  { text, isOpen }: Candidate,
  { open, typed, isOnly }: {
    readonly open: OpenWord;
    readonly typed: number;
    readonly isOnly: boolean;
  },
): string {
  const raw = open.raw + escapeRest(text.slice(typed), open.quote);
  return isOpen || !isOnly ? raw : `${raw}${open.quote ?? ""} `;
}

function findWanted<Context>(
  words: readonly string[],
  last: string,
  program: ProgramSpec<Context>,
): Wanted {
  const isHelp = words[0] === "help";
  let commands = program.commands;
  let command: CommandSpec<Context> | undefined;
  let rest = isHelp ? words.slice(1) : words;
  const globals: OptionTable = { ...program.globalOptions, ...BUILTIN_OPTIONS };
  while (true) {
    const options = optionsOf(globals, command);
    const head = scanTokens(rest, options, { stopEarly: true });
    const found = commands.find(({ name }) => name === head.words[0]);
    if (found === undefined) break;
    command = found;
    commands = subcommandsOf(found);
    rest = [
      ...head.words.slice(1),
      ...head.literal === undefined ? [] : ["--", ...head.literal],
    ];
  }
  const options = optionsOf(globals, command);
  const names = commands.filter(({ hidden }) => hidden !== true).map(({ name }) => name);
  if (isHelp) return rest.length === 0 ? { words: names } : NOTHING;
  const option = findOption(rest, last, options);
  if (option !== undefined) return option;
  const scanned = scanTokens(rest, options);
  if (command === undefined || isGroup(command)) {
    const more = command === undefined ? ["help"] : [];
    return scanned.words.length === 0 ? { words: [...names, ...more] } : NOTHING;
  }
  const specs = Object.values(command.arguments);
  const at = scanned.words.length;
  const spec = specs[at] ?? (specs.at(-1)?.variadic === true ? specs.at(-1) : undefined);
  if (spec?.completes !== undefined) return { paths: spec.completes, text: last };
  return { words: [...spec?.choices ?? [], ...at === 0 ? names : []] };
}

function optionsOf<Context>(
  globals: OptionTable,
  command: CommandSpec<Context> | undefined,
): OptionTable {
  return command === undefined || isGroup(command) ? globals : { ...globals, ...command.options };
}

/** What an option or its value could be; undefined where the last word is neither. */
function findOption(
  words: readonly string[],
  last: string,
  options: OptionTable,
): Wanted | undefined {
  if (words.includes("--")) return undefined;
  const [, name = "", value = ""] = /^--([^=]+)=(.*)$/s.exec(last) ?? [];
  const glued = lookUp(options, name);
  if (glued !== undefined) return wantedOf(glued, { prefix: `--${name}=`, value });
  const before = words.at(-1) ?? "";
  const spec = /^--[^=]+$/.test(before)
    ? lookUp(options, before.slice(2))
    : /^-[A-Za-z]$/.test(before)
    ? Object.values(options).find(({ short }) => short === before.slice(1))
    : undefined;
  if (spec !== undefined && spec.kind !== "boolean") {
    return wantedOf(spec, { prefix: "", value: last });
  }
  if (!last.startsWith("-") || last === "-") return undefined;
  const shown = Object.keys(options).filter((each) => options[each]?.hidden !== true);
  return { words: shown.map((each) => `--${each}`) };
}

function wantedOf(
  spec: OptionSpec,
  { prefix, value }: { readonly prefix: string; readonly value: string },
): Wanted {
  if (spec.kind === "path") return { paths: "local", text: value };
  return { words: (spec.choices ?? []).map((choice) => prefix + choice) };
}

function lookUp(options: OptionTable, name: string): OptionSpec | undefined {
  return Object.hasOwn(options, name) ? options[name] : undefined;
}

async function findPaths(
  kind: PathCompletion,
  text: string,
  lists: PathLists,
): Promise<Candidate[]> {
  const at = text.lastIndexOf("/") + 1;
  const folder = text.slice(0, at);
  const list = kind.startsWith("remote") ? lists.remote : lists.local;
  const isHidden = !text.slice(at).startsWith(".");
  return (await list(folder))
    // A name that could drive the terminal is not shown; it can still be typed.
    .filter(({ name, isFolder }) =>
      safeText(name) === name && (isFolder || !kind.endsWith("-folder")) &&
      !(isHidden && name.startsWith("."))
    )
    .map(({ name, isFolder }) => ({
      text: `${folder}${name}${isFolder ? "/" : ""}`,
      isOpen: isFolder,
    }));
}
