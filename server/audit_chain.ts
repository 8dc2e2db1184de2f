/**
 * The chain of the audit log: each line has, under `prev`, the SHA-256 of the line before it, across
 * files and restarts. Who takes a line out, puts one in or changes one breaks the chain there.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** Longest line that is looked for at the end of a file, in bytes; the audit log writes shorter ones. */
const LINE_MAX_BYTES = 8 * 1024 * 1024;

const LINE_FEED = 10;

/** What a file of lines ends with. */
export interface LogEnd {
  /** The last whole line that is a JSON object. */
  readonly lastLine: string | undefined;
  /** Whether the file breaks off within a line. */
  readonly isTorn: boolean;
}

/** The digest of a line, without its line feed, in hex. */
export function digestLine(line: string): string {
  return createHash("sha256").update(line).digest("hex");
}

/** Makes lines, each with the digest of the one before. */
export class AuditChain {
  #previous: string | null;

  /** @param lastLine The last line that is there already. */
  constructor(lastLine?: string) {
    this.#previous = lastLine === undefined ? null : digestLine(lastLine);
  }

  /**
   * The text of a line.
   *
   * @param fields What it says.
   * @returns The line without a line feed; call `written` with it when it is on the disk.
   */
  lineOf(fields: Readonly<Record<string, unknown>>): string {
    return JSON.stringify({ ...fields, prev: this.#previous });
  }

  /** A line is on the disk. */
  written(line: string): void {
    this.#previous = digestLine(line);
  }
}

/**
 * Reads the end of a file of lines.
 *
 * @param path The file; one that is not there has no end.
 * @throws What the system says when it cannot be read.
 */
export function readLogEnd(path: string): LogEnd {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { lastLine: undefined, isTorn: false };
    throw error;
  }
  using _closing = file;
  const { size } = file.statSync();
  const bytes = new Uint8Array(Math.min(size, LINE_MAX_BYTES));
  file.seekSync(size - bytes.length, Deno.SeekMode.Start);
  let length = 0;
  for (let count: number | null = 1; count && length < bytes.length;) {
    count = file.readSync(bytes.subarray(length));
    length += count ?? 0;
  }
  const lines = new TextDecoder().decode(bytes.subarray(0, length)).split("\n");
  const isTorn = length > 0 && bytes[length - 1] !== LINE_FEED;
  lines.pop();
  return { lastLine: lines.findLast((line) => readLine(line) !== undefined), isTorn };
}

/** The fields of a line; nothing for what is no line of the log, such as one that was torn. */
export function readLine(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const fields: unknown = JSON.parse(line);
    if (typeof fields !== "object" || fields === null || Array.isArray(fields)) return undefined;
    return fields as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}
