/**
 * The columns that text takes in a terminal. Written for this project from the documented behaviour
 * of `@std/cli/unicode-width`, on Unicode's East Asian Width and on the classes that the regular
 * expressions of the language know.
 *
 * @module
 */

/** First and last code points of the blocks that are two columns wide (Unicode, UAX #11: W and F). */
const WIDE_RANGES: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18cff],
  [0x1b000, 0x1b2ff],
  [0x1f200, 0x1f265],
  [0x20000, 0x2fffd],
  [0x30000, 0x3fffd],
];

const ZERO_WIDTH =
  /^[\p{Cc}\p{Mn}\p{Me}\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u1160-\u11ff]$/u;
const WIDE_EMOJI = /^(?!\p{RI})\p{Emoji_Presentation}$/u;

/**
 * Counts the columns that text takes in a terminal, code point by code point: 0 for control
 * characters and combining marks, 2 for wide ones, 1 for the others.
 *
 * @param str Text without escape sequences.
 * @returns The number of columns.
 */
export function unicodeWidth(str: string): number {
  let columns = 0;
  for (const character of str) columns += widthOf(character);
  return columns;
}

function widthOf(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code >= 0x20 && code < 0x7f) return 1;
  if (ZERO_WIDTH.test(character)) return 0;
  if (WIDE_EMOJI.test(character)) return 2;
  return WIDE_RANGES.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}
