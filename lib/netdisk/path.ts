/**
 * The one place where paths of the netdisk are checked and normalised. A path travels as an array of
 * components from the home's root ([] is the root itself); nothing else may decide what a name means.
 *
 * @module
 */

import { type ErrorCode, TrivetError } from "../errors.ts";

/** Longest component, in bytes of UTF-8. */
export const NAME_MAX_BYTES = 255;

/** Longest path, in bytes of UTF-8, the separators between its components included. */
export const PATH_MAX_BYTES = 4096;

/** Most components of a path. */
export const PATH_MAX_LEVELS = 64;

/** Longest excerpt of a refused name in a message, in characters. */
const QUOTE_MAX_CHARS = 80;

/** Which names a home takes: every one its own system can store, or only those that all can. */
export const NAME_RULES = ["native", "portable"] as const;

/** One of {@linkcode NAME_RULES}. */
export type NameRules = typeof NAME_RULES[number];

/** Options of {@linkcode checkPath}. */
export interface PathOptions {
  /** Which names are taken. */
  readonly names: NameRules;
}

// Each pattern is one rule; they are plain character classes, so none can backtrack.
// deno-lint-ignore no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0001-\u001f\u007f-\u009f]/u;
const SEPARATOR = /[/\\]/;
// https://learn.microsoft.com/windows/win32/fileio/naming-a-file lists the device names and characters.
const DEVICE =
  /^(?:con(?:in\$|out\$)?|prn|aux|nul|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3]) *(?:\.|$)/iu;
const PORTABLE_REFUSED = /[<>:"|?*]/;

const encoder = new TextEncoder();

/**
 * Checks a path's components and normalises them to NFC.
 *
 * @param components The components from the home's root; [] is the root.
 * @param options Which names are taken.
 * @returns The components in NFC. Checking them again gives the same.
 * @throws {TrivetError} With the code of the rule that refused the path.
 */
export function checkPath(components: readonly string[], options: PathOptions): string[] {
  if (components.length > PATH_MAX_LEVELS) {
    throw new TrivetError(
      "PATH_TOO_DEEP",
      `Cannot use path: it has ${components.length} levels, the limit is ${PATH_MAX_LEVELS}`,
      { details: { levels: components.length, limit: PATH_MAX_LEVELS } },
    );
  }
  const checked: string[] = [];
  let pathBytes = Math.max(0, components.length - 1);
  for (const component of components) {
    const { name, bytes } = checkName(component, options.names);
    pathBytes += bytes;
    checked.push(name);
  }
  if (pathBytes > PATH_MAX_BYTES) {
    throw new TrivetError(
      "PATH_TOO_LONG",
      `Cannot use path ${quoteName(checked.join("/"))}: it has ${pathBytes} bytes in UTF-8, ` +
        `the limit is ${PATH_MAX_BYTES}`,
      { details: { bytes: pathBytes, limit: PATH_MAX_BYTES } },
    );
  }
  return checked;
}

/**
 * Reads a path as people type it: `/a/b`, `a/b` and `a//b/` are the same; `/` and the empty text are
 * the root.
 *
 * @param text The path.
 * @param options Which names are taken; the server has the last word, so `native` by default.
 * @returns The components in NFC.
 * @throws {TrivetError} As {@linkcode checkPath}.
 */
export function parsePath(text: string, options: PathOptions = { names: "native" }): string[] {
  return checkPath(text.split("/").filter((component) => component !== ""), options);
}

/**
 * Writes a path for people; {@linkcode parsePath} reads it back.
 *
 * @param components The components; [] is written `/`.
 */
export function formatPath(components: readonly string[]): string {
  return `/${components.join("/")}`;
}

/**
 * The key by which names of one folder are compared: equal keys cannot stand side by side.
 *
 * @param name A name, normalised or not.
 * @param names `portable` also folds case, since Windows and macOS do.
 */
export function nameKey(name: string, names: NameRules): string {
  const normal = name.normalize("NFC");
  if (names === "native") return normal;
  // Up, then down: a plain toLowerCase() would keep "ß" and "ss", or "ſ" and "s", apart.
  return normal.toUpperCase().toLowerCase().normalize("NFC");
}

/**
 * The key by which whole paths are compared.
 *
 * @param components Checked components.
 * @param names The rules of the home.
 */
export function pathKey(components: readonly string[], names: NameRules): string {
  return components.map((component) => nameKey(component, names)).join("/");
}

/**
 * A name for a message: in double quotes, with everything escaped that could steer a terminal or
 * mislead a reader, and cut when long.
 *
 * @param name Any text.
 */
export function quoteName(name: string): string {
  const cut = name.length > QUOTE_MAX_CHARS;
  const shown = cut ? name.slice(0, QUOTE_MAX_CHARS) : name;
  const escaped = shown.replace(/["\\]|\p{C}|\p{Zl}|\p{Zp}/gu, escapeChar);
  return `"${escaped}${cut ? "…" : ""}"`;
}

/**
 * Compares names bytewise in UTF-8, the order of listings.
 *
 * @returns Negative, 0 or positive, for `sort`.
 */
export function compareNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return codePointRank(x) - codePointRank(y);
  }
  return a.length - b.length;
}

/** UTF-8 sorts surrogate pairs behind U+FFFF, UTF-16 before U+E000. */
function codePointRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

function escapeChar(char: string): string {
  if (char === '"' || char === "\\") return `\\${char}`;
  return `\\u{${char.codePointAt(0)?.toString(16)}}`;
}

function checkName(component: string, names: NameRules): { name: string; bytes: number } {
  if (!component.isWellFormed()) {
    refuse("PATH_ENCODING", component, "it has a lone surrogate, which is not valid Unicode");
  }
  const name = component.normalize("NFC");
  if (name === "") refuse("PATH_EMPTY", name, "a component is empty");
  if (name === "." || name === "..") refuse("PATH_DOT", name, "paths only go down from the home");
  if (name.includes("\0")) refuse("PATH_NUL", name, "it contains NUL");
  if (CONTROL.test(name)) refuse("PATH_CONTROL", name, "it contains a control character");
  if (SEPARATOR.test(name)) refuse("PATH_SEPARATOR", name, 'it contains "/" or "\\"');
  const bytes = encoder.encode(name).length;
  if (bytes > NAME_MAX_BYTES) {
    refuse(
      "NAME_TOO_LONG",
      name,
      `it has ${bytes} bytes in UTF-8, the limit is ${NAME_MAX_BYTES}`,
      {
        bytes,
        limit: NAME_MAX_BYTES,
      },
    );
  }
  if (names === "portable") checkPortable(name);
  return { name, bytes };
}

function checkPortable(name: string): void {
  if (PORTABLE_REFUSED.test(name)) {
    refuse("NAME_NOT_PORTABLE", name, 'it contains one of <>:"|?*');
  }
  if (name.endsWith(".") || name.endsWith(" ")) {
    refuse("NAME_NOT_PORTABLE", name, "it ends with a dot or a space");
  }
  if (DEVICE.test(name)) refuse("NAME_NOT_PORTABLE", name, "Windows reserves it for a device");
}

function refuse(
  code: ErrorCode,
  name: string,
  reason: string,
  details: Record<string, number> = {},
): never {
  throw new TrivetError(code, `Cannot use name ${quoteName(name)}: ${reason}`, { details });
}
