/**
 * Packs small local files into requests, each as large as one may be.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import {
  BATCH_BYTES_MAX,
  BATCH_ITEMS_MAX,
  type NetdiskRequest,
} from "../../lib/netdisk/messages.ts";
import { digestOfWhole, toHex } from "../../lib/transfer/digest.ts";
import { localError, quoteLocal } from "../local_error.ts";
import type { GrowingList } from "./growing.ts";
import { type LeftOut, leftOutBy } from "./left_out.ts";
import { charsOf, PATHS_MAX_CHARS } from "./pages.ts";
import type { PlannedUpload } from "./put_tree.ts";

/** Small files with their content. */
export interface SmallFiles {
  /** The files, in the order of `head`. */
  readonly files: readonly PlannedUpload[];
  /** Folders that they need. */
  readonly folders: string[][];
  /** What the request says of each. */
  readonly head: NetdiskRequest<"put.files">["files"];
  /** Their content, one after the other; until `release`. */
  readonly body: Uint8Array;
  /** Gives the memory of `body` to a later request: fresh memory costs more than reading into it. */
  release(): void;
}

/** Options of {@linkcode packSmallFiles}. */
export interface PackOptions {
  /** Whether a folder is to be made unless it is there. */
  readonly isNewFolder: (path: readonly string[]) => boolean;
  /** Told of files that cannot be read. */
  readonly onLeftOut: (left: LeftOut) => void;
}

/**
 * Reads files as they are asked for. The files of a new folder come together where one request holds
 * them: the server then builds it beside the home, and none of them needs a rename.
 *
 * @param list Small ones, those of one folder one after the other.
 * @param options Which folders are new; is told of files that cannot be read.
 * @throws What the list failed with.
 */
export async function* packSmallFiles(
  list: GrowingList<PlannedUpload>,
  options: PackOptions,
): AsyncGenerator<SmallFiles> {
  const { items: files } = list;
  const bodies: Uint8Array[] = [];
  let batch = new Batch(options, bodies);
  let folder = "";
  for (let index = 0;; index++) {
    // As far as is looked ahead: no more than one request and one file.
    const ahead = index + BATCH_ITEMS_MAX + 1;
    if (files.length < ahead) await list.reach(ahead);
    const file = files[index];
    if (file === undefined) break;
    const parent = file.target.slice(0, -1);
    const key = parent.join("/");
    const isNext = key !== folder && options.isNewFolder(parent);
    folder = key;
    if (!batch.takes([file]) || (isNext && splits(batch, folderFrom(files, index)))) {
      yield batch.take();
      batch = new Batch(options, bodies);
    }
    try {
      batch.add(file);
    } catch (error) {
      const local = file.entry.local;
      options.onLeftOut(leftOutBy(localError(error, "read", local), local));
    }
  }
  if (!batch.isEmpty) yield batch.take();
}

/** The files of one folder; no more than one request and one file. */
function folderFrom(files: readonly PlannedUpload[], index: number): PlannedUpload[] {
  const parent = files[index]?.target.slice(0, -1) ?? [];
  const found: PlannedUpload[] = [];
  for (let at = index; found.length <= BATCH_ITEMS_MAX; at++) {
    const file = files[at];
    if (file === undefined || file.target.length !== parent.length + 1) break;
    if (parent.some((name, level) => file.target[level] !== name)) break;
    found.push(file);
  }
  return found;
}

/** Whether a request has no room for files that one of their own would hold. */
function splits(batch: Batch, files: readonly PlannedUpload[]): boolean {
  return !batch.takes(files) && Batch.holds(files);
}

class Batch {
  readonly #files: PlannedUpload[] = [];
  readonly #head: SmallFiles["head"] = [];
  readonly #body: Uint8Array;
  readonly #bodies: Uint8Array[];
  readonly #isNewFolder: (path: readonly string[]) => boolean;
  readonly #folders = new Map<string, string[]>();
  #length = 0;
  #chars = 0;

  /** @param bodies Memory that is free. */
  constructor({ isNewFolder }: PackOptions, bodies: Uint8Array[]) {
    this.#isNewFolder = isNewFolder;
    this.#bodies = bodies;
    this.#body = bodies.pop() ?? new Uint8Array(BATCH_BYTES_MAX);
  }

  get isEmpty(): boolean {
    return this.#files.length === 0;
  }

  /** Whether an empty batch has room for files; one alone it always takes. */
  static holds(files: readonly PlannedUpload[]): boolean {
    return hasRoom(files, { files: 0, folders: 0, bytes: 0, chars: 0 });
  }

  /** Whether there is room for files of one folder; for one, there always is in an empty batch. */
  takes(files: readonly PlannedUpload[]): boolean {
    if (this.isEmpty && files.length === 1) return true;
    return hasRoom(files, {
      files: this.#files.length,
      folders: this.#folders.size,
      bytes: this.#length,
      chars: this.#chars,
    });
  }

  add(file: PlannedUpload): void {
    const { size } = file.entry;
    const room = this.#body.subarray(this.#length, this.#length + size);
    readWhole(file.entry, room);
    const { mtimeMs, mode } = file.entry;
    this.#addFolders(file.target);
    this.#files.push(file);
    this.#head.push({
      path: [...file.target],
      size,
      digest: toHex(digestOfWhole(room)),
      ...(mtimeMs === undefined ? {} : { mtimeMs }),
      ...(mode === undefined ? {} : { mode }),
    });
    this.#length += size;
    this.#chars += charsOf(file.target);
  }

  #addFolders(target: readonly string[]): void {
    for (let levels = target.length - 1; levels > 0; levels--) {
      const path = target.slice(0, levels);
      const key = path.join("/");
      if (this.#folders.has(key)) return;
      if (this.#isNewFolder(path)) this.#folders.set(key, path);
    }
  }

  take(): SmallFiles {
    return {
      files: this.#files,
      folders: [...this.#folders.values()],
      head: this.#head,
      body: this.#body.subarray(0, this.#length),
      release: () => this.#bodies.push(this.#body),
    };
  }
}

/** Whether a request in which so much is used up has room for files of one folder. */
function hasRoom(
  files: readonly PlannedUpload[],
  used: { files: number; folders: number; bytes: number; chars: number },
): boolean {
  let { bytes, chars } = used;
  for (const { entry, target } of files) {
    bytes += entry.size;
    chars += charsOf(target);
  }
  const levels = files[0]?.target.length ?? 0;
  return used.files + files.length <= BATCH_ITEMS_MAX && bytes <= BATCH_BYTES_MAX &&
    used.folders + levels <= BATCH_ITEMS_MAX && chars <= PATHS_MAX_CHARS;
}

/** Reads a file that must be what the walk saw; never more than that, whatever it has become. */
function readWhole({ local, mtimeMs, size }: PlannedUpload["entry"], room: Uint8Array): void {
  using file = Deno.openSync(local);
  let done = 0;
  while (done < size) {
    const count = file.readSync(room.subarray(done)) ?? 0;
    if (count === 0) break;
    done += count;
  }
  // By its name: asking the open file costs twice as much, and would miss one that took its place.
  const after = Deno.statSync(local);
  const isSame = done === size && after.size === size && after.isFile &&
    after.mtime?.getTime() === mtimeMs;
  if (!isSame) {
    throw new TrivetError(
      "CHANGED",
      `Cannot send ${quoteLocal(local)}: it has changed while it was read`,
    );
  }
}
