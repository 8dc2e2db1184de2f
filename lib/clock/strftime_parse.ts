/**
 * Takes a format of strftime apart: literal text and conversions with their flags, width and
 * modifier, as GNU's does. Every text is a format; what is no conversion is marked as such.
 *
 * @module
 */

/** How a field is filled up: not at all, with spaces, with zeros, with zeros and a plus sign. */
export type Padding = "-" | "_" | "0" | "+";

/** One conversion of a format. */
export interface Conversion {
  /** The conversion as it stands in the format. */
  readonly text: string;
  /** Its letter; empty when the text is no conversion at all. */
  readonly specifier: string;
  /** The last of the flags `-`, `_`, `0` and `+`. */
  readonly padding: Padding | undefined;
  /** Least bytes of the field. */
  readonly width: number | undefined;
  /** `E` or `O`. */
  readonly modifier: "E" | "O" | undefined;
  /** Colons between `%` and `z`, 0 to 3. */
  readonly colons: number;
  /** Whether the flag `^` asks for upper case. */
  readonly isUpper: boolean;
  /** Whether the flag `#` asks for the opposite case. */
  readonly isSwapped: boolean;
}

/** Letters that take each modifier in the C library or GNU date; others make no conversion. */
const WITH_E = "cCxXyYnpPqrRsTtuzZ";
const WITH_O = "bBCdeghGHIjklmMnNpPrRsSTtuUVwWyzZ";
/** Letters that stand only without a modifier. */
const WITHOUT = "aADF%";

const KNOWN: ReadonlySet<string> = new Set(WITH_E + WITH_O + WITHOUT);
const KNOWN_E: ReadonlySet<string> = new Set(WITH_E);
const KNOWN_O: ReadonlySet<string> = new Set(WITH_O);

const COLONS_MAX = 3;
/** Wider than any limit; keeps the digits of a width from growing without end. */
const WIDTH_MAX = 0x7fff_ffff;

/**
 * Takes a format apart.
 *
 * @param format Any text.
 * @returns Literal texts and conversions in their order.
 */
export function parseFormat(format: string): (string | Conversion)[] {
  const parts: (string | Conversion)[] = [];
  let at = 0;
  while (at < format.length) {
    const percent = format.indexOf("%", at);
    if (percent < 0) break;
    if (percent > at) parts.push(format.slice(at, percent));
    const conversion = parseConversion(format, percent);
    parts.push(conversion);
    at = percent + conversion.text.length;
  }
  if (at < format.length) parts.push(format.slice(at));
  return parts;
}

function parseConversion(format: string, start: number): Conversion {
  let at = start + 1;
  let padding: Padding | undefined;
  let isUpper = false;
  let isSwapped = false;
  flags: for (;; at++) {
    const flag = format[at];
    switch (flag) {
      case "-":
      case "_":
      case "0":
      case "+":
        padding = flag;
        break;
      case "^":
        isUpper = true;
        break;
      case "#":
        isSwapped = true;
        break;
      default:
        break flags;
    }
  }
  let width: number | undefined;
  for (; isDigit(format.charCodeAt(at)); at++) {
    width = Math.min((width ?? 0) * 10 + format.charCodeAt(at) - 0x30, WIDTH_MAX);
  }
  const letter = format[at];
  const modifier = letter === "E" || letter === "O" ? letter : undefined;
  if (modifier !== undefined) at++;
  const colons = colonsAt(format, at);
  const end = at + colons;
  const isPlainPercent = format[end] !== "%" || end === start + 1;
  const isKnown = isPlainPercent && isConversion(format[end], modifier, colons);
  const specifier = isKnown ? format[end] ?? "" : "";
  return {
    text: format.slice(start, specifier === "" ? endOfText(format, at, colons) : end + 1),
    specifier,
    padding,
    width,
    modifier,
    colons,
    isUpper,
    isSwapped,
  };
}

function isConversion(
  letter: string | undefined,
  modifier: "E" | "O" | undefined,
  colons: number,
): boolean {
  if (letter === undefined) return false;
  if (colons > 0 && (letter !== "z" || colons > COLONS_MAX)) return false;
  return (modifier === undefined ? KNOWN : modifier === "E" ? KNOWN_E : KNOWN_O).has(letter);
}

/**
 * Where a text ends that is no conversion: behind the letter, behind the first of colons without a
 * `z`, or in front of another percent sign, which may begin a conversion of its own.
 */
function endOfText(format: string, at: number, colons: number): number {
  if (colons > 0 && format[at + colons] !== "z") return at + 1;
  if (format[at] === "%") return at;
  const point = format.codePointAt(at + colons) ?? 0;
  return Math.min(at + colons + (point > 0xffff ? 2 : 1), format.length);
}

function colonsAt(format: string, at: number): number {
  let end = at;
  while (format[end] === ":") end++;
  return end - at;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
