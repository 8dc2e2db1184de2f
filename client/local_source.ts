/**
 * A local file to upload, and whether it has changed since it was opened.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";
import { FileSource } from "../lib/transfer/source.ts";
import { localError, quoteLocal } from "./local_error.ts";

/** See the module. */
export class LocalSource implements Disposable {
  /** Its bytes. */
  readonly source: FileSource;
  /** How many, when it was opened. */
  readonly size: number;
  /** When its content last changed, in milliseconds since 1970. */
  readonly mtimeMs: number | undefined;
  /** Its permission bits, where the system has such. */
  readonly mode: number | undefined;
  /** Its path. */
  readonly path: string;
  readonly #file: Deno.FsFile;

  private constructor(path: string, file: Deno.FsFile, info: Deno.FileInfo) {
    this.path = path;
    this.#file = file;
    this.source = new FileSource(file);
    this.size = info.size;
    this.mtimeMs = info.mtime?.getTime();
    this.mode = info.mode === null ? undefined : info.mode & 0o777;
  }

  /**
   * Opens a file.
   *
   * @throws {TrivetError} `LOCAL_NOT_FOUND`, `LOCAL_DENIED`, `IS_FOLDER` or `NOT_REGULAR`.
   */
  static async open(path: string): Promise<LocalSource> {
    try {
      // Looked at first: to open a named pipe would wait for its other end.
      checkRegular(path, await Deno.stat(path));
      const file = await Deno.open(path);
      try {
        const info = await file.stat();
        checkRegular(path, info);
        return new LocalSource(path, file, info);
      } catch (error) {
        file.close();
        throw error;
      }
    } catch (error) {
      throw localError(error, "read", path);
    }
  }

  /** @throws {TrivetError} `CHANGED` if somebody has written to the file since it was opened. */
  checkUnchanged(): void {
    const info = this.#file.statSync();
    if (info.size === this.size && info.mtime?.getTime() === this.mtimeMs) return;
    throw new TrivetError(
      "CHANGED",
      `Cannot send ${quoteLocal(this.path)}: it has changed while it was read`,
    );
  }

  /** All of its bytes, for a small file. */
  readAll(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.size);
    let length = 0;
    while (length < this.size) {
      const count = this.source.read(bytes.subarray(length), length);
      if (count === 0) break;
      length += count;
    }
    this.checkUnchanged();
    return bytes.subarray(0, length);
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}

function checkRegular(path: string, info: Deno.FileInfo): void {
  if (info.isFile) return;
  if (info.isDirectory) {
    throw new TrivetError("IS_FOLDER", `Cannot send ${quoteLocal(path)}: it is a folder`);
  }
  throw new TrivetError(
    "NOT_REGULAR",
    `Cannot send ${quoteLocal(path)}: it is no regular file; send a stream with "-" instead`,
  );
}
