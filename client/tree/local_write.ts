/**
 * Writes a small file to this machine: whole under another name first, then a rename.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { publishPart } from "../local_target.ts";
import type { DurabilityMode, OverwriteMode } from "../netdisk_types.ts";
import { type FileAttributes, partPath } from "../part_file.ts";

const EXECUTABLE_BITS = 0o111;

/** Without and with the executable bits; the system takes away what its umask says. */
const FILE_MODE = 0o666;
const EXECUTABLE_MODE = 0o777;

/** How a small file is written. */
export interface SmallWrite {
  /** Its content. */
  readonly bytes: Uint8Array;
  /** Time and mode. */
  readonly attributes: FileAttributes;
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
  const { bytes, attributes, overwrite, durability } = write;
  const part = partPath(path);
  const mode = (attributes.mode & EXECUTABLE_BITS) === 0 ? FILE_MODE : EXECUTABLE_MODE;
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(part, { createNew: true, write: true, mode });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    throw new TrivetError("LOCAL_IN_USE", `"${part}" exists already`, { cause: error });
  }
  try {
    try {
      for (let done = 0; done < bytes.length;) {
        done += file.writeSync(done === 0 ? bytes : bytes.subarray(done));
      }
      const time = new Date(attributes.mtimeMs);
      file.utimeSync(time, time);
      if (durability === "commit") await file.sync();
    } finally {
      file.close();
    }
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

function removeQuietly(part: string): void {
  try {
    Deno.removeSync(part);
  } catch {
    // It has taken its name, or is not there any more.
  }
}
