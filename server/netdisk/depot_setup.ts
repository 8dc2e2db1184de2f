/**
 * The folders of a depot: made at the first start, checked at every one.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { TrivetError } from "../../lib/errors.ts";
import { quoteName } from "../../lib/netdisk/path.ts";

/** Only the server's own account enters its folders. */
const PRIVATE_FOLDER_MODE = 0o700;

/** What the set-up found. */
export interface DepotFolders {
  /** Folder of the homes. */
  readonly homes: string;
  /** Folder of the parts. */
  readonly parts: string;
  /** Folder of the trash. */
  readonly trash: string;
  /** Whether the file system takes names that differ by case as the same. */
  readonly foldsCase: boolean;
  /** Whether files are made with fewer permissions than were asked for. */
  readonly masksMode: boolean;
}

/**
 * Makes and checks the folders.
 *
 * @param data The server's data folder.
 * @throws {TrivetError} `FAILED` if homes, parts and trash are on different file systems.
 */
export function setUpFolders(data: string): DepotFolders {
  Deno.mkdirSync(data, { recursive: true, mode: PRIVATE_FOLDER_MODE });
  // The data folder itself may be a link; the administrator made it.
  const root = Deno.realPathSync(data);
  const homes = makePrivateFolder(join(root, "homes"));
  const parts = makePrivateFolder(join(root, "parts"));
  const trash = makePrivateFolder(join(root, "trash"));
  const { dev } = Deno.statSync(homes);
  if (Deno.statSync(parts).dev !== dev || Deno.statSync(trash).dev !== dev) {
    throw new TrivetError(
      "FAILED",
      `Cannot use data folder ${
        quoteName(data)
      }: "homes", "parts" and "trash" are on different file systems`,
    );
  }
  return { homes, parts, trash, ...probe(parts) };
}

/** Makes a folder of mode 0700, or gives that mode to the one that is there. */
export function makePrivateFolder(path: string): string {
  Deno.mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER_MODE });
  if (Deno.build.os !== "windows") Deno.chmodSync(path, PRIVATE_FOLDER_MODE);
  return path;
}

/** Tries the file system out with a file whose name no part has. */
function probe(folder: string): { foldsCase: boolean; masksMode: boolean } {
  // A name of its own: a command beside the server may try it out at the same moment.
  const name = `.probe-${Deno.pid}`;
  const path = join(folder, name);
  if (existsSync(path)) Deno.removeSync(path);
  Deno.openSync(path, { createNew: true, write: true, mode: 0o755 }).close();
  try {
    const masksMode = ((Deno.lstatSync(path).mode ?? 0o755) & 0o777) !== 0o755;
    return { foldsCase: existsSync(join(folder, name.toUpperCase())), masksMode };
  } finally {
    Deno.removeSync(path);
  }
}
