/**
 * The names that docs/names.md lists, and what becomes of each: the page's tables are written from this,
 * and an end-to-end test does with the real programs what they say.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { checkPath, nameKey, type NameRules, quoteName } from "../../lib/netdisk/path.ts";
import { formatTable } from "./page.ts";

/** A name of one kind. */
export interface NameCase {
  /** What is special about it. */
  readonly what: string;
  /** The name. */
  readonly name: string;
  /** How it is written in the table, where quoting it is not enough. */
  readonly shown?: string;
}

/** Two names that somebody may take for one. */
export interface NamePair {
  readonly what: string;
  readonly first: NameCase["name"];
  readonly second: NameCase["name"];
  /** As for {@linkcode NameCase}. */
  readonly shown?: readonly [first: string, second: string];
}

/** The cell of a name that is kept as it is. */
export const STORED = "stored";
/** The cell of a name that is kept in its composed form. */
export const COMPOSED = "stored in NFC";
/** The cell of two names that lead to one file. */
export const ONE_FILE = "one file";
/** The cell of two names that stand side by side. */
export const TWO_FILES = "two files";

/** Rows of the first table. */
export const NAME_CASES: readonly NameCase[] = [
  { what: "nothing special", name: "a.txt" },
  { what: "Chinese", name: "文件.txt" },
  { what: "Korean, composed (NFC)", name: "한글" },
  {
    what: "Korean, decomposed (NFD)",
    name: "한국".normalize("NFD"),
    shown: '"\\u{1112}\\u{1161}\\u{11ab}…"',
  },
  { what: "accent, composed (NFC)", name: "café" },
  { what: "accent, decomposed (NFD)", name: "cafe\u0301.md", shown: '"cafe\\u{301}.md"' },
  { what: "emoji", name: "🎉.txt" },
  { what: "emoji joined of several", name: "👩‍👧.txt", shown: '"👩\\u{200d}👧.txt"' },
  { what: "writing direction turned round", name: "a\u202etxt.exe" },
  { what: "spaces inside", name: "two  words" },
  { what: "space at the front", name: " front" },
  { what: "space at the end", name: "end " },
  { what: "dash at the front", name: "-rf" },
  { what: "two dashes at the front", name: "--help" },
  { what: "a dash alone", name: "-" },
  { what: "dot at the front", name: ".hidden" },
  { what: "dot at the end", name: "a." },
  { what: "three dots", name: "..." },
  { what: "one dot", name: "." },
  { what: "two dots", name: ".." },
  { what: "255 bytes", name: "x".repeat(255), shown: '"x" × 255' },
  { what: "255 bytes in 85 characters", name: "文".repeat(85), shown: '"文" × 85' },
  { what: "256 bytes", name: "x".repeat(256), shown: '"x" × 256' },
  { what: "258 bytes in 86 characters", name: "文".repeat(86), shown: '"文" × 86' },
  {
    what: "258 bytes, of which NFC leaves 172",
    name: "e\u0301".repeat(86),
    shown: '"e\\u{301}" × 86',
  },
  { what: "a device of Windows", name: "CON" },
  { what: "a device of Windows with an extension", name: "com1.tar.gz" },
  { what: "not quite a device", name: "CONSOLE" },
  { what: "colon", name: "a:b" },
  { what: "wildcards and quotes", name: '"a"?*' },
  { what: "newline", name: "a\nb" },
  { what: "tab", name: "a\tb" },
  { what: "escape, which steers terminals", name: "a\u001b[2Jb" },
  { what: "DEL", name: "a\u007f" },
  { what: "backslash", name: "a\\b" },
];

/** Rows of the second table. */
export const NAME_PAIRS: readonly NamePair[] = [
  { what: "large and small letter", first: "Readme", second: "README" },
  { what: "large and small beyond ASCII", first: "Ä", second: "ä" },
  { what: "what large letters make alike", first: "straße", second: "STRASSE" },
  {
    what: "composed and decomposed",
    first: "café",
    second: "cafe\u0301",
    shown: ['"café"', '"cafe\\u{301}"'],
  },
  { what: "full and half width", first: "Ａ", second: "A" },
  { what: "Latin and Cyrillic", first: "a", second: "а" },
];

/** What the rules say of a name. */
function outcome(name: string, names: NameRules): string {
  try {
    const [checked] = checkPath([name], { names });
    return checked === name ? STORED : COMPOSED;
  } catch (error) {
    if (error instanceof TrivetError) return `\`${error.code}\``;
    throw error;
  }
}

function pairOutcome({ first, second }: NamePair, names: NameRules): string {
  if (nameKey(first, "native") === nameKey(second, "native")) return ONE_FILE;
  return nameKey(first, names) === nameKey(second, names) ? "`NAME_CASE_CONFLICT`" : TWO_FILES;
}

/** The table of names. */
export function nameTable(): string {
  const rows = NAME_CASES.map(({ what, name, shown }) => {
    const text = shown ?? quoteName(name);
    return [what, `\`${text}\``, outcome(name, "native"), outcome(name, "portable")];
  });
  return formatTable(["what", "name", "`--names native`", "`--names portable`"], rows);
}

/** The table of pairs. */
export function pairTable(): string {
  const rows = NAME_PAIRS.map((pair) => {
    const [first, second] = pair.shown ?? [quoteName(pair.first), quoteName(pair.second)];
    const names = [`\`${first}\``, `\`${second}\``];
    return [pair.what, ...names, pairOutcome(pair, "native"), pairOutcome(pair, "portable")];
  });
  return formatTable(["what", "first", "second", "`--names native`", "`--names portable`"], rows);
}
