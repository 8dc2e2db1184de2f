/**
 * Where a download lands on this machine: the folder or name that was given, the rules of this system
 * for names, what happens when the name is taken, and the last step that publishes the file.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";
import { checkPath } from "../lib/netdisk/path.ts";
import { localError, quoteLocal } from "./local_error.ts";
import { baseName, endsWithSeparator, folderOf, inFolder } from "./local_path.ts";
import type { DurabilityMode, OverwriteMode } from "./netdisk_types.ts";

/** Most names that `rename` tries: `name (2)` to `name (1000)`. */
const RENAME_TRIES_MAX = 1000;

/**
 * Finds the path of a download.
 *
 * @param local What was given: a folder that exists, or that ends with a separator, takes the file under
 * the remote's name; anything else is the file's path; without it, the working folder takes it.
 * @param remoteName The remote's name.
 * @returns The path of the file.
 * @throws {TrivetError} `NAME_NOT_PORTABLE` and its like if this system cannot store the name.
 */
export async function resolveTarget(
  local: string | undefined,
  remoteName: string,
): Promise<string> {
  if (local === undefined) return checkedName(remoteName);
  if (endsWithSeparator(local)) {
    return inFolder(local, checkedName(remoteName));
  }
  const info = await Deno.stat(local).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw localError(error, "write", local);
  });
  if (info?.isDirectory === true) return inFolder(local, checkedName(remoteName));
  return local;
}

/** A name from a server becomes a local one only by the rules of this system. */
function checkedName(name: string): string {
  checkPath([name], { names: Deno.build.os === "windows" ? "portable" : "native" });
  return name;
}

/**
 * Looks at what has the name now.
 *
 * @returns Whether the download is to be skipped.
 * @throws {TrivetError} `EXISTS`, `IS_FOLDER`, `NOT_REGULAR` or `LOCAL_NOT_FOUND`.
 */
export async function checkTarget(path: string, overwrite: OverwriteMode): Promise<boolean> {
  const info = await lstatOf(path);
  if (info === undefined) {
    await checkFolder(path);
    return false;
  }
  if (info.isDirectory) {
    throw new TrivetError("IS_FOLDER", `Cannot write ${quoteLocal(path)}: it is a folder`);
  }
  if (overwrite === "skip") return true;
  if (overwrite === "fail") throw exists(path);
  // A symbolic link is replaced, not followed.
  if (!info.isFile && !info.isSymlink) {
    throw new TrivetError(
      "NOT_REGULAR",
      `Cannot write ${quoteLocal(path)}: it is no regular file; use "-" for stdout instead`,
    );
  }
  return false;
}

/** Options of {@linkcode publishPart}. */
export interface PublishPartOptions {
  /** What happens when the name is taken. */
  readonly overwrite: OverwriteMode;
  /** Whether the disk must know of the name before it counts. */
  readonly durability: DurabilityMode;
}

/** How {@linkcode publishPart} ended. */
export interface PublishedPart {
  /** Where the file stands. */
  readonly path: string;
  /** Whether the name was taken meanwhile and `skip` left it as it was. */
  readonly skipped: boolean;
}

/**
 * Gives a finished part its name in one step, and with `commit` makes sure that the disk knows.
 *
 * @param part Path of the part, in the folder of the target.
 * @param path Path of the file.
 * @param options What happens when the name is taken, and whether to wait for the disk.
 * @throws {TrivetError} `EXISTS`, or what the file system refuses.
 */
export async function publishPart(
  part: string,
  path: string,
  { overwrite, durability }: PublishPartOptions,
): Promise<PublishedPart> {
  try {
    const published = overwrite === "replace"
      ? await replace(part, path)
      : await publishNew(part, path, overwrite);
    if (durability === "commit") await syncFolder(folderOf(path));
    return published;
  } catch (error) {
    throw localError(error, "write", path);
  }
}

async function replace(part: string, path: string): Promise<PublishedPart> {
  await Deno.rename(part, path);
  return { path, skipped: false };
}

async function publishNew(
  part: string,
  path: string,
  overwrite: Exclude<OverwriteMode, "replace">,
): Promise<PublishedPart> {
  for (let number = 1; number <= RENAME_TRIES_MAX; number++) {
    const name = number === 1 ? path : numbered(path, number);
    if (await moveWhereFree(part, name)) return { path: name, skipped: false };
    if (overwrite === "skip") {
      await Deno.remove(part);
      return { path, skipped: true };
    }
    if (overwrite === "fail") break;
  }
  throw exists(path);
}

/** A hard link, unlike a rename, never replaces what is there. */
async function moveWhereFree(part: string, path: string): Promise<boolean> {
  try {
    await Deno.link(part, path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    if (await lstatOf(path) !== undefined) return false;
    // A file system without hard links, such as FAT: a look before the rename is all there is.
    await Deno.rename(part, path);
    return true;
  }
  await Deno.remove(part);
  return true;
}

/** `name (2).ext`, as the server does it. */
function numbered(path: string, number: number): string {
  const name = baseName(path);
  const dot = name.lastIndexOf(".");
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
  return inFolder(folderOf(path), `${stem} (${number})${extension}`);
}

/** Without this a crash of the system could lose the name of a file that was told to be there. */
export async function syncFolder(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  using folder = await Deno.open(path);
  await folder.sync();
}

async function checkFolder(path: string): Promise<void> {
  const folder = folderOf(path);
  const info = await Deno.stat(folder).catch((error) => {
    throw localError(error, `write ${quoteLocal(path)} into`, folder);
  });
  if (!info.isDirectory) {
    const text = `Cannot write ${quoteLocal(path)}: ${quoteLocal(folder)} is no folder`;
    throw new TrivetError("LOCAL_NOT_FOUND", text);
  }
}

/** What has a name, a symbolic link as such; `undefined` where nothing has it. */
async function lstatOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw localError(error, "write", path);
  }
}

function exists(path: string): TrivetError {
  return new TrivetError("EXISTS", `Cannot write ${quoteLocal(path)}: it exists`);
}
