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
import { type Digester, digestOf, toHex } from "../../lib/transfer/digest.ts";
import { localError, quoteLocal } from "../local_error.ts";
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
  /** Their content, one after the other. */
  readonly body: Uint8Array;
}

/**
 * Reads files as they are asked for.
 *
 * @param files Small ones.
 * @param options Makes digests; is told of files that cannot be read.
 */
export function* packSmallFiles(
  files: Iterable<PlannedUpload>,
  { digester, isNewFolder, onLeftOut }: {
    readonly digester: Digester;
    readonly isNewFolder: (path: readonly string[]) => boolean;
    readonly onLeftOut: (left: LeftOut) => void;
  },
): Generator<SmallFiles> {
  let batch = new Batch(isNewFolder);
  for (const file of files) {
    if (!batch.takes(file)) {
      yield batch.take();
      batch = new Batch(isNewFolder);
    }
    try {
      batch.add(file, digester);
    } catch (error) {
      const local = file.entry.local;
      onLeftOut(leftOutBy(localError(error, "read", local), local));
    }
  }
  if (!batch.isEmpty) yield batch.take();
}

class Batch {
  readonly #files: PlannedUpload[] = [];
  readonly #head: SmallFiles["head"] = [];
  readonly #body = new Uint8Array(BATCH_BYTES_MAX);
  readonly #isNewFolder: (path: readonly string[]) => boolean;
  readonly #folders = new Map<string, string[]>();
  #length = 0;
  #chars = 0;

  constructor(isNewFolder: (path: readonly string[]) => boolean) {
    this.#isNewFolder = isNewFolder;
  }

  get isEmpty(): boolean {
    return this.#files.length === 0;
  }

  takes(file: PlannedUpload): boolean {
    return this.#files.length < BATCH_ITEMS_MAX &&
      this.#folders.size + file.target.length <= BATCH_ITEMS_MAX &&
      this.#length + file.entry.size <= this.#body.length &&
      (this.isEmpty || this.#chars + charsOf(file.target) <= PATHS_MAX_CHARS);
  }

  add(file: PlannedUpload, digester: Digester): void {
    const { size } = file.entry;
    const room = this.#body.subarray(this.#length, this.#length + size);
    readWhole(file.entry, room);
    const { mtimeMs, mode } = file.entry;
    this.#addFolders(file.target);
    this.#files.push(file);
    this.#head.push({
      path: [...file.target],
      size,
      digest: toHex(digestOf(digester, room)),
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
    };
  }
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
  const after = file.statSync();
  const isSame = done === size && after.size === size && after.isFile &&
    after.mtime?.getTime() === mtimeMs;
  if (!isSame) {
    throw new TrivetError(
      "CHANGED",
      `Cannot send ${quoteLocal(local)}: it has changed while it was read`,
    );
  }
}
