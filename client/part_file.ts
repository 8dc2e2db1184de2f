/**
 * The partial file of a download, `.<name>.trivet-part`, with its journal beside it: opened without
 * following links, locked against a second download, and continued only as far as the journal proves.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";
import { NAME_MAX_BYTES } from "../lib/netdisk/path.ts";
import { chunkCount, CHUNKS_MAX } from "../lib/transfer/chunks.ts";
import { crc32, DIGEST_BYTES, type Digester } from "../lib/transfer/digest.ts";
import { ChunkJournal } from "../lib/transfer/journal.ts";
import {
  decodeSidecar,
  encodeSidecarHeader,
  encodeSidecarRecord,
  SIDECAR_HEADER_MAX_BYTES,
  SIDECAR_RECORD_BYTES,
  type SidecarHeader,
} from "../lib/transfer/sidecar.ts";
import { FileSink } from "../lib/transfer/sink.ts";
import { FileSource } from "../lib/transfer/source.ts";
import { verifyAllChunks } from "../lib/transfer/verify.ts";
import { localError, quoteLocal } from "./local_error.ts";
import { baseName, folderOf, inFolder } from "./local_path.ts";
import { type PublishedPart, publishPart, type PublishPartOptions } from "./local_target.ts";

const PART_SUFFIX = ".trivet-part";
const JOURNAL_SUFFIX = ".journal";

/** Largest journal that is read: a header and a few generations of all chunks. */
const JOURNAL_FILE_MAX_BYTES = SIDECAR_HEADER_MAX_BYTES + 4 * CHUNKS_MAX * SIDECAR_RECORD_BYTES;

/** Tries to open a part that others finish at the same moment. */
const OPEN_TRIES_MAX = 5;

/** Digest of no chunk: what is noted for a chunk that turned out to be damaged. */
const NO_DIGEST = new Uint8Array(DIGEST_BYTES);

const EXECUTABLE_BITS = 0o111;
const READABLE_BITS = 0o444;

/** What the finished file takes over from the remote one. */
export interface FileAttributes {
  /** When its content last changed, in milliseconds since 1970. */
  readonly mtimeMs: number;
  /** Permission bits, of which the executable ones count. */
  readonly mode: number;
}

/** See the module. Whoever has one holds its lock. */
export class PartFile implements Disposable {
  /** Which chunks it holds. */
  journal: ChunkJournal;
  /** Of what it is a part; `undefined` until `begin`. */
  header: SidecarHeader | undefined;
  readonly #target: string;
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #sidecar: Deno.FsFile;

  private constructor(target: string, file: Deno.FsFile, sidecar: Deno.FsFile) {
    this.#target = target;
    this.#path = partPath(target);
    this.#file = file;
    this.#sidecar = sidecar;
    this.journal = new ChunkJournal();
  }

  /**
   * Opens the partial file of a target, or makes an empty one.
   *
   * @param target Path of the file that is to be.
   * @throws {TrivetError} `LOCAL_IN_USE` if another download writes to it, `LOCAL_DENIED` if
   * something else than a file of its own stands there.
   */
  static async open(target: string): Promise<PartFile> {
    const path = partPath(target);
    try {
      const file = await openLocked(path);
      try {
        const sidecar = await openOwn(path + JOURNAL_SUFFIX);
        const part = new PartFile(target, file, sidecar);
        try {
          part.#readSidecar();
        } catch (error) {
          sidecar.close();
          throw error;
        }
        return part;
      } catch (error) {
        file.close();
        throw error;
      }
    } catch (error) {
      throw localError(error, "write", path);
    }
  }

  /** Whether a target has a partial file, without opening it. */
  static async exists(target: string): Promise<boolean> {
    return await Deno.lstat(partPath(target)).then((info) => info.size > 0, () => false);
  }

