/**
 * Splits a line into words as people know it from shells: spaces between them, quotes and backslashes
 * for what a word holds besides, comments. Nothing is expanded.
 *
 * @module
 */

import { usage } from "./values.ts";

/** The kinds of quotes. */
export type Quote = '"' | "'";

/** The word at which a line ends, as far as it was typed. */
export interface OpenWord {
  /** What was typed. */
  readonly raw: string;
  /** What it means. */
  readonly text: string;
  /** The quote that is not closed. */
  readonly quote: Quote | undefined;
}

/** A line, read up to its end. */
export interface ScannedLine {
  /** The words with something behind them. */
  readonly words: readonly string[];
  /** The last word, empty behind a space; undefined in a comment. */
  readonly open: OpenWord | undefined;
  /** Whether the line ends with a backslash that stands before nothing. */
  readonly endsEscaped: boolean;
}

const SPACE = /\s/;

/** What stands for itself without quotes, also in the shells of systems. */
const PLAIN = /^[\w@%+=:,./-]+$/;

/**
 * Splits a line into words. In `'...'` everything stands for itself; in `"..."` a backslash does its
 * work before `"` and `\`; outside it takes the meaning of any character; `#` at the beginning of a word
 * begins a comment.
 *
 * @param line The line.
 * @returns The words; none for an empty line or a comment.
 * @throws {TrivetError} USAGE, when a quote is not closed or a backslash ends the line.
 */
export function splitWords(line: string): string[] {
  const { words, open, endsEscaped } = scanLine(line);
  if (open?.quote !== undefined) {
    throw usage(`Cannot read the line: a quote ${open.quote} is not closed`);
  }
  if (endsEscaped) throw usage("Cannot read the line: it ends with a backslash");
  return open === undefined || open.raw === "" ? [...words] : [...words, open.text];
}

/**
 * Reads a line that may not be whole yet, for completion.
 *
 * @param line The line up to the cursor.
 * @returns Its words and the one at its end.
 */
export function scanLine(line: string): ScannedLine {
  const words: string[] = [];
  let start = 0;
  let text = "";
  let quote: Quote | undefined;
  let isEscaped = false;
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at);
    if (isEscaped) {
      text += quote === '"' && char !== '"' && char !== "\\" ? `\\${char}` : char;
      isEscaped = false;
    } else if (char === "\\" && quote !== "'") {
      isEscaped = true;
    } else if (quote !== undefined) {
      if (char === quote) quote = undefined;
      else text += char;
    } else if (char === "'" || char === '"') {
      quote = char;
    } else if (SPACE.test(char)) {
      if (at > start) words.push(text);
      text = "";
      start = at + 1;
    } else if (char === "#" && at === start) {
      return { words, open: undefined, endsEscaped: false };
    } else {
      text += char;
    }
  }
  return { words, open: { raw: line.slice(start), text, quote }, endsEscaped: isEscaped };
}

/** Writes a word so that {@linkcode splitWords}, and every POSIX shell, reads it back. */
export function quoteWord(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * Writes the rest of a word whose beginning was typed.
 *
 * @param rest What the word still lacks.
 * @param quote The quote that is open.
 */
export function escapeRest(rest: string, quote: Quote | undefined): string {
  if (quote === "'") return rest.replaceAll("'", "'\\''");
  if (quote === '"') return rest.replace(/["\\]/g, "\\$&");
  return rest.replace(/[\s'"\\#]/g, "\\$&");
}
