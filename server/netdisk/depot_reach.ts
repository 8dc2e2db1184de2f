/**
 * How long paths on the server's disk may be. A rename or a new folder that is built elsewhere would
 * put files where no call of the system reaches them by their path any more.
 *
 * @module
 */

import { join } from "node:path";
import { type ErrorCode, TrivetError } from "../../lib/errors.ts";
import { formatPath, PATH_MAX_BYTES, PATH_MAX_LEVELS, quoteName } from "../../lib/netdisk/path.ts";
import { nextTurn } from "../../lib/turn.ts";

/** PATH_MAX of Linux and macOS without the NUL at its end, and what Windows takes. */
const DISK_PATH_MAX_BYTES: Readonly<Record<string, number>> = {
  linux: 4095,
  darwin: 1023,
  windows: 32_766,
};

/** Entries that are looked at before others have their turn. */
const ENTRIES_PER_TURN = 1000;

const encoder = new TextEncoder();

/** Bytes of a path in UTF-8. */
export function byteLength(path: string): number {
  return encoder.encode(path).length;
}

/** Whether the system takes a path of so many bytes. */
export function isReachable(diskPathBytes: number): boolean {
  return diskPathBytes <= (DISK_PATH_MAX_BYTES[Deno.build.os] ?? PATH_MAX_BYTES - 1);
}

/** A folder and where it is to go. */
export interface MovedFolder {
  /** Its path on the disk. */
  readonly diskPath: string;
  /** The path that it has. */
  readonly from: readonly string[];
  /** The path that it is to have. */
  readonly to: readonly string[];
  /** The new path on the disk. */
  readonly target: string;
}

/**
 * Checks that everything in a folder keeps a path that the netdisk and the system take.
 *
 * @throws {TrivetError} `PATH_TOO_DEEP` or `PATH_TOO_LONG`.
 */
export async function checkReach({ diskPath, from, to, target }: MovedFolder): Promise<void> {
  const [before, after] = [formatPath(from), formatPath(to)].map(byteLength);
  if (before === undefined || after === undefined) return;
  // Nothing in it becomes longer.
  if (to.length <= from.length && after <= before) return;
  const diskBytes = byteLength(target);
  // One less: paths are measured without the slash in front.
  const waiting = [{ place: diskPath, levels: to.length, bytes: after - 1 }];
  let seen = 0;
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    const { place } = folder;
    for (const { name, isDirectory } of Deno.readDirSync(place)) {
      const levels = folder.levels + 1;
      const bytes = folder.bytes + 1 + byteLength(name);
      if (levels > PATH_MAX_LEVELS) {
        throw tooFar("PATH_TOO_DEEP", to, `levels, the limit is ${PATH_MAX_LEVELS}`, levels);
      }
      if (bytes > PATH_MAX_BYTES || !isReachable(diskBytes + bytes - (after - 1))) {
        throw tooFar("PATH_TOO_LONG", to, "bytes in UTF-8, which is too long", bytes);
      }
      if (isDirectory) waiting.push({ place: join(place, name), levels, bytes });
      if (++seen % ENTRIES_PER_TURN === 0) await nextTurn();
    }
  }
}

function tooFar(
  code: Extract<ErrorCode, "PATH_TOO_DEEP" | "PATH_TOO_LONG">,
  to: readonly string[],
  limit: string,
  value: number,
): TrivetError {
  const shown = quoteName(formatPath(to));
  const text = `Cannot move to ${shown}: a path in it would have ${value} ${limit}`;
  return new TrivetError(code, text);
}
