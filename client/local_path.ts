/**
 * The three things that the client does with paths of this machine. `node:path` would do them too,
 * but takes 16 ms to load, in every command.
 *
 * @module
 */

/** What separates names on this system, of which the first is written. */
const SEPARATORS = Deno.build.os === "windows" ? "\\/" : "/";

/**
 * The last name of a path.
 *
 * @returns Empty for a root.
 */
export function baseName(path: string): string {
  const trimmed = trimEnd(path);
  return trimmed.slice(lastSeparator(trimmed) + 1);
}

/** The folder in which the last name of a path stands; `.` for a name alone. */
export function folderOf(path: string): string {
  const trimmed = trimEnd(path);
  const at = lastSeparator(trimmed);
  if (at < 0) return ".";
  return trimEnd(trimmed.slice(0, at)) || trimmed.slice(0, at + 1);
}

/** A name inside a folder. */
export function inFolder(folder: string, name: string): string {
  if (folder === ".") return name;
  return endsWithSeparator(folder) ? folder + name : folder + SEPARATORS.charAt(0) + name;
}

/** Whether a path can only be a folder's. */
export function endsWithSeparator(path: string): boolean {
  return path !== "" && SEPARATORS.includes(path.charAt(path.length - 1));
}

function trimEnd(path: string): string {
  let end = path.length;
  while (end > 0 && SEPARATORS.includes(path.charAt(end - 1))) end--;
  return path.slice(0, end);
}

/** Windows has drives too: in `C:name`, the colon ends the folder. */
function lastSeparator(path: string): number {
  const separators = Deno.build.os === "windows" ? `${SEPARATORS}:` : SEPARATORS;
  return Math.max(...Array.from(separators, (separator) => path.lastIndexOf(separator)));
}
