/**
 * The patterns of arguments: regular expressions that must match the whole argument, and that cannot
 * keep the server busy. Trying a pattern cannot be interrupted, so those whose time may grow without
 * measure are refused when the file is read.
 *
 * @module
 */

/** Longest pattern, in UTF-16 units. */
export const PATTERN_CHARS_MAX = 512;

/** Most quantifiers that may match any number of times, or more than 8 different ones. */
export const PATTERN_WIDE_MAX = 3;

/** Most quantifiers at all, other than exact ones. */
export const PATTERN_QUANTIFIERS_MAX = 12;

/** A range of counts up to this wide is narrow. */
const NARROW_RANGE = 8;

/** One sign of a pattern, as far as it matters here. */
const SIGN = /\\(?:[pPu]\{[^}]*\}|[^])|\[(?:\\[^]|[^\]\\])*\]|\{(\d+)(,?)(\d*)\}|[^]/gu;

/**
 * Reads a pattern.
 *
 * @param source The regular expression, as JavaScript has them with the flag `u`.
 * @returns A pattern for the whole argument, or why it cannot be one.
 */
export function readPattern(source: string): RegExp | string {
  if (source.length > PATTERN_CHARS_MAX) {
    return `is longer than ${PATTERN_CHARS_MAX} characters`;
  }
  try {
    // By itself first: "a)|(b" would only fit between the brackets.
    new RegExp(source, "u");
  } catch (error) {
    return `is no regular expression: ${error instanceof Error ? error.message : String(error)}`;
  }
  return slowness(source) ?? new RegExp(`^(?:${source})$`, "u");
}

/** Why a pattern may take too long. */
function slowness(source: string): string | undefined {
  let before = "";
  let wide = 0;
  let all = 0;
  for (const [sign, low, comma, high] of source.matchAll(SIGN)) {
    if (/^\\(?:[1-9]|k)/.test(sign)) return "refers back to a group, which may take too long";
    // Behind a quantifier, "?" only makes it lazy; behind "(" it begins a group's kind.
    const isQuantifier = /^[*+?]$/.test(sign) || low !== undefined;
    if (!isQuantifier || before === "(" || before === "quantifier") {
      before = sign;
      continue;
    }
    if (before === ")" && sign !== "?") return "repeats a group, which may take too long";
    const span = spanOf(sign, { low, comma, high });
    if (span > 0) all += 1;
    if (span > NARROW_RANGE) wide += 1;
    before = "quantifier";
  }
  if (wide > PATTERN_WIDE_MAX) {
    return `has more than ${PATTERN_WIDE_MAX} wide quantifiers, which may take too long`;
  }
  if (all > PATTERN_QUANTIFIERS_MAX) {
    return `has more than ${PATTERN_QUANTIFIERS_MAX} quantifiers, which may take too long`;
  }
  return undefined;
}

/** How many different counts a quantifier allows, less one. */
function spanOf(
  sign: string,
  { low, comma, high }: Readonly<Record<"low" | "comma" | "high", string | undefined>>,
): number {
  if (low === undefined) return sign === "?" ? 1 : Infinity;
  if (!comma) return 0;
  return high ? Number(high) - Number(low) : Infinity;
}
