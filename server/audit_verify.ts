/**
 * Checks the chain of an audit log, from the oldest file that was kept to the last line.
 *
 * @module
 */

import { TextLineStream } from "@std/streams/text-line-stream";
import { basename, dirname } from "node:path";
import { TrivetError } from "../lib/errors.ts";
import { quoteName } from "../lib/netdisk/path.ts";
import { digestLine, readLine } from "./audit_chain.ts";

/** What an unbroken log has. */
export interface AuditSummary {
  /** The files, the oldest first. */
  readonly files: readonly string[];
  readonly lines: number;
  /** Lines at the beginning, from before there was a chain. */
  readonly unchainedLines: number;
  /** What is no line: it broke off as the disk was full or the power went. */
  readonly tornLines: number;
  /** Whether older lines were rotated away. */
  readonly isCut: boolean;
  /** When the first and the last line were written. */
  readonly firstTime: string | null;
  readonly lastTime: string | null;
  /** Digest of the last line: note it elsewhere, to see later whether the end was cut off. */
  readonly lastDigest: string | null;
}

/**
 * Checks an audit log.
 *
 * @param path The newest file.
 * @param lastDigest A digest that was noted earlier: the line must be there.
 * @returns What it has.
 * @throws {TrivetError} `AUDIT_BROKEN` with the file and the line; `LOCAL_NOT_FOUND` or
 * `LOCAL_DENIED` when it cannot be read.
 */
export async function verifyAudit(path: string, lastDigest?: string): Promise<AuditSummary> {
  const walk = new ChainWalk(lastDigest);
  const files = await filesOf(path);
  for (const file of files) await walk.read(file);
  return walk.summary(files);
}

class ChainWalk {
  readonly #wanted: string | undefined;
  #isWantedSeen = false;
  #lines = 0;
  #unchained = 0;
  #torn = 0;
  #isCut = false;
  #firstTime: string | null = null;
  #lastTime: string | null = null;
  #previous: string | null = null;

  constructor(wanted: string | undefined) {
    this.#wanted = wanted;
  }

  async read(file: string): Promise<void> {
    let number = 0;
    for await (const line of await linesOf(file)) {
      number += 1;
      if (line !== "") this.#take(line, `${file}:${number}`);
    }
  }

  summary(files: readonly string[]): AuditSummary {
    if (this.#wanted !== undefined && !this.#isWantedSeen) {
      throw broken(`The line with the digest ${this.#wanted} is gone`);
    }
    return {
      files,
      lines: this.#lines,
      unchainedLines: this.#unchained,
      tornLines: this.#torn,
      isCut: this.#isCut,
      firstTime: this.#firstTime,
      lastTime: this.#lastTime,
      lastDigest: this.#previous,
    };
  }

  #take(line: string, place: string): void {
    const fields = readLine(line);
    if (fields === undefined) {
      this.#torn += 1;
      return;
    }
    this.#compare(fields["prev"], place);
    this.#lines += 1;
    this.#previous = digestLine(line);
    this.#isWantedSeen ||= this.#previous === this.#wanted;
    const time = typeof fields["time"] === "string" ? fields["time"] : null;
    this.#firstTime ??= time;
    this.#lastTime = time;
  }

  #compare(prev: unknown, place: string): void {
    if (prev === undefined && this.#lines === this.#unchained) {
      this.#unchained += 1;
      return;
    }
    if (this.#lines === 0) {
      this.#isCut = prev !== null;
      return;
    }
    if (prev !== this.#previous) throw broken(`The audit log is broken in front of ${place}`);
  }
}

function broken(message: string): TrivetError {
  return new TrivetError("AUDIT_BROKEN", message);
}

/** The file and the older ones beside it, the oldest first. */
async function filesOf(path: string): Promise<string[]> {
  const older: number[] = [];
  try {
    for await (const { name } of Deno.readDir(dirname(path))) {
      const [, number] = /^\.([1-9]\d{0,3})$/.exec(name.slice(basename(path).length)) ?? [];
      if (number !== undefined && name.startsWith(basename(path))) older.push(Number(number));
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
  return [...older.toSorted((a, b) => b - a).map((number) => `${path}.${number}`), path];
}

async function linesOf(path: string): Promise<ReadableStream<string>> {
  try {
    const { readable } = await Deno.open(path);
    return readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): TrivetError {
  const code = cause instanceof Deno.errors.NotFound
    ? "LOCAL_NOT_FOUND"
    : cause instanceof Deno.errors.PermissionDenied
    ? "LOCAL_DENIED"
    : "FAILED";
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TrivetError(code, `Cannot read ${quoteName(path)}: ${reason}`, { cause });
}
