/**
 * How files and folders of the netdisk are shown, to people and to scripts.
 *
 * @module
 */

import type { NetdiskEntry } from "../netdisk_types.ts";
import { formatTimestamp } from "../../lib/term/format.ts";
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

/** Type and permissions as `ls -l` writes them, such as `drwxr-xr-x`. */
export function formatMode({ type, mode }: NetdiskEntry): string {
  const bits = Array.from("rwxrwxrwx", (letter, at) => (mode >> (8 - at)) & 1 ? letter : "-");
  return TYPE_LETTERS[type] + bits.join("");
}

/** The lines of `ls -l`. */
export function longLines(entries: readonly NetdiskEntry[]): string[] {
  return renderTable(
    [{}, { align: "right" }, {}, {}],
    entries.map((entry) => [
      formatMode(entry),
      String(entry.size),
      formatTimestamp(entry.mtimeMs),
      entry.name,
    ]),
  );
}
