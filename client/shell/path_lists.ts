/**
 * What stands in a folder, on the server or on this machine, for completion.
 *
 * @module
 */

import type { ListedName, PathLists } from "../../lib/term/complete.ts";
import type { ShellSession } from "./session.ts";

/** Most names of a folder that are looked at. */
const NAMES_MAX = 5000;

/** How long somebody who pressed Tab waits for the server. */
const LIST_TIMEOUT_MS = 3000;

/** Lists folders for a shell. */
export function pathLists(session: ShellSession): PathLists {
  return {
    remote: async (folder) => {
      const { client } = session;
      if (client === undefined) return [];
      const names: ListedName[] = [];
      const signal = AbortSignal.timeout(LIST_TIMEOUT_MS);
      for await (const { name, type } of client.list(session.resolvePath(folder), signal)) {
        names.push({ name, isFolder: type === "folder" });
        if (names.length === NAMES_MAX) break;
      }
      return names;
    },
    local: async (folder) => {
      const names: ListedName[] = [];
      for await (const { name, isDirectory } of Deno.readDir(folder === "" ? "." : folder)) {
        names.push({ name, isFolder: isDirectory });
        if (names.length === NAMES_MAX) break;
      }
      return names;
    },
  };
}
