/**
 * From what somebody typed to paths of the server: a plain path, or a pattern whose matches the
 * server's listings give.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";
import { hasGlob, parseGlob, unescapeGlob } from "../lib/netdisk/glob.ts";
import { formatPath, parsePath, quoteName } from "../lib/netdisk/path.ts";
import type { NetdiskEntry } from "./netdisk_types.ts";
import { type PageReader, walkRemote } from "./remote_walk.ts";

/** Most paths that the patterns of one command may match. */
export const MATCHES_MAX = 100_000;

/** A component of a pattern that is the same name in every reading. */
const PLAIN = /^[^*?[\]{},\\]+$/;

/** What expanding needs of the server; `NetdiskClient` is such. */
export interface EntryReader extends PageReader {
  /** One file or folder. */
  stat(path: string, signal?: AbortSignal): Promise<NetdiskEntry>;
}

/** A path that was meant. */
export interface RemotePath {
  /** As {@linkcode formatPath} writes it. */
  readonly path: string;
  /** What stands there, where it was looked up: for the matches of a pattern. */
  readonly entry?: NetdiskEntry;
}

/**
 * Checks what needs no server, so that a mistake is told before anything is connected.
 *
 * @param texts What was typed.
 * @throws {TrivetError} `USAGE` for a pattern, or a path's error.
 */
export function checkRemotePaths(texts: readonly string[]): void {
  for (const text of texts) {
    if (hasGlob(text)) parseGlob(text);
    else parsePath(unescapeGlob(text));
  }
}

/**
 * Reads paths and patterns. What is there under the very name that was typed is meant by it; a
 * backslash in front of a wildcard makes it plain.
 *
 * @param reader The server.
 * @param texts What was typed.
 * @param signal Gives up.
 * @returns The paths in the order in which they were typed, a pattern's matches by name, none twice.
 * @throws {TrivetError} `NOT_FOUND` for a pattern that matches nothing.
 */
export async function expandRemote(
  reader: EntryReader,
  texts: readonly string[],
  signal?: AbortSignal,
): Promise<RemotePath[]> {
  const found = new Map<string, RemotePath>();
  const add = (path: RemotePath) => {
    if (!found.has(path.path)) found.set(path.path, path);
    if (found.size <= MATCHES_MAX) return;
    throw new TrivetError("USAGE", `The patterns match more than ${MATCHES_MAX} paths`);
  };
  for (const text of texts) {
    const literal = await findLiteral(reader, text, signal);
    if (literal !== undefined) {
      add(literal);
      continue;
    }
    let isMatched = false;
    for await (const match of matchesOf(reader, text, signal)) {
      isMatched = true;
      add(match);
    }
    if (!isMatched) throw new TrivetError("NOT_FOUND", `Nothing matches ${quoteName(text)}`);
  }
  return [...found.values()];
}

/** Leaves out what is inside of another path of the list and thus goes along with it. */
export function outermost(paths: readonly RemotePath[]): RemotePath[] {
  const all = new Set(paths.map(({ path }) => path));
  return paths.filter(({ path }) => {
    const components = parsePath(path);
    return !components.some((_, level) =>
      level > 0 && all.has(formatPath(components.slice(0, level)))
    );
  });
}

async function findLiteral(
  reader: EntryReader,
  text: string,
  signal: AbortSignal | undefined,
): Promise<RemotePath | undefined> {
  if (!hasGlob(text)) return { path: formatPath(parsePath(unescapeGlob(text))) };
  try {
    const path = formatPath(parsePath(text));
    return { path, entry: await reader.stat(path, signal) };
  } catch (error) {
    // No name at all, or none that the server knows: then it can only be a pattern.
    if (error instanceof TrivetError && !error.retry) return undefined;
    throw error;
  }
}

async function* matchesOf(
  reader: EntryReader,
  text: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<RemotePath, void> {
  const glob = parseGlob(text);
  const components = text.split("/").filter((component) => component !== "");
  const wild = components.findIndex((component) => !PLAIN.test(component));
  const base = parsePath(components.slice(0, wild).join("/"));
  const walk = walkRemote(reader, base, {
    enters: ({ path }) => glob.reaches(path),
    signal,
  });
  try {
    for await (const { path, entry } of walk) {
      if (text.endsWith("/") && entry.type !== "folder") continue;
      if (glob.matches(path)) yield { path: formatPath(path), entry };
    }
  } catch (error) {
    // The folder in front of the pattern is not there, and so nothing matches.
    const isGone = error instanceof TrivetError &&
      (error.code === "NOT_FOUND" || error.code === "NOT_FOLDER");
    if (!isGone) throw error;
  }
}
