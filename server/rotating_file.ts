/**
 * A file of lines that begins anew at a size and keeps some older ones beside it: `name`, `name.1`,
 * `name.2` and so on, the last of them the oldest. Each line is with the system before `write()`
 * returns, so the end of the process loses none.
 *
 * LogTape has a sink for files too, but it syncs the disk for every line, or else keeps lines back;
 * and its files are as readable for others as the umask says.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";

/** How long a file may be, and what is kept of it. */
export interface Rotation {
  /** No line is added that makes the file larger than this; a longer line has a file for itself. */
  readonly maxBytes: number;
  /** Older files to keep. */
  readonly olderFiles: number;
}

/** How a {@linkcode RotatingFile} is kept. */
export interface RotatingFileOptions extends Rotation {
  /** Opens a file to append to it, for tests; one of the system's without it. */
  readonly open?: (path: string) => LineFile;
}

/** A file that lines are appended to. */
export type LineFile = Pick<Deno.FsFile, "writeSync" | "statSync" | "close">;

const OWNER_ONLY = 0o600;

/** See the module. */
export class RotatingFile implements Disposable {
  readonly #path: string;
  readonly #options: RotatingFileOptions;
  readonly #open: (path: string) => LineFile;
  #file: LineFile;
  #bytes: number;
  /** At this size the file begins anew; moves up when that fails, so that no line waits for it. */
  #rotateAtBytes: number;
  /** Whether the last write broke off, perhaps within a line. */
  #isTorn = false;

  private constructor(path: string, options: RotatingFileOptions) {
    this.#path = path;
    this.#options = options;
    this.#open = options.open ?? openFile;
    this.#file = this.#open(path);
    this.#bytes = this.#file.statSync().size;
    this.#rotateAtBytes = options.maxBytes;
  }

  /**
   * Opens the file, or makes it with mode 0600.
   *
   * @param path The file; its folder must be there.
   * @param options Sizes and numbers.
   * @throws {TrivetError} `FAILED` when it cannot be opened.
   */
  static open(path: string, options: RotatingFileOptions): RotatingFile {
    try {
      return new RotatingFile(path, options);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new TrivetError("FAILED", `Cannot write to "${path}": ${reason}`, { cause });
    }
  }

  /**
   * Adds a line.
   *
   * @param line The line, ended with `\n`.
   * @throws What the system says when the disk is full or broken; the line may then be there in part.
   */
  write(line: string): void {
    const bytes = new TextEncoder().encode(this.#isTorn ? `\n${line}` : line);
    if (this.#bytes > 0 && this.#bytes + bytes.length > this.#rotateAtBytes) this.#rotate();
    this.#isTorn = true;
    for (let written = 0; written < bytes.length;) {
      const count = this.#file.writeSync(bytes.subarray(written));
      written += count;
      this.#bytes += count;
    }
    this.#isTorn = false;
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  /** Begins the file anew, or goes on with it where that fails. */
  #rotate(): void {
    const { maxBytes, olderFiles } = this.#options;
    try {
      for (let number = olderFiles; number > 1; number--) {
        renameIfThere(`${this.#path}.${number - 1}`, `${this.#path}.${number}`);
      }
      if (olderFiles > 0) Deno.renameSync(this.#path, `${this.#path}.1`);
      else Deno.removeSync(this.#path);
      const next = this.#open(this.#path);
      this.#file.close();
      this.#file = next;
      this.#bytes = next.statSync().size;
      this.#rotateAtBytes = maxBytes;
    } catch {
      this.#rotateAtBytes = this.#bytes + maxBytes;
    }
  }
}

function openFile(path: string): LineFile {
  return Deno.openSync(path, { append: true, create: true, mode: OWNER_ONLY });
}

function renameIfThere(from: string, to: string): void {
  try {
    Deno.renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