  /** Takes the bytes of chunks. */
  get sink(): FileSink {
    return new FileSink(this.#file);
  }

  /** Bytes that it holds. */
  get heldBytes(): number {
    const { header } = this;
    return header === undefined ? 0 : this.journal.heldBytes(header.size, header.chunkBytes);
  }

  /** Throws away what it holds and begins anew, as a part of something else. */
  begin(header: SidecarHeader): void {
    emptyFile(this.#file);
    emptyFile(this.#sidecar);
    this.#sidecar.seekSync(0, Deno.SeekMode.Start);
    this.journal = new ChunkJournal();
    this.header = header;
    this.#append(encodeSidecarHeader(header));
  }

  /** Notes a chunk that has arrived. */
  note(index: number, digest: Uint8Array): void {
    this.#append(encodeSidecarRecord(index, digest));
  }

  /** Notes that a chunk is not what was sent. */
  forget(index: number): void {
    this.journal.delete(index);
    // A digest that no chunk has: the next reader will find the chunk damaged.
    this.#append(encodeSidecarRecord(index, NO_DIGEST));
  }

  /**
   * Reads again what the journal claims, and forgets what is damaged.
   *
   * @param digester Nobody else uses it meanwhile.
   * @param onProgress Told the bytes of each step.
   */
  async verify(digester: Digester, onProgress?: (bytes: number) => void): Promise<void> {
    const { header, journal } = this;
    if (header === undefined) return;
    const { size, chunkBytes } = header;
    const source = new FileSource(this.#file);
    const options = { source, journal, size, chunkBytes, digester };
    for (const index of await verifyAllChunks(options, onProgress)) this.forget(index);
  }

  /**
   * Publishes the file: attributes, fsync, its name, fsync of the folder. The lock is gone after.
   *
   * @param attributes What it takes over from the remote file.
   * @param options What happens when the name is taken; with `os`, both fsyncs are left out.
   * @throws {TrivetError} `EXISTS`, or what the file system refuses.
   */
  async publish(
    attributes: FileAttributes,
    options: PublishPartOptions,
  ): Promise<PublishedPart> {
    try {
      await this.#file.truncate(this.header?.size ?? 0);
      await this.#setMode(attributes.mode);
      await this.#file.utime(new Date(), new Date(attributes.mtimeMs));
      if (options.durability === "commit") await this.#file.sync();
    } catch (error) {
      throw localError(error, "write", this.#path);
    }
    const published = await publishPart(this.#path, this.#target, options);
    await Deno.remove(this.#path + JOURNAL_SUFFIX).catch(() => {});
    return published;
  }

  /** Removes part and journal, when nothing of them is worth keeping. */
  async discard(): Promise<void> {
    await Deno.remove(this.#path).catch(() => {});
    await Deno.remove(this.#path + JOURNAL_SUFFIX).catch(() => {});
  }

  /** Closes the files, which stay, and lets go of the lock. */
  [Symbol.dispose](): void {
    this.#sidecar.close();
    // Closing alone would not do while a process that was just forked still has the file open, too.
    this.#file.unlockSync();
    this.#file.close();
  }

  #readSidecar(): void {
    const { size } = this.#sidecar.statSync();
    if (size === 0 || size > JOURNAL_FILE_MAX_BYTES) return;
    const bytes = new Uint8Array(size);
    let length = 0;
    while (length < size) {
      const count = this.#sidecar.readSync(bytes.subarray(length));
      if (count === null) break;
      length += count;
    }
    const sidecar = decodeSidecar(bytes.subarray(0, length));
    if (sidecar === undefined) return;
    this.header = sidecar.header;
    this.journal = sidecar.journal;
    this.journal.truncate(chunkCount(sidecar.header.size, sidecar.header.chunkBytes));
    // A torn record at the end would hide those that are appended behind it.
    this.#sidecar.truncateSync(sidecar.goodBytes);
    this.#sidecar.seekSync(sidecar.goodBytes, Deno.SeekMode.Start);
  }

  #append(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length;) at += this.#sidecar.writeSync(bytes.subarray(at));
    } catch (error) {
      throw localError(error, "write", this.#path + JOURNAL_SUFFIX);
    }
  }

  /** Whoever may read an executable file may execute it, as far as the umask lets them read. */
  async #setMode(mode: number): Promise<void> {
    const current = (await this.#file.stat()).mode;
    if (current === null || Deno.build.os === "windows") return;
    const plain = current & 0o777 & ~EXECUTABLE_BITS;
    const wanted = (mode & 0o100) === 0 ? plain : plain | ((plain & READABLE_BITS) >> 2);
    if (wanted !== (current & 0o777)) await Deno.chmod(this.#path, wanted);
  }
}

/** The path of a target's partial file; a name that would grow too long is cut. */
export function partPath(target: string): string {
  const name = baseName(target);
  const bytes = new TextEncoder().encode(name);
  const room = NAME_MAX_BYTES - 1 - PART_SUFFIX.length - JOURNAL_SUFFIX.length;
  return inFolder(
    folderOf(target),
    `.${bytes.length <= room ? name : cutName(bytes)}${PART_SUFFIX}`,
  );
}

/** A beginning of the name, and a number that tells it from others with the same beginning. */
function cutName(bytes: Uint8Array): string {
  const head = new TextDecoder().decode(bytes.subarray(0, 200)).replace(/\ufffd+$/, "");
  return `${head}~${crc32(bytes).toString(16).padStart(8, "0")}`;
}

/** Opens a part and takes its lock; another download may publish it in between. */
async function openLocked(path: string): Promise<Deno.FsFile> {
  for (let tries = 0; tries < OPEN_TRIES_MAX; tries++) {
    const file = await openOwn(path);
    try {
      if (!await file.tryLock(true)) {
        throw new TrivetError(
          "LOCAL_IN_USE",
          `Cannot write ${quoteLocal(path)}: another download is writing to it`,
        );
      }
      if (await isStillThere(file, path)) return file;
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
  }
  throw new TrivetError("LOCAL_IN_USE", `Cannot write ${quoteLocal(path)}: others keep taking it`);
}

/** Whether the name still stands for the open file: who locked it first may have published it. */
async function isStillThere(file: Deno.FsFile, path: string): Promise<boolean> {
  const info = await Deno.lstat(path).catch(() => undefined);
  return info !== undefined && isSameFile(await file.stat(), info);
}

/** Makes a file, or opens one that is nobody's but ours: no link, no second name. */
async function openOwn(path: string): Promise<Deno.FsFile> {
  for (let tries = 0; tries < OPEN_TRIES_MAX; tries++) {
    try {
      return await Deno.open(path, { read: true, write: true, createNew: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
    const info = await Deno.lstat(path).catch(ignoreNotFound);
    if (info === undefined) continue;
    if (!info.isFile || (info.nlink ?? 1) > 1) throw notOurs(path);
    const file = await Deno.open(path, { read: true, write: true }).catch(ignoreNotFound);
    if (file === undefined) continue;
    // Deno cannot be told not to follow links: what was opened must be what was looked at.
    if (isSameFile(await file.stat(), info)) return file;
    file.close();
  }
  throw new TrivetError("LOCAL_IN_USE", `Cannot open ${quoteLocal(path)}: others keep taking it`);
}

/** Windows tells no numbers: there, only the kind and the size can be compared. */
function isSameFile(a: Deno.FileInfo, b: Deno.FileInfo): boolean {
  if (a.ino === null || b.ino === null) return a.isFile === b.isFile && a.size === b.size;
  return a.dev === b.dev && a.ino === b.ino;
}

/**
 * Empties a file. One that is empty is left alone: after a truncation to nothing, ext4 begins at the
 * close to write the whole file to the disk, and a large file's close waits for much of that.
 */
function emptyFile(file: Deno.FsFile): void {
  if (file.statSync().size > 0) file.truncateSync(0);
}

function ignoreNotFound(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

function notOurs(path: string): TrivetError {
  return new TrivetError(
    "LOCAL_DENIED",
    `Cannot write ${quoteLocal(path)}: it is a link or no regular file, where the partial file ` +
      `of a download belongs; remove it`,
  );
}
