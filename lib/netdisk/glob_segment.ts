/**
 * One component of a glob. Read into tokens and matched with one place to go back to, so that the time
 * grows with the product of both lengths at most; a backtracking regular expression, into which the
 * known packages turn a glob, takes years for `*a*a*a*a*a*b`.
 *
 * @module
 */

interface CharClass {
  readonly isNegated: boolean;
  /** Code points, both ends included. */
  readonly ranges: readonly (readonly [from: number, to: number])[];
}

const ANY = Symbol("?");
const STAR = Symbol("*");

type Token = string | CharClass | typeof ANY | typeof STAR;

/** A component of a pattern. */
export interface GlobSegment {
  /** Whether it is more than a name. */
  readonly isWild: boolean;
  /** Whether it matches a name; a leading dot only with a dot of its own. */
  matches(name: string): boolean;
}

/** Options of {@linkcode parseSegment}. */
export interface SegmentOptions {
  /** Whether wildcards match a leading dot too. */
  readonly dot: boolean;
}

/**
 * Reads a component.
 *
 * @param text The component, braces expanded; a backslash makes the next character a plain one.
 * @param options Whether wildcards match a leading dot.
 */
export function parseSegment(text: string, { dot }: SegmentOptions): GlobSegment {
  const tokens = tokensOf(Array.from(text));
  if (tokens.every((token) => typeof token === "string")) {
    const literal = tokens.join("");
    return { isWild: false, matches: (name) => name === literal };
  }
  const showsDots = dot || tokens[0] === ".";
  return {
    isWild: true,
    matches: (name) => (showsDots || !name.startsWith(".")) && matchTokens(tokens, name),
  };
}

function tokensOf(chars: readonly string[]): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? "";
    const next = chars[at + 1];
    if (char === "\\" && next !== undefined) {
      tokens.push(next);
      at++;
    } else if (char === "?") {
      tokens.push(ANY);
    } else if (char === "*") {
      if (tokens.at(-1) !== STAR) tokens.push(STAR);
    } else {
      const read = char === "[" ? readClass(chars, at) : null;
      tokens.push(read === null ? char : read.charClass);
      if (read !== null) at = read.end;
    }
  }
  return tokens;
}

/** The class that begins at `start`; null where the bracket is never closed and thus a plain one. */
function readClass(
  chars: readonly string[],
  start: number,
): { charClass: CharClass; end: number } | null {
  const isNegated = chars[start + 1] === "!" || chars[start + 1] === "^";
  const first = start + (isNegated ? 2 : 1);
  const ranges: [number, number][] = [];
  for (let at = first; at < chars.length; at++) {
    if (chars[at] === "]" && at > first) return { charClass: { isNegated, ranges }, end: at };
    if (chars[at] === "\\") at++;
    const from = codeOf(chars[at]);
    const isRange = chars[at + 1] === "-" && chars[at + 2] !== "]" && at + 2 < chars.length;
    if (isRange) at += chars[at + 2] === "\\" ? 3 : 2;
    ranges.push([from, isRange ? codeOf(chars[at]) : from]);
  }
  return null;
}

function codeOf(char: string | undefined): number {
  return char?.codePointAt(0) ?? -1;
}

/** Only the last star can be worth going back to: what the ones before it took is the least. */
function matchTokens(tokens: readonly Token[], name: string): boolean {
  const chars = Array.from(name);
  let token = 0;
  let star = -1;
  let starEnd = 0;
  for (let at = 0; at < chars.length;) {
    if (tokens[token] === STAR) {
      star = token++;
      starEnd = at;
    } else if (matchesChar(tokens[token], chars[at] ?? "")) {
      token++;
      at++;
    } else if (star >= 0) {
      token = star + 1;
      at = ++starEnd;
    } else {
      return false;
    }
  }
  if (tokens[token] === STAR) token++;
  return token === tokens.length;
}

function matchesChar(token: Token | undefined, char: string): boolean {
  if (typeof token === "string") return token === char;
  if (token === undefined || token === STAR) return false;
  if (token === ANY) return true;
  const code = codeOf(char);
  return token.ranges.some(([from, to]) => from <= code && code <= to) !== token.isNegated;
}
