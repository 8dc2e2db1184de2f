/**
 * The fields of strftime that are numbers, and how GNU's writes numbers, fractions and offsets.
 *
 * @module
 */

import { isoWeekOf } from "./civil.ts";
import type { Moment } from "./moment.ts";
import type { Conversion, Padding } from "./strftime_parse.ts";

/** A piece of the text: what a conversion makes of an instant. */
export type Piece = (moment: Moment) => string;

/** A field that is a number. */
interface NumberField {
  /** The number; -0 is a century that has a sign and no digits. */
  readonly value: (moment: Moment) => number;
  /** Digits without a width. */
  readonly digits: number;
  /** Padding without a flag, zeros unless it says otherwise. */
  readonly padding?: Padding;
  /** Whether the flag `+` shows a plus sign: fields of years. */
  readonly isYear?: boolean;
  /** What the C library writes with `O`, where it differs from the field's own way. */
  readonly plain?: Piece;
}

const ZERO_TO_99 = Array.from({ length: 100 }, (_, i) => String(i).padStart(2, "0"));

/** A number from 0 to 99 with two digits. */
export function twoDigits(value: number): string {
  return ZERO_TO_99[value] ?? String(value);
}

function hour12(moment: Moment): number {
  return moment.hour % 12 || 12;
}

function isoWeek(moment: Moment) {
  return isoWeekOf(moment.year, moment.yearDay, moment.weekday);
}

/** The two last digits as the C library has them: those of -1 are 99. */
function lastDigits(year: number): string {
  return twoDigits((year % 100 + 100) % 100);
}

/** The number fields by their letters. */
const FIELDS: Readonly<Record<string, NumberField>> = {
  C: {
    value: ({ year }) => Math.trunc(year / 100),
    digits: 2,
    isYear: true,
    plain: ({ year }) => String(Math.trunc(year / 100)),
  },
  d: { value: ({ day }) => day, digits: 2 },
  e: { value: ({ day }) => day, digits: 2, padding: "_" },
  g: {
    value: (moment) => Math.abs(isoWeek(moment).year) % 100,
    digits: 2,
    isYear: true,
    plain: (moment) => lastDigits(isoWeek(moment).year),
  },
  G: {
    value: (moment) => isoWeek(moment).year,
    digits: 4,
    isYear: true,
    plain: (moment) => String(isoWeek(moment).year),
  },
  H: { value: ({ hour }) => hour, digits: 2 },
  I: { value: hour12, digits: 2 },
  j: { value: ({ yearDay }) => yearDay + 1, digits: 3 },
  k: { value: ({ hour }) => hour, digits: 2, padding: "_" },
  l: { value: hour12, digits: 2, padding: "_" },
  m: { value: ({ month }) => month, digits: 2 },
  M: { value: ({ minute }) => minute, digits: 2 },
  q: { value: ({ month }) => Math.ceil(month / 3), digits: 1 },
  S: { value: ({ second }) => second, digits: 2 },
  u: { value: ({ weekday }) => weekday || 7, digits: 1 },
  U: { value: ({ yearDay, weekday }) => (yearDay - weekday + 7) / 7 | 0, digits: 2 },
  V: { value: (moment) => isoWeek(moment).week, digits: 2 },
  w: { value: ({ weekday }) => weekday, digits: 1 },
  W: { value: ({ yearDay, weekday }) => (yearDay - (weekday + 6) % 7 + 7) / 7 | 0, digits: 2 },
  y: {
    value: ({ year }) => Math.abs(year) % 100,
    digits: 2,
    isYear: true,
    plain: ({ year }) => lastDigits(year),
  },
  Y: { value: ({ year }) => year, digits: 4, isYear: true },
};

/** What `E` makes of the fields of years without eras, as in the C locale. */
const ERA_FIELDS: Readonly<Record<string, Piece>> = {
  C: ({ year }) => String(Math.floor(year / 100)),
  y: ({ year }) => lastDigits(year),
  Y: ({ year }) => String(year),
};

/** The piece of a year with `E`, which is text to the flags; `undefined` for other conversions. */
export function eraPiece({ specifier, modifier }: Conversion): Piece | undefined {
  return modifier === "E" ? ERA_FIELDS[specifier] : undefined;
}

/**
 * The piece of a number field.
 *
 * @param conversion The conversion; its width is within the limit.
 * @param padText Pads what the C library wrote, which is text to the flags.
 * @returns The piece, `undefined` if the conversion is none of a number.
 */
