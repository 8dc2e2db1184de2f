/**
 * Walks a local folder for an upload: parents before what is in them, names in order.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { checkPath, compareNames } from "../../lib/netdisk/path.ts";
import { localError, quoteLocal } from "../local_error.ts";
import { inFolder } from "../local_path.ts";
import { type LeftOut, leftOutBy } from "./left_out.ts";
import type { LinkMode } from "./link_modes.ts";

/** A local file or folder. */
export interface LocalEntry {
  /** Its local path. */
  readonly local: string;
  /** Components below the folder that is walked; [] is that folder. */
  readonly path: readonly string[];
  /** What it is. */
  readonly type: "file" | "folder";
  /** Bytes; 0 for a folder. */
  readonly size: number;
  /** When its content last changed, in milliseconds since 1970. */
  readonly mtimeMs: number | undefined;
  /** Its permission bits, where the system has such. */
  readonly mode: number | undefined;
}

/** Options of {@linkcode walkLocal}. */
export interface LocalWalkOptions {
  /** What happens to symbolic links (default: `skip`). */
  readonly links?: LinkMode | undefined;
  /** Whether an entry stays out, with all in it. */
  readonly isExcluded?: ((path: readonly string[]) => boolean) | undefined;
  /** Told what is left out. */
  readonly onLeftOut?: ((left: LeftOut) => void) | undefined;
}

/** Links to folders end here where the system does not number its files. */
const LEVELS_MAX = 64;

/**
 * Walks a folder. Folders and their entries are read with synchronous calls, which cost far less each.
 *
 * @param root The folder, or a file, which is walked alone.
 * @param options What stays out.
 * @throws {TrivetError} `LOCAL_NOT_FOUND` or `LOCAL_DENIED` for the root; what fails below is left out.
 */
export function* walkLocal(root: string, options: LocalWalkOptions = {}): Generator<LocalEntry> {
  const info = look(root, true);
  // What was named is followed, as every program does.
  const type = info.isDirectory ? "folder" : "file";
  if (type === "file" && !info.isFile) {
    const shown = quoteLocal(root);
    throw new TrivetError("NOT_REGULAR", `Cannot send ${shown}: it is no regular file`);
  }
  yield toEntry(root, [], info);
  const folder = { local: root, path: [], around: [keyOf(info)] };
  if (type === "folder") yield* walkFolder(folder, options);
}

/** A folder on the way down. */
interface WalkedFolder {
  readonly local: string;
  readonly path: readonly string[];
  /** Itself and the folders that it is in, as the system numbers them. */
  readonly around: readonly string[];
}

function* walkFolder(
  { local, path, around }: WalkedFolder,
  options: LocalWalkOptions,
): Generator<LocalEntry> {
  const names = attempt(local, options, () => [...Deno.readDirSync(local)].map(({ name }) => name));
  for (const name of (names ?? []).sort(compareNames)) {
    const here = inFolder(local, name);
    const below = [...path, name];
    if (options.isExcluded?.(below) === true) continue;
    const found = attempt(here, options, () => lookAt(here, below, { ...options, around }));
    if (found === undefined) continue;
    const { entry, key } = found;
    yield entry;
    if (entry.type !== "folder") continue;
    yield* walkFolder({ local: here, path: entry.path, around: [...around, key] }, options);
  }
}

/** What is to be sent of an entry; nothing for what is left out. */
function lookAt(
  local: string,
  path: readonly string[],
  { links = "skip", onLeftOut, around }: LocalWalkOptions & Pick<WalkedFolder, "around">,
): { readonly entry: LocalEntry; readonly key: string } | undefined {
  const checked = checkPath(path, { names: "native" });
  let info = look(local, false);
  if (info.isSymlink && links === "follow") {
    if (path.length >= LEVELS_MAX) {
      throw new TrivetError("PATH_TOO_DEEP", `Cannot follow ${quoteLocal(local)}: too many levels`);
    }
    info = look(local, true);
    if (info.isDirectory && info.ino !== null && around.includes(keyOf(info))) {
      const message = `Left out ${quoteLocal(local)}: it leads to a folder that it is in`;
      onLeftOut?.({ path: local, reason: "link", message });
      return undefined;
    }
  }
  if (info.isFile || info.isDirectory) {
    return { entry: toEntry(local, checked, info), key: keyOf(info) };
  }
  const [reason, what] = info.isSymlink
    ? ["link", "a symbolic link"] as const
    : ["special", "neither a file nor a folder"] as const;
  onLeftOut?.({ path: local, reason, message: `Left out ${quoteLocal(local)}: it is ${what}` });
  return undefined;
}

function look(local: string, follow: boolean): Deno.FileInfo {
  try {
    return follow ? Deno.statSync(local) : Deno.lstatSync(local);
  } catch (error) {
    throw localError(error, "read", local);
  }
}

function keyOf({ dev, ino }: Deno.FileInfo): string {
  return `${dev} ${ino}`;
}

function toEntry(local: string, path: readonly string[], info: Deno.FileInfo): LocalEntry {
  return {
    local,
    path,
    type: info.isDirectory ? "folder" : "file",
    size: info.isDirectory ? 0 : info.size,
    mtimeMs: info.mtime?.getTime(),
    mode: info.mode === null ? undefined : info.mode & 0o777,
  };
}

function attempt<T>(local: string, { onLeftOut }: LocalWalkOptions, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    onLeftOut?.(leftOutBy(localError(error, "read", local), local));
    return undefined;
  }
}
