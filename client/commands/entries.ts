/**
 * How files and folders of the netdisk are shown, to people and to scripts.
 *
 * @module
 */

import { formatPath } from "../../lib/netdisk/path.ts";
import type { NetdiskEntry } from "../netdisk_types.ts";
import type { RemoteItem } from "../remote_walk.ts";
import { formatBytes, formatTimestamp } from "../../lib/term/format.ts";
import { renderTable } from "../../lib/term/table.ts";

const TYPE_LETTERS: Readonly<Record<NetdiskEntry["type"], string>> = {
  file: "-",
  folder: "d",
  other: "?",
};

/** An entry as `--json` shows it. */
export interface JsonEntry {
  /** Its name. */
  readonly name: string;
  /** What it is. */
  readonly type: NetdiskEntry["type"];
  /** Its size; 0 for a folder. */
  readonly size_bytes: number;
  /** When its content last changed, in milliseconds since 1970. */
  readonly mtime_ms: number;
  /** Permission bits in octal, such as `0644`. */
  readonly mode: string;
  /** Changes with the content; `null` for a folder. */
  readonly etag: string | null;
}

/** An entry for a script. */
export function jsonEntry(entry: NetdiskEntry): JsonEntry {
  const { name, type, size, mtimeMs, mode, etag } = entry;
  return {
    name,
    type,
    size_bytes: size,
    mtime_ms: mtimeMs,
    mode: (mode & 0o777).toString(8).padStart(4, "0"),
    etag: etag ?? null,
  };
}

/** What a walk came by, for a script. */
export function jsonItem({ path, entry }: RemoteItem): JsonEntry & { readonly path: string } {
  return { path: formatPath(path), ...jsonEntry(entry) };
}

/** Type and permissions as `ls -l` writes them, such as `drwxr-xr-x`. */
export function formatMode({ type, mode }: NetdiskEntry): string {
  const bits = Array.from("rwxrwxrwx", (letter, at) => (mode >> (8 - at)) & 1 ? letter : "-");
  return TYPE_LETTERS[type] + bits.join("");
}

/** Whether listings leave a name out unless all were asked for. */
export function isHidden(name: string): boolean {
  return name.startsWith(".");
}

/** The lines of `ls -l`; with `human`, sizes have units. */
export function longLines(
  entries: readonly NetdiskEntry[],
  { human = false }: { readonly human?: boolean } = {},
): string[] {
  return renderTable(
    [{}, { align: "right" }, {}, {}],
    entries.map((entry) => [
      formatMode(entry),
      human ? formatBytes(entry.size) : String(entry.size),
      formatTimestamp(entry.mtimeMs),
      entry.name,
    ]),
  );
}

/**
 * The lines of `tree`, without that of the root.
 *
 * @param items What a walk came by, in its order.
 * @param rootLevel Components of the root's path.
 */
export function treeLines(items: readonly RemoteItem[], rootLevel: number): string[] {
  const lasts = new Set<RemoteItem>();
  const seen = new Set<string>();
  for (const item of items.toReversed()) {
    const folder = formatPath(item.path.slice(0, -1));
    if (!seen.has(folder)) lasts.add(item);
    seen.add(folder);
  }
  const branches: string[] = [];
  return items.map((item) => {
    const level = item.path.length - rootLevel - 1;
    const isLast = lasts.has(item);
    const line = branches.slice(0, level).join("") + (isLast ? "└── " : "├── ");
    branches[level] = isLast ? "    " : "│   ";
    return line + item.entry.name + (item.entry.type === "folder" ? "/" : "");
  });
}
