/**
 * Splits the words of a command line into flags and arguments with `parseArgs`, after writing them so
 * that it has nothing to guess.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import type { OptionSpec, OptionTable } from "./command.ts";

/**
 * What the names of known options begin with where `parseArgs` sees them: it takes `no-` off the
 * front of a name, as in `--no-color=true`. No word of a command line can hold this character.
 */
const MARK = "\0";

/** The words of a command line, sorted. */
export interface ScannedTokens {
  /** Texts of each known option that is there; a value left out is an empty text. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  /** Options that are not known, as typed. */
  readonly unknown: readonly string[];
  /** Arguments; with `stopEarly`, the first argument and all that follows it before `--`. */
  readonly words: readonly string[];
  /** With `stopEarly`, what follows `--`; undefined when there is none. */
  readonly literal: readonly string[] | undefined;
}

/**
 * Sorts words into options and arguments.
 *
 * @param tokens The words.
 * @param options The options that are known.
 * @param scanOptions `stopEarly` leaves everything from the first argument on as it is.
 * @returns The words, sorted.
 */
export function scanTokens(
  tokens: readonly string[],
  options: OptionTable,
  { stopEarly = false }: { readonly stopEarly?: boolean } = {},
): ScannedTokens {
  const names = Object.keys(options);
  const marked = names.map(markOf);
  const unknown: string[] = [];
  const { expanded, rest } = expandTokens(tokens, options, stopEarly);
  const parsed: Readonly<Record<string, unknown>> = parseArgs(expanded, {
    // All are strings, so that neither "007" nor a file called "true" changes its meaning.
    string: ["_", ...marked],
    collect: marked,
    stopEarly,
    "--": stopEarly,
    unknown: (token, key) => {
      if (key === undefined) return true;
      unknown.push(token.replace(MARK, "").replace(/=.*$/s, ""));
      return false;
    },
  });
  const flags = new Map<string, readonly string[]>();
  for (const name of names) {
    const texts = strings(parsed[markOf(name)]);
    if (texts.length > 0) flags.set(name, texts);
  }
  const literal = stopEarly && tokens.includes("--") ? strings(parsed["--"]) : undefined;
  return { flags, unknown, words: [...strings(parsed["_"]), ...rest], literal };
}

/**
 * Writes every known option in the one form that `parseArgs` reads without guessing: switches as
 * `--name=true` (else it takes a following file called `true` for the value), letters as long names,
 * one option a word. What is not known, and all after `--`, stays as it is. With `stopEarly`, `rest`
 * is what stands between the first argument and `--`: other options may be known there.
 */
function expandTokens(
  tokens: readonly string[],
  options: OptionTable,
  stopEarly: boolean,
): { readonly expanded: string[]; readonly rest: readonly string[] } {
  const end = tokens.indexOf("--");
  const head = end < 0 ? tokens : tokens.slice(0, end);
  const expanded: string[] = [];
  let rest: readonly string[] = [];
  for (let index = 0; index < head.length; index++) {
    const token = head[index] ?? "";
    if (stopEarly && isArgument(token, expanded.at(-1))) {
      rest = head.slice(index);
      break;
    }
    const words = (token.startsWith("--") ? expandLong : expandShort)(token, options);
    const last = words.at(-1) ?? "";
    const next = head[index + 1];
    const isValue = next === "" ? takesValue(last, options) : /^-\d/.test(next ?? "") &&
      takesNumber(last, options);
    if (isValue) {
      words[words.length - 1] = `${last}=${next}`;
      index++;
    }
    expanded.push(...words);
  }
  return { expanded: end < 0 ? expanded : [...expanded, ...tokens.slice(end)], rest };
}

/**
 * Renames an unknown option whose name or one of whose letters is `_`: `parseArgs` would take that for
 * its list of arguments and put a value in the list's place.
 */
function disarm(token: string): string {
  const isList = token.startsWith("--") ? /^--_(?:=|$)/.test(token) : /^-.*_/s.test(token);
  return isList ? `--__${token.replace(/^-+/, "")}` : token;
}

function expandLong(token: string, options: OptionTable): string[] {
  const [name = ""] = token.slice(2).split("=", 1);
  const spec = lookUp(options, name);
  if (spec === undefined) return [disarm(token)];
  const word = `--${markOf(token.slice(2))}`;
  return spec.kind === "boolean" && !token.includes("=") ? [`${word}=true`] : [word];
}

/** Expands `-lr`, `-p 8080`, `-p8080` and `-p=8080`; a group with an unknown letter stays whole. */
function expandShort(token: string, options: OptionTable): string[] {
  if (!/^-[A-Za-z]/.test(token)) return [disarm(token)];
  const words: string[] = [];
  for (let index = 1; index < token.length; index++) {
    const name = nameOfShort(options, token[index] ?? "");
    if (name === undefined) return [disarm(token)];
    const rest = token.slice(index + 1);
    if (lookUp(options, name)?.kind === "boolean" && !rest.startsWith("=")) {
      words.push(`--${markOf(name)}=true`);
      continue;
    }
    const value = rest.replace(/^=/, "");
    const word = `--${markOf(name)}`;
    words.push(rest === "" ? word : `${word}=${value}`);
    break;
  }
  return words;
}

/** Whether a word is neither an option nor the value of the one before it. */
function isArgument(token: string, before: string | undefined): boolean {
  if (token.startsWith("-") && token !== "-") return false;
  return before === undefined || !before.startsWith(`--${MARK}`) || before.includes("=");
}

/** Whether a word is an option that waits for its value. */
function takesValue(word: string, options: OptionTable): boolean {
  const start = `--${MARK}`;
  if (!word.startsWith(start)) return false;
  const spec = lookUp(options, word.slice(start.length));
  return spec !== undefined && spec.kind !== "boolean";
}

/** Whether a word is an option that waits for a number, which may be negative. */
function takesNumber(word: string, options: OptionTable): boolean {
  const start = `--${MARK}`;
  return word.startsWith(start) && lookUp(options, word.slice(start.length))?.kind === "integer";
}

function markOf(name: string): string {
  return MARK + name;
}

function nameOfShort(options: OptionTable, letter: string): string | undefined {
  return Object.keys(options).find((name) => options[name]?.short === letter);
}

function lookUp(options: OptionTable, name: string): OptionSpec | undefined {
  return Object.hasOwn(options, name) ? options[name] : undefined;
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
