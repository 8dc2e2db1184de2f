/**
 * Reads what people type as values: sizes, rates, durations, numbers, switches and choices.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import type { NumberKind, OptionKind, OptionSpec } from "./command.ts";
import { formatBytes, formatDuration, formatRate } from "./format.ts";

const DIGITS = /^-?\d+(?:_\d+)*$/;
const SIZE = /^(\d+(?:_\d+)*)(?:\.(\d+))?(?:([KMGTP])(?:i?B)?|B)?$/i;
const DURATION_PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/y;

const SIZE_EXPONENTS: Readonly<Record<string, number>> = { K: 1, M: 2, G: 3, T: 4, P: 5 };

const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const SWITCHES: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  "1": true,
  false: false,
  no: false,
  off: false,
  "0": false,
};

/** What an error message says is needed. */
export const NEEDS: Readonly<Record<OptionKind, string>> = {
  boolean: "true or false",
  string: "a value",
  path: "a path",
  choice: "one of its choices",
  integer: "a whole number",
  bytes: "a size such as 10_000, 50M or 1.5GiB",
  rate: "a rate in bytes per second such as 500K or 50M",
  duration: "a duration such as 250ms, 10s, 5m, 2h or 30d",
};

/**
 * Reads a number of bytes: `10_000`, `50M`, `1.5GiB`. K, KB and KiB are all 1024 bytes, and so on up
 * to P; letters may be small.
 *
 * @param text What was typed.
 * @returns Whole bytes, or undefined for what is no size or above 2^53 - 1.
 */
export function parseBytes(text: string): number | undefined {
  const match = SIZE.exec(text);
  if (match === null) return undefined;
  const [, whole = "", fraction, unit] = match;
  if (fraction !== undefined && unit === undefined) return undefined;
  const amount = Number(`${whole.replaceAll("_", "")}.${fraction ?? "0"}`);
  const bytes = Math.round(amount * 1024 ** (SIZE_EXPONENTS[unit?.toUpperCase() ?? ""] ?? 0));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/**
 * Reads bytes per second: a size, with or without `/s` behind it.
 *
 * @param text What was typed.
 * @returns Whole bytes per second, or undefined for what is no rate.
 */
export function parseRate(text: string): number | undefined {
  return parseBytes(text.replace(/\/s$/, ""));
}

/**
 * Reads a duration: `250ms`, `10s`, `5m`, `2h`, `30d`, `1w`, or several together such as `1h30m`. A
 * unit is needed, except for 0.
 *
 * @param text What was typed.
 * @returns Whole milliseconds, or undefined for what is no duration or above 2^53 - 1.
 */
export function parseDuration(text: string): number | undefined {
  if (text === "0") return 0;
  let total_ms = 0;
  let at = 0;
  while (at < text.length) {
    DURATION_PART.lastIndex = at;
    const match = DURATION_PART.exec(text);
    if (match === null) return undefined;
    total_ms += Number(match[1]) * (DURATION_UNITS_MS[match[2] ?? ""] ?? Number.NaN);
    at = DURATION_PART.lastIndex;
  }
  const rounded_ms = Math.round(total_ms);
  return at > 0 && Number.isSafeInteger(rounded_ms) ? rounded_ms : undefined;
}

/**
 * Reads a whole number: `42`, `-5`, `10_000`.
 *
 * @param text What was typed.
 * @returns The number, or undefined for what is none or beyond 2^53 - 1.
 */
export function parseInteger(text: string): number | undefined {
  const value = DIGITS.test(text) ? Number(text.replaceAll("_", "")) : Number.NaN;
  // "-0" is 0, which nobody should see as anything else.
  return Number.isSafeInteger(value) ? value + 0 : undefined;
}

/**
 * Reads a switch: true, yes, on, 1, or false, no, off, 0.
 *
 * @param text What was typed.
 * @returns Its meaning, or undefined for another word.
 */
export function parseSwitch(text: string): boolean | undefined {
  const word = text.toLowerCase();
  return Object.hasOwn(SWITCHES, word) ? SWITCHES[word] : undefined;
}

/**
 * Reads the text of an option.
 *
 * @param spec What the option takes.
 * @param text The text.
 * @param label What an error message calls it, such as `Option --port`.
 * @returns The value: a boolean, a number or a string, as the kind says.
 * @throws {TrivetError} USAGE, when the text does not fit.
 */
export function parseValue(
  spec: OptionSpec,
  text: string,
  label: string,
): string | number | boolean {
  if (text === "") throw usage(`${label} needs ${NEEDS[spec.kind]}, got nothing`);
  switch (spec.kind) {
    case "boolean":
      return parseSwitch(text) ?? refuse(spec, text, label);
    case "choice":
      return parseChoice(spec.choices ?? [], text, label);
    case "path":
      return text.includes("\0") ? refuse(spec, text, label) : text;
    case "string":
      return text;
    default:
      return parseNumber(spec, spec.kind, text, label);
  }
}

/**
 * Checks that a word is one of those allowed.
 *
 * @throws {TrivetError} USAGE, when it is not.
 */
export function parseChoice(choices: readonly string[], text: string, label: string): string {
  if (choices.includes(text)) return text;
  throw usage(`${label} needs ${listWords(choices)}, got "${text}"`);
}

function parseNumber(spec: OptionSpec, kind: NumberKind, text: string, label: string): number {
  const parse = {
    integer: parseInteger,
    bytes: parseBytes,
    rate: parseRate,
    duration: parseDuration,
  }[kind];
  const value = parse(text);
  if (value === undefined) return refuse(spec, text, label);
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = spec;
  if (value >= min && value <= max) return value;
  throw usage(`${label} needs ${NEEDS[kind]} ${describeRange(spec, kind)}, got "${text}"`);
}

function refuse(spec: OptionSpec, text: string, label: string): never {
  const kind = spec.kind;
  const numeric = kind === "integer" || kind === "bytes" || kind === "rate" || kind === "duration";
  const range = numeric ? describeRange(spec, kind) : "";
  throw usage(`${label} needs ${NEEDS[kind]}${range === "" ? "" : ` ${range}`}, got "${text}"`);
}

/**
 * The range of a number's option, for messages and help.
 *
 * @returns Such as `from 1 to 65535`, or nothing where there is no limit.
 */
export function describeRange(spec: OptionSpec, kind: NumberKind): string {
  const write = { integer: String, bytes: formatBytes, rate: formatRate, duration: formatDuration };
  const { min, max } = spec;
  if (min !== undefined && max !== undefined) {
    return `from ${write[kind](min)} to ${write[kind](max)}`;
  }
  if (min !== undefined) return `of at least ${write[kind](min)}`;
  return max === undefined ? "" : `of at most ${write[kind](max)}`;
}

/** Words as a sentence has them: `replace, skip or fail`. */
export function listWords(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/** The error for a wrong command line. */
export function usage(message: string, details?: Record<string, string>): TrivetError {
  return new TrivetError("USAGE", message, details === undefined ? {} : { details });
}
