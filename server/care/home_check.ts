/**
 * Looks at a home: what its files take, and what in it no request can reach.
 *
 * @module
 */

import { join } from "node:path";
import { checkPath } from "../../lib/netdisk/path.ts";
import type { Finding, Suspect } from "./finding.ts";
import { kindOf, lookAt, type TreeItem, type TreeKind, walkTree } from "./tree.ts";

const KIND_DETAILS: Readonly<Record<TreeKind, string>> = {
  file: "Its name is not usable",
  folder: "Its name is not usable",
  link: "A symbolic link, which is never followed",
  socket: "A socket",
  pipe: "A pipe",
  device: "A device",
  unreadable: "A folder that cannot be read",
};

/** What a home takes. */
export interface HomeSize {
  bytes: number;
  files: number;
  /** Whether all of it could be read, so that the sum can be compared. */
  isWhole: boolean;
}

/**
 * Walks a home.
 *
 * @param homes Folder of the homes.
 * @param user Whose home.
 * @param size What its files take is added here.
 * @param signal Ends the walk.
 * @returns What no request can reach. Files with unusable names count all the same.
 */
export async function* lookAtHome(
  homes: string,
  user: string,
  size: HomeSize,
  signal?: AbortSignal,
): AsyncGenerator<TreeItem, void> {
  const home = join(homes, user);
  const info = lookAt(home);
  if (info !== null && !info.isDirectory) {
    size.isWhole = false;
    yield { path: [], kind: kindOf(info), size: 0 };
  }
  for await (const item of walkTree(home, signal)) {
    if (item.kind === "file") {
      size.files++;
      size.bytes += item.size;
    }
    if (item.kind === "unreadable") size.isWhole = false;
    const isOwn = item.kind === "file" || item.kind === "folder";
    if (!isOwn || !isUsable(item.path.at(-1) ?? "")) yield item;
  }
}

/** The suspect that such an entry is. */
export function suspectForeign(homes: string, user: string, item: TreeItem): Suspect {
  const { path, kind } = item;
  const finding: Finding = {
    kind: kind === "unreadable" ? "unreadable" : "foreign",
    user,
    where: ["homes", user, ...path].join("/"),
    detail: path.length === 0 && kind === "file" ? "A file, not a home" : KIND_DETAILS[kind],
  };
  const look = () => {
    const info = lookAt(join(homes, user, ...path));
    const isSame = info !== null && (kind === "unreadable" || kindOf(info) === kind);
    return Promise.resolve(isSame ? finding : null);
  };
  return { finding, look };
}

/** Whether a request could use a name. */
export function isUsable(name: string): boolean {
  try {
    checkPath([name], { names: "native" });
    return true;
  } catch {
    return false;
  }
}
