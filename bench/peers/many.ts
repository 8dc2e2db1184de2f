/**
 * The work of 200 files of 10 MiB: makes them, and compares what arrived.
 *
 * @module
 */

import { run } from "./processes.ts";

/** How many files; the patterns of curl's contenders know it, too. */
export const MANY_FILES = 200;

/** Bytes of each, unless the bench runs with less. */
export const MANY_FILE_BYTES: number = 10 * 1024 * 1024;

/**
 * Cuts a file into many in a folder.
 *
 * @param source Bytes to take; as many of them as the files need.
 * @param folder Made anew.
 * @param fileBytes Bytes of each.
 */
export async function makeMany(source: string, folder: string, fileBytes: number): Promise<void> {
  await Deno.mkdir(folder);
  using from = await Deno.open(source);
  const content = new Uint8Array(fileBytes);
  for (let number = 0; number < MANY_FILES; number++) {
    let length = 0;
    for (let count = -1; count !== 0 && length < fileBytes; length += count) {
      count = from.readSync(content.subarray(length)) ?? 0;
    }
    const path = `${folder}/f${`${number}`.padStart(3, "0")}`;
    await Deno.writeFile(path, content.subarray(0, length));
  }
}

/** Compares two folders byte by byte. */
export async function compareMany(folder: string, other: string): Promise<void> {
  await run({ argv: ["diff", "-r", "-q", folder, other] });
}
