/**
 * Globs over paths of the netdisk: `*` and `?` inside a component, `[a-z]` and `[!a-z]`, `{a,b}` and
 * `{1..9}`, and `**` as a whole component for any number of folders. A backslash makes the next
 * character a plain one. As in a shell, a leading dot is matched by a dot only.
 *
 * @module
 */

import { expand } from "brace-expansion";
import { TrivetError } from "../errors.ts";
import { type GlobSegment, parseSegment } from "./glob_segment.ts";
import { nameKey, PATH_MAX_LEVELS, quoteName } from "./path.ts";

/** Longest pattern, in characters. */
export const GLOB_MAX_CHARS = 4096;

/** Most patterns that braces may stand for. */
export const GLOB_MAX_ALTERNATIVES = 256;

/** Most characters of all patterns together that braces stand for. */
export const GLOB_MAX_EXPANDED_CHARS = 16_384;

/** Deepest braces in braces. */
const BRACES_MAX_DEPTH = 16;

/** Work that expanding braces may take, in the package's steps; no pattern within the limits needs it. */
const BRACES_MAX_STEPS = 1_000_000;

const GLOB_CHARS = /[*?[{]/;
const ESCAPED = /\\([*?[\]{},!\\-])/g;
const ESCAPABLE = /[*?[\]{},\\]/g;

/** Any number of folders, none included. */
const GLOBSTAR = Symbol("**");

type Segments = readonly (GlobSegment | typeof GLOBSTAR)[];

/** Options of {@linkcode parseGlob}. */
export interface GlobOptions {
  /** Whether wildcards match a leading dot too; not by default. */
  readonly dot?: boolean;
  /** Whether upper and lower case are the same; not by default. */
  readonly ignoreCase?: boolean;
}

/** A pattern, ready to match. */
export interface Glob {
  /**
   * Whether it matches a path.
   *
   * @param path Components from where the pattern begins.
   */
  matches(path: readonly string[]): boolean;
  /**
   * Whether it can match anything below a folder; a walk leaves the others out.
   *
   * @param folder Components from where the pattern begins.
   */
  reaches(folder: readonly string[]): boolean;
}

/**
 * Whether a text is a pattern, not a plain path: with a wildcard, a class or braces that no backslash
 * made plain.
 *
 * @param text What somebody typed.
 */
export function hasGlob(text: string): boolean {
  if (!GLOB_CHARS.test(text)) return false;
  // Too much for a pattern is one all the same: reading it says what is wrong.
  if (text.length > GLOB_MAX_CHARS) return true;
  const expanded = expandBraces(text);
  return expanded.length > 1 ||
    expanded.some((pattern) =>
      componentsOf(pattern).some((component) => parseSegment(component, { dot: true }).isWild)
    );
}

/**
 * Reads a pattern.
 *
 * @param pattern Components with `/` between them, from wherever the paths to match begin; a leading
 * and a trailing `/` mean nothing. A trailing `**` matches all below a folder, not the folder itself.
 * @param options Dots and case.
 * @throws {TrivetError} `USAGE` for a pattern that is too long or stands for too many.
 */
export function parseGlob(pattern: string, options: GlobOptions = {}): Glob {
  const { dot = false, ignoreCase = false } = options;
  const fold = (text: string) => nameKey(text, ignoreCase ? "portable" : "native");
  if (pattern.length > GLOB_MAX_CHARS) {
    refuse(pattern, `it has ${pattern.length} characters, the limit is ${GLOB_MAX_CHARS}`);
  }
  const expanded = expandBraces(fold(pattern));
  if (expanded.length > GLOB_MAX_ALTERNATIVES) {
    refuse(pattern, `its braces stand for more than ${GLOB_MAX_ALTERNATIVES} patterns`);
  }
  const chars = expanded.reduce((sum, { length }) => sum + length, 0);
  if (chars > GLOB_MAX_EXPANDED_CHARS) {
    refuse(pattern, `its braces stand for more than ${GLOB_MAX_EXPANDED_CHARS} characters`);
  }
  const alternatives = expanded.map((one) => segmentsOf(one, dot)).filter(canMatch);
  const walk = (path: readonly string[]) => {
    const names = path.map(fold);
    return alternatives.map((segments) => ({
      end: segments.length,
      places: placesAfter(segments, { names, dot }),
    }));
  };
  return {
    matches: (path) => walk(path).some(({ places, end }) => places.has(end)),
    reaches: (folder) =>
      walk(folder).some(({ places, end }) => [...places].some((place) => place < end)),
  };
}

/**
 * A pattern as a function over paths; see {@linkcode parseGlob}.
 *
 * @param pattern The pattern.
 * @param options Dots and case.
 * @returns Whether a path, as components from where the pattern begins, matches.
 * @throws {TrivetError} `USAGE` for a pattern that is too long or stands for too many.
 */
export function globMatcher(
  pattern: string,
  options: GlobOptions = {},
): (path: readonly string[]) => boolean {
  return parseGlob(pattern, options).matches;
}

/** The pattern that matches a text and nothing else. */
export function escapeGlob(text: string): string {
  return text.replace(ESCAPABLE, "\\$&");
}

/** What a text without wildcards means: `\*` is `*`. */
export function unescapeGlob(text: string): string {
  return text.replace(ESCAPED, "$1");
}

function refuse(pattern: string, reason: string): never {
  throw new TrivetError("USAGE", `Cannot use pattern ${quoteName(pattern)}: ${reason}`);
}

/** Asks for one more than is taken, so that nothing is cut without notice. */
function expandBraces(pattern: string): string[] {
  if (pattern === "") return [pattern];
  // The package halves them, since to it a backslash is plain behind another.
  return expand(pattern.replaceAll("\\\\", "\\\\\\\\"), {
    max: GLOB_MAX_ALTERNATIVES + 1,
    maxLength: GLOB_MAX_EXPANDED_CHARS + 2 * GLOB_MAX_CHARS,
    maxDepth: BRACES_MAX_DEPTH,
    maxSteps: BRACES_MAX_STEPS,
  });
}

function componentsOf(pattern: string): string[] {
  return pattern.split("/").filter((component) => component !== "");
}

function segmentsOf(pattern: string, dot: boolean): Segments {
  const segments: (GlobSegment | typeof GLOBSTAR)[] = [];
  for (const component of componentsOf(pattern)) {
    if (component !== "**") segments.push(parseSegment(component, { dot }));
    else if (segments.at(-1) !== GLOBSTAR) segments.push(GLOBSTAR);
  }
  if (segments.at(-1) === GLOBSTAR) segments.push(parseSegment("*", { dot }));
  return segments;
}

/** No path has more levels, so that nobody need try. */
function canMatch(segments: Segments): boolean {
  return segments.filter((segment) => segment !== GLOBSTAR).length <= PATH_MAX_LEVELS;
}

/** Where in the pattern one may be after these names; its length is its end. */
function placesAfter(
  segments: Segments,
  { names, dot }: { readonly names: readonly string[]; readonly dot: boolean },
): Set<number> {
  let places = new Set<number>();
  // Behind a globstar one is at once: it may match no folder.
  const enter = (into: Set<number>, place: number) => {
    into.add(place);
    if (segments[place] === GLOBSTAR) into.add(place + 1);
  };
  enter(places, 0);
  for (const name of names) {
    const next = new Set<number>();
    for (const place of places) {
      const segment = segments[place];
      if (segment === undefined) continue;
      if (segment === GLOBSTAR) {
        if (dot || !name.startsWith(".")) enter(next, place);
      } else if (segment.matches(name)) {
        enter(next, place + 1);
      }
    }
    places = next;
  }
  return places;
}
