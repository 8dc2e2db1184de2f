/**
 * Where several files and folders go: what `mv` and `cp` share.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { hasGlob, unescapeGlob } from "../../lib/netdisk/glob.ts";
import { formatPath, parsePath, quoteName } from "../../lib/netdisk/path.ts";
import { checkRemotePaths, type EntryReader, expandRemote, outermost } from "../remote_glob.ts";

/** What was typed, checked. */
export interface Targets {
  /** Paths and patterns. */
  readonly from: readonly string[];
  /** The path behind them; a slash at its end says that it is a folder. */
  readonly to: string;
  /** Whether one plain path was typed, whose answer is no list. */
  readonly isOne: boolean;
}

/**
 * Checks what needs no server.
 *
 * @param from Paths and patterns.
 * @param to Where they go.
 * @throws {TrivetError} `USAGE` for a pattern, or a path's error.
 */
export function checkTargets(from: readonly string[], to: string): Targets {
  checkRemotePaths(from);
  const plain = unescapeGlob(to);
  parsePath(plain);
  return { from, to: plain, isOne: from.length === 1 && !from.some(hasGlob) };
}

/**
 * Finds what goes where. Several need a folder that is there.
 *
 * @param reader The server.
 * @param targets What was typed.
 * @param signal Gives up.
 * @returns Each path with its target, which as one alone may be a folder or a new path.
 * @throws {TrivetError} `NOT_FOUND`, or `NOT_FOLDER` for the target of several.
 */
export async function findTargets(
  reader: EntryReader,
  { from, to }: Targets,
  signal?: AbortSignal,
): Promise<{ readonly path: string; readonly to: string }[]> {
  const sources = outermost(await expandRemote(reader, from, signal));
  if (sources.length === 1) return sources.map(({ path }) => ({ path, to }));
  const folder = formatPath(parsePath(to));
  const { type } = await reader.stat(folder, signal);
  if (type !== "folder") {
    const shown = quoteName(folder);
    throw new TrivetError("NOT_FOLDER", `Cannot put several into ${shown}: it is not a folder`);
  }
  return sources.map(({ path }) => ({ path, to: folder === "/" ? folder : `${folder}/` }));
}
