/**
 * Writes small files to this machine: each whole under another name first, then a rename; or all of a
 * folder that is empty in another folder first, then one rename.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { inFolder } from "../local_path.ts";
import { publishPart } from "../local_target.ts";
import type { DurabilityMode, OverwriteMode } from "../netdisk_types.ts";
import { type FileAttributes, partPath } from "../part_file.ts";

const EXECUTABLE_BITS = 0o111;

/** Without and with the executable bits; the system takes away what its umask says. */
const FILE_MODE = 0o666;
const EXECUTABLE_MODE = 0o777;

/** What a small file becomes. */
export interface SmallContent {
  /** Its content. */
  readonly bytes: Uint8Array;
  /** Time and mode. */
  readonly attributes: FileAttributes;
}

/** How a small file is written. */
export interface SmallWrite extends SmallContent {
  /** What happens when the name is taken. */
  readonly overwrite: OverwriteMode;
  /** Whether the disk must hold it. */
  readonly durability: DurabilityMode;
}

/**
 * Writes a file.
 *
 * @param path Where it goes, in a folder that exists.
 * @param write Content and attributes.
 * @returns Whether it was written; not with `skip` where the name is taken.
 * @throws {TrivetError} `EXISTS`, `LOCAL_IN_USE` where a part of another download has the part's name,
 * or what the file system refuses.
 */
export async function writeSmallFile(path: string, write: SmallWrite): Promise<boolean> {
  const { overwrite, durability } = write;
  const part = partPath(path);
  let file: Deno.FsFile;
  try {
    file = create(part, write);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    throw new TrivetError("LOCAL_IN_USE", `"${part}" exists already`, { cause: error });
  }
  try {
    await fill(file, write, durability);
    if (overwrite === "replace") {
      Deno.renameSync(part, path);
      return true;
    }
    // The folder is synced once for all files in it.
    return !(await publishPart(part, path, { overwrite, durability: "os" })).skipped;
  } catch (error) {
    removeQuietly(part);
    throw error;
  }
}

/**
 * Writes all files of a folder that is there and empty. They appear together.
 *
 * @param folder The folder; another takes its place.
 * @param files What becomes of each name.
 * @param durability Whether the disk must hold the files; the folders are synced by the caller.
 * @returns Whether it was done. If not, the folder is as it was: something is in it, or the system
 * replaces no folders, or a file cannot be written, which those who write each alone will see.
 */
export async function writeEmptyFolder(
  folder: string,
  files: ReadonlyMap<string, SmallContent>,
  durability: DurabilityMode,
): Promise<boolean> {
  const part = partPath(folder);
  try {
    makeAnew(part);
  } catch {
    return false;
  }
  try {
    const writing: Promise<void>[] = [];
    try {
      for (const [name, content] of files) {
        writing.push(fill(create(inFolder(part, name), content), content, durability));
      }
    } finally {
      // Also those before one that could not be made.
      await Promise.allSettled(writing);
    }
    await Promise.all(writing);
    // An empty folder is replaced as a file is; one with something in it is refused by the system.
    Deno.renameSync(part, folder);
    return true;
  } catch {
    removeQuietly(part, { recursive: true });
    return false;
  }
}

/** Makes a folder for parts; what an interrupted program left in it is worth nothing. */
function makeAnew(part: string): void {
  try {
    Deno.mkdirSync(part);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    if (!Deno.lstatSync(part).isDirectory) throw error;
    Deno.removeSync(part, { recursive: true });
    Deno.mkdirSync(part);
  }
}

function create(path: string, { attributes }: SmallContent): Deno.FsFile {
  const mode = (attributes.mode & EXECUTABLE_BITS) === 0 ? FILE_MODE : EXECUTABLE_MODE;
  return Deno.openSync(path, { createNew: true, write: true, mode });
}

/** Writes content and time, and closes the file. */
async function fill(
  file: Deno.FsFile,
  { bytes, attributes }: SmallContent,
  durability: DurabilityMode,
): Promise<void> {
  using closing = file;
  for (let done = 0; done < bytes.length;) {
    done += closing.writeSync(done === 0 ? bytes : bytes.subarray(done));
  }
  const time = new Date(attributes.mtimeMs);
  closing.utimeSync(time, time);
  if (durability === "commit") await closing.sync();
}

function removeQuietly(part: string, options: Deno.RemoveOptions = {}): void {
  try {
    Deno.removeSync(part, options);
  } catch {
    // It has taken its name, or is not there any more.
  }
}
