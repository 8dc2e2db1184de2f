/**
 * What `--exclude` means, for trees on both sides.
 *
 * @module
 */

import { globMatcher } from "../../lib/netdisk/glob.ts";

/**
 * Reads patterns.
 *
 * @param patterns Globs: one with a `/` is matched from where the tree begins, one without it by every
 * file's and folder's own name. A folder that is excluded takes all in it along.
 * @returns Whether a path below the tree's root is excluded; nothing when there is no pattern.
 * @throws {TrivetError} `USAGE` for a pattern that is too long.
 */
export function readExcludes(
  patterns: readonly string[],
): ((path: readonly string[]) => boolean) | undefined {
  if (patterns.length === 0) return undefined;
  const matchers = patterns.map((pattern) => {
    const matches = globMatcher(pattern, { dot: true });
    const isAnywhere = !pattern.replace(/\/+$/, "").includes("/");
    return isAnywhere ? (path: readonly string[]) => matches(path.slice(-1)) : matches;
  });
  return (path) => matchers.some((matches) => matches(path));
}
