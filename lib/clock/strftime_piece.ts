/**
 * Makes the parts of a format into functions from an instant to text, with everything decided that
 * does not depend on the instant.
 *
 * @module
 */

import type { Moment } from "./moment.ts";
import {
  epochPiece,
  eraPiece,
  fractionPiece,
  numberPiece,
  offsetPiece,
  type Piece,
  twoDigits,
} from "./strftime_number.ts";
import { type Conversion, parseFormat } from "./strftime_parse.ts";
import type { TimeNames } from "./time_names.ts";

/** What the pieces of a format have in common. */
export interface PieceOptions {
  /** Words and formats of the locale. */
  readonly names: TimeNames;
  /** Widest field. */
  readonly fieldWidthMax: number;
}

/**
 * Makes parts into pieces.
 *
 * @param parts What `parseFormat()` made.
 * @param options Locale and limit.
 * @returns Literal texts and functions, neighbouring texts as one.
 */
export function compileParts(
  parts: readonly (string | Conversion)[],
  options: PieceOptions,
): (string | Piece)[] {
  const pieces: (string | Piece)[] = [];
  for (const part of parts) {
    const piece = typeof part === "string" ? part : compileConversion(part, options);
    const last = pieces.at(-1);
    if (typeof piece === "string" && typeof last === "string") {
      pieces[pieces.length - 1] = last + piece;
    } else pieces.push(piece);
  }
  return pieces;
}

function compileConversion(given: Conversion, options: PieceOptions): string | Piece {
  const conversion = given.width === undefined
    ? given
    : { ...given, width: Math.min(given.width, options.fieldWidthMax) };
  const pad = (text: string) => padText(text, conversion);
  switch (conversion.specifier) {
    case "":
      return verbatim(conversion);
    case "%":
      return "%";
    case "n":
      return pad("\n");
    case "t":
      return pad("\t");
    case "N":
      return fractionPiece(conversion);
    case "s":
      return epochPiece(conversion);
    case "z":
      return offsetPiece(conversion, pad);
    case "F":
      return datePiece(conversion);
  }
  const number = eraPiece(conversion);
  if (number !== undefined) return (moment) => pad(number(moment));
  return numberPiece(conversion, pad) ?? textPiece(conversion, options);
}

/** The pieces that are text: names, and what stands for a format of its own. */
function textPiece(conversion: Conversion, options: PieceOptions): Piece {
  const text = bareText(conversion, options);
  if (conversion.width === undefined || conversion.padding === "-") return text;
  return (moment) => padText(text(moment), conversion);
}

function bareText(conversion: Conversion, options: PieceOptions): Piece {
  const { specifier, modifier, isUpper, isSwapped } = conversion;
  const { names } = options;
  const lower = (text: string) =>
    names.tag ? text.toLocaleLowerCase(names.tag) : text.toLowerCase();
  const listed = (list: readonly string[], index: (moment: Moment) => number): Piece => {
    const shown = isUpper || isSwapped ? upperWords(list, names) : list;
    return (moment) => shown[index(moment)] ?? "";
  };
  const inner = (format: string) => innerPiece(format, conversion, options);
  switch (specifier) {
    case "a":
      return listed(names.weekdaysShort, ({ weekday }) => weekday);
    case "A":
      return listed(names.weekdays, ({ weekday }) => weekday);
    case "b":
    case "h":
      return listed(names.monthsShort, ({ month }) => month - 1);
    case "B":
      return listed(modifier === "O" ? names.monthsAlone : names.months, ({ month }) => month - 1);
    case "p":
    case "P": {
      const [am, pm] = specifier === "P" || isSwapped
        ? names.dayPeriods.map(lower)
        : isUpper
        ? upperWords(names.dayPeriods, names)
        : names.dayPeriods;
      return ({ hour }) => (hour < 12 ? am : pm) ?? "";
    }
    case "Z":
      return ({ abbreviation }) =>
        isSwapped
          ? abbreviation.toLowerCase()
          : isUpper
          ? abbreviation.toUpperCase()
          : abbreviation;
    case "c":
      return inner(names.dateTime);
    case "x":
      return inner(names.date);
    case "X":
      return inner(names.time);
    case "r":
      return inner(names.time12);
    case "D":
      // Of a date, GNU's pads the year as the flag says.
      return inner(`%m/%d/%${conversion.padding ?? ""}y`);
    case "R":
      return inner("%H:%M");
    default:
      return inner("%H:%M:%S");
  }
}

/** A format within the format. Of the flags only `^` reaches inside, and it has no widths. */
function innerPiece(format: string, { isUpper }: Conversion, options: PieceOptions): Piece {
  const made = madeOf(options.names);
  const key = `${isUpper ? "^" : ""}${format}`;
  const found = made.inner.get(key);
  if (found !== undefined) return found;
  const parts = parseFormat(format).map((part) =>
    typeof part === "string" || !isUpper ? part : { ...part, isUpper }
  );
  const pieces = compileParts(parts, options);
  const piece: Piece = (moment) => {
    let text = "";
    for (const each of pieces) text += typeof each === "string" ? each : each(moment);
    return text;
  };
  made.inner.set(key, piece);
  return piece;
}

/** A list of words in upper case. */
function upperWords(words: readonly string[], names: TimeNames): readonly string[] {
  const { upper } = madeOf(names);
  const found = upper.get(words) ?? words.map((word) => toUpper(word, names));
  upper.set(words, found);
  return found;
}

/** What was made of the words of a locale: the few inner formats there are, lists in upper case. */
interface Made {
  readonly inner: Map<string, Piece>;
  readonly upper: Map<readonly string[], readonly string[]>;
}

/** Kept, so that a format with hundreds of `%c` or `%^A` is not slow to take in. */
const madeByNames = new WeakMap<TimeNames, Made>();

function madeOf(names: TimeNames): Made {
  const found = madeByNames.get(names) ?? { inner: new Map(), upper: new Map() };
  madeByNames.set(names, found);
  return found;
}

/**
 * `%F`, whose padding is that of its year. Without flags and width it is as `%+4Y-%m-%d`.
 */
function datePiece(conversion: Conversion): Piece {
  const { padding, width } = conversion;
  const isBare = padding === undefined && width === undefined;
  const yearWidth = isBare ? 4 : Math.max((width ?? 0) - "-mm-dd".length, 0);
  const year = numberPiece({
    ...conversion,
    specifier: "Y",
    padding: isBare ? "+" : padding ?? "0",
    width: yearWidth,
  }, (text) => text);
  return (moment) => `${year?.(moment) ?? ""}-${twoDigits(moment.month)}-${twoDigits(moment.day)}`;
}

/** What is no conversion comes out as it is; but the flags and the width count, as with GNU's. */
function verbatim(conversion: Conversion): string {
  const { text, isUpper } = conversion;
  const shown = isUpper ? text.replace(/[a-z]/g, (each) => each.toUpperCase()) : text;
  // The last character may have several bytes, of which GNU's takes the first for the specifier.
  return padText(shown, conversion, [...text].length);
}

/** Fills a text up at its front. Widths are bytes, as with GNU's. */
function padText(text: string, { padding, width = 0 }: Conversion, bytes?: number): string {
  if (padding === "-" || width === 0) return text;
  const fill = padding === "0" || padding === "+" ? "0" : " ";
  return fill.repeat(Math.max(width - (bytes ?? utf8Length(text)), 0)) + text;
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
  }
  return bytes;
}

function toUpper(text: string, { tag }: TimeNames): string {
  return tag === undefined ? text.toUpperCase() : text.toLocaleUpperCase(tag);
}