export function numberPiece(
  conversion: Conversion,
  padText: (text: string) => string,
): Piece | undefined {
  const field = FIELDS[conversion.specifier];
  if (field === undefined) return undefined;
  const own = ownPiece(field, conversion);
  if (conversion.modifier !== "O") return own;
  const plain = field.plain ?? ownPiece(field, PLAIN);
  return (moment) => isNegative(field.value(moment)) ? own(moment) : padText(plain(moment));
}

const PLAIN = { padding: undefined, width: undefined };

function ownPiece(
  field: NumberField,
  { padding: flag, width: given }: Pick<Conversion, "padding" | "width">,
): Piece {
  const { value, digits } = field;
  const padding = flag ?? field.padding ?? "0";
  const width = given ?? digits;
  if (padding === "0" && width === 2 && field.isYear !== true) {
    return (moment) => twoDigits(value(moment));
  }
  const isWide = digits < width;
  const highest = 10 ** digits - 1;
  const hasPlus = padding === "+" && field.isYear === true;
  return (moment) => {
    const number = value(moment);
    const sign = isNegative(number) ? "-" : hasPlus && (isWide || number > highest) ? "+" : "";
    return padNumber(sign, String(Math.abs(number)), padding, width);
  };
}

function isNegative(value: number): boolean {
  return value < 0 || Object.is(value, -0);
}

function padNumber(sign: string, digits: string, padding: Padding, width: number): string {
  if (padding === "-") return sign + digits;
  if (padding === "_") return (sign + digits).padStart(width);
  return sign + digits.padStart(width - sign.length, "0");
}

/** The piece of `%s`, seconds since 1970. */
export function epochPiece({ padding = "0", width = 1 }: Conversion): Piece {
  return ({ epochSeconds }) => {
    const isBefore = epochSeconds < 0n;
    const digits = String(isBefore ? -epochSeconds : epochSeconds);
    return padNumber(isBefore ? "-" : "", digits, padding, width);
  };
}

/** The piece of `%N`: the first digits of the fraction, as many as the width says. */
export function fractionPiece({ text, padding, width = 9 }: Conversion): Piece {
  // To GNU date, "%-N" means as many digits as its clock has; that is nine.
  const isTrimmed = (padding === "-" || padding === "_") && text !== "%-N";
  return ({ nanoseconds }) => {
    const digits = String(nanoseconds).padStart(9, "0").padEnd(width, "0").slice(0, width);
    if (!isTrimmed) return digits;
    const trimmed = digits.replace(/(?<=.)0+$/, "");
    return padding === "_" ? trimmed.padEnd(width) : trimmed;
  };
}

/**
 * The piece of `%z` with 0 to 3 colons, the offset from UTC.
 *
 * @param conversion The conversion; its width is within the limit.
 * @param padText Pads what the C library wrote, which is text to the flags: `%Oz` east of Greenwich.
 * @returns The piece.
 */
export function offsetPiece(conversion: Conversion, padText: (text: string) => string): Piece {
  const { modifier, colons, padding = "0", width: given } = conversion;
  const isPlain = modifier === "O" && colons === 0;
  return ({ offsetSeconds, abbreviation }) => {
    const all = Math.abs(offsetSeconds);
    const hours = all / 3600 | 0;
    const minutes = (all / 60 | 0) % 60;
    const seconds = all % 60;
    // Three colons ask for as few as are needed.
    const shown = colons < 3 ? colons : seconds > 0 ? 2 : minutes > 0 ? 1 : 3;
    const clock = `${hours}:${twoDigits(minutes)}`;
    const digits = shown === 0
      ? String(hours * 100 + minutes)
      : shown === 1
      ? clock
      : shown === 2
      ? `${clock}:${twoDigits(seconds)}`
      : String(hours);
    const width = given ?? OFFSET_WIDTHS[shown] ?? 0;
    // Where nobody had a clock, the abbreviation is "-00" and the offset a negative zero.
    const isBehind = offsetSeconds < 0 || (offsetSeconds === 0 && abbreviation.startsWith("-"));
    if (isPlain && !isBehind) return padText(`+${digits.padStart(4, "0")}`);
    return padNumber(isBehind ? "-" : "+", digits, padding, width);
  };
}

/** Characters of `+hhmm`, `+hh:mm`, `+hh:mm:ss` and `+hh`. */
const OFFSET_WIDTHS = [5, 6, 9, 3] as const;
