/**
 * The depot in plain folders: `homes/<user>/…` that any program can read, `parts/` for uploads in
 * progress and `trash/`, on the same file system so that publishing and removing are renames.
 *
 * @module
 */

import { join } from "node:path";
import { checkUserName } from "../../lib/auth/credentials.ts";
import { TrivetError } from "../../lib/errors.ts";
import { type MachineSpeeds, measureMachine } from "../../lib/doctor/speeds.ts";
import type { NetdiskEntry } from "../../lib/netdisk/messages.ts";
import { checkPath, formatPath, type NameRules, quoteName } from "../../lib/netdisk/path.ts";
import type { TrashSize } from "../store/catalog.ts";
import type {
  Batch,
  BatchOptions,
  BatchReading,
  BatchResult,
  CommitTrace,
  CopyPartOptions,
  Depot,
  Durability,
  HomePath,
  ListOptions,
  ListPage,
  MoveOptions,
  NewFile,
  NewFolder,
  OverwriteMode,
  PartHandle,
  PartOptions,
  Published,
  PublishIntent,
  PublishOptions,
  ReadHandle,
  RemoveOptions,
  RestoreOptions,
  SmallFile,
} from "./depot.ts";
import { BatchWriter } from "./depot_batch.ts";
import { canShareBlocks, copyToFile } from "./depot_copy.ts";
import { entryOf, sameFile, toTime } from "./depot_entry.ts";
import { asDepotError } from "./depot_errors.ts";
import { makeFolders, writeFolders } from "./depot_mkdir.ts";
import { Mover } from "./depot_move.ts";
import { PartStore } from "./depot_parts.ts";
import { Publisher } from "./depot_publish.ts";
import { listFolder, openForReading, statEntry } from "./depot_read.ts";
import { readBatch } from "./depot_read_batch.ts";
import { removeSetAside, setAside } from "./depot_remove.ts";
import { type DepotFolders, makePrivateFolder, setUpFolders } from "./depot_setup.ts";
import { FolderSync } from "./depot_sync.ts";
import { TrashStore } from "./depot_trash.ts";
import { Walker } from "./depot_walk.ts";
import { HomeGate } from "./home_gate.ts";
import { newUploadId } from "./upload_id.ts";

const FILE_MODE = 0o644;
const EXECUTABLE_MODE = 0o755;
const EXECUTABLE_BITS = 0o111;

/** Options of {@linkcode FolderDepot.open}. */
export interface FolderDepotOptions {
  /** Which names are taken; `native` by default. */
  readonly names?: NameRules;
}

/** {@linkcode Depot} in the folders of one file system. */
export class FolderDepot implements Depot {
  readonly #folders: DepotFolders;
  readonly #walker: Walker;
  readonly #parts: PartStore;
  readonly #sync = new FolderSync();
  readonly #publisher: Publisher;
  readonly #trash: TrashStore;
  readonly #gate = new HomeGate();
  readonly #mover: Mover;
  readonly #batches: BatchWriter;
  #sharesBlocks: boolean | undefined;

  private constructor(folders: DepotFolders, names: NameRules) {
    this.#folders = folders;
    this.#walker = new Walker(folders.homes, { names, foldsCase: folders.foldsCase });
    this.#parts = new PartStore(folders.parts);
    this.#publisher = new Publisher(this.#walker, this.#sync);
    this.#trash = new TrashStore(folders.trash);
    this.#batches = new BatchWriter({
      walker: this.#walker,
      publisher: this.#publisher,
      sync: this.#sync,
      parts: this.#parts,
      fill: (diskPath, content) => this.#fill(diskPath, content),
    });
    const parts = { walker: this.#walker, sync: this.#sync, trash: this.#trash, gate: this.#gate };
    this.#mover = new Mover(parts);
  }

  /**
   * Opens the depot of a data folder, making its folders (mode 0700) at the first time.
   *
   * @param data The server's data folder.
   * @param options Which names are taken.
   * @throws {TrivetError} `FAILED` if its folders are on different file systems.
   */
  static open(data: string, options: FolderDepotOptions = {}): FolderDepot {
    try {
      return new FolderDepot(setUpFolders(data), options.names ?? "native");
    } catch (error) {
      throw asDepotError(error, `use data folder ${quoteName(data)}`);
    }
  }

  /** See {@linkcode Depot.createHome}. */
  async createHome(user: string): Promise<void> {
    checkUserName(user);
    // The name becomes a folder: where the system has device names, it may not be one.
    checkPath([user], { names: Deno.build.os === "windows" ? "portable" : "native" });
    await attempt(`create home of ${quoteName(user)}`, async () => {
      makePrivateFolder(join(this.#folders.homes, user));
      this.#walker.home(user);
      await this.#sync.request(this.#folders.homes);
    });
  }

  /** See {@linkcode Depot.setAsideHome}. */
  async setAsideHome(user: string, options: { keepHome?: boolean } = {}): Promise<void> {
    checkUserName(user);
    const { homes, trash } = this.#folders;
    await attempt(`remove home of ${quoteName(user)}`, () =>
      this.#gate.alone(user, async () => {
        const home = options.keepHome === true ? [] : [join(homes, user)];
        setAside([...home, join(trash, user)], trash);
        await Promise.all([homes, trash].map((folder) => this.#sync.request(folder)));
      }));
  }

  /** See {@linkcode Depot.removeSetAside}. */
  removeSetAside(): Promise<void> {
    return attempt("delete removed homes", () => removeSetAside(this.#folders.trash));
  }

  /** See {@linkcode Depot.stat}. */
  stat(at: HomePath): Promise<NetdiskEntry> {
    return this.#at("read", at, (checked) => statEntry(this.#walker, checked));
  }

  /** See {@linkcode Depot.list}. */
  list(at: HomePath, options: ListOptions): Promise<ListPage> {
    return this.#at("list", at, (checked) => listFolder(this.#walker, checked, options));
  }

  /** See {@linkcode Depot.mkdir}. */
  mkdir(at: HomePath, options: { parents?: boolean } = {}): Promise<boolean> {
    return this.#at("create", at, async (checked) => {
      using _held = await this.#gate.share(checked.user);
      const changed = makeFolders(this.#walker, checked, options.parents ?? false);
      await Promise.all(changed.map((folder) => this.#sync.request(folder)));
      return changed.length > 0;
    });
  }

  /** See {@linkcode Depot.openRead}. */
  openRead(at: HomePath): Promise<ReadHandle> {
    return this.#at("open", at, (checked) => openForReading(this.#walker, checked));
  }

  /** See {@linkcode Depot.readBatch}. */
  readBatch(reading: BatchReading): Promise<(SmallFile | TrivetError)[]> {
    return attempt(`read ${reading.paths.length} files`, () => {
      checkUserName(reading.user);
      return readBatch(this.#walker, reading);
    });
  }

  /** See {@linkcode Depot.checkTarget}. */
  checkTarget(at: HomePath, overwrite: OverwriteMode): Promise<NetdiskEntry | null> {
    return this.#at("write", at, (checked) => {
      const { spot, taken } = this.#publisher.target(checked, overwrite);
      return taken === null ? null : entryOf(spot.name, taken);
    });
  }

  /** See {@linkcode Depot.createPart}. */
  createPart(id: string, options: PartOptions = {}): Promise<PartHandle> {
    return attempt(`create the part of upload ${quoteName(id)}`, () => {
      this.#parts.createFile(id).close();
      return this.#parts.open(id, options);
    });
  }

  /** See {@linkcode Depot.openPart}. */
  openPart(id: string, options: PartOptions = {}): Promise<PartHandle> {
    return attempt(`open the part of upload ${quoteName(id)}`, () => this.#parts.open(id, options));
  }

  /** See {@linkcode Depot.removePart}. */
  removePart(id: string): Promise<boolean> {
    return attempt(`remove the part of upload ${quoteName(id)}`, () => this.#parts.remove(id));
  }

  /** See {@linkcode Depot.listParts}. */
  listParts(): Promise<string[]> {
    return attempt("list parts", () => this.#parts.list());
  }

  /** See {@linkcode Depot.measure}. */
  measure(signal?: AbortSignal): Promise<MachineSpeeds> {
    const path = this.#parts.path(newUploadId());
    return attempt("measure the disk", () => measureMachine({ path, signal }));
  }

  /** See {@linkcode Depot.copyToPart}. */
  copyToPart(
    id: string,
    from: HomePath,
    { signal }: CopyPartOptions = {},
  ): Promise<NetdiskEntry> {
    return this.#at("copy", from, (checked) => {
      this.#parts.openFile(id).close();
      this.#sharesBlocks ??= canShareBlocks(this.#folders.parts);
      const target = this.#parts.path(id);
      return copyToFile(this.#walker, checked, {
        target,
        sharesBlocks: this.#sharesBlocks,
        signal,
      });
    });
  }

  /** See {@linkcode Depot.commitPart}. */
  commitPart(
    id: string,
    at: HomePath,
    options: PublishOptions & { size: number },
  ): Promise<Published> {
    return this.#at("publish", at, async (checked) => {
      await this.#cutToSize(id, options);
      const part = { diskPath: this.#parts.path(id), size: options.size };
      return await this.#publisher.publish(part, checked, options);
    });
  }

  /** See {@linkcode Depot.writeSmall}. */
  writeSmall(
    id: string,
    at: HomePath,
    options: PublishOptions & { bytes: Uint8Array },
  ): Promise<Published> {
    return this.#at("write", at, async (checked) => {
      // Also says early what would fail; `skip` need not write what it will not publish.
      this.#publisher.target(checked, options.overwrite);
      const diskPath = this.#parts.path(id);
      let intended = false;
      const intent = async (plan: PublishIntent) => {
        await options.intent?.(plan);
        intended = options.intent !== undefined;
      };
      try {
        using file = this.#fill(diskPath, options);
        if (options.durability !== "os") await file.sync();
        const part = { diskPath, size: options.bytes.length };
        const result = await this.#publisher.publish(part, checked, { ...options, intent });
        if (result.skipped) this.#parts.remove(id);
        return result;
      } catch (error) {
        if (!intended) this.#parts.remove(id);
        throw error;
      }
    });
  }

  /** See {@linkcode Depot.writeBatch}. */
  writeBatch(id: string, batch: Batch, options: BatchOptions): Promise<BatchResult> {
    return attempt(`write ${batch.files.length} files`, () => {
      checkUserName(batch.user);
      return this.#batches.write(id, batch, options);
    });
  }

  /** See {@linkcode Depot.writeFolders}. */
  writeFolders(
    user: string,
    folders: readonly NewFolder[],
    options: { readonly durability?: Durability | undefined } = {},
  ): Promise<(boolean | TrivetError)[]> {
    return attempt(`write ${folders.length} folders`, async () => {
      checkUserName(user);
      using _held = await this.#gate.share(user);
      const { results, changed } = writeFolders(this.#walker, user, folders);
      if (options.durability !== "os") {
        await Promise.all([...changed].map((folder) => this.#sync.request(folder)));
      }
      return results;
    });
  }

  /** See {@linkcode Depot.traceCommit}. */
  traceCommit(id: string, at: HomePath, size: number): Promise<CommitTrace> {
    return this.#at("inspect", at, (checked) => {
      const part = this.#parts.look(id);
      const file = this.#lookAt(checked);
      if (part !== null) return file !== null && sameFile(part, file) ? "published" : "pending";
      return file !== null && file.isFile && file.size === size ? "published" : "lost";
    });
  }

  /** See {@linkcode Depot.holdHome}. */
  holdHome(user: string): Promise<Disposable> {
    return this.#gate.share(user);
  }

  /** See {@linkcode Depot.removeFolder}. */
  removeFolder(at: HomePath): Promise<void> {
    return this.#at("remove", at, (checked) => this.#mover.removeFolder(checked));
  }

  /** See {@linkcode Depot.moveToTrash}. */
  moveToTrash(id: string, at: HomePath, options: RemoveOptions = {}): Promise<void> {
    return this.#at("remove", at, (checked) => this.#mover.remove(id, checked, options));
  }

  /** See {@linkcode Depot.measureTrash}. */
  measureTrash(id: string, at: HomePath): Promise<TrashSize | null> {
    return this.#at("inspect", at, (checked) => this.#trash.measure(id, checked));
  }

  /** See {@linkcode Depot.restoreTrash}. */
  restoreTrash(id: string, at: HomePath, options: RestoreOptions): Promise<string[]> {
    return this.#at("restore", at, (checked) => this.#mover.restore(id, checked, options));
  }

  /** See {@linkcode Depot.removeTrash}. */
  removeTrash(id: string, user: string): Promise<boolean> {
    return attempt(`delete ${quoteName(id)}`, () => {
      checkUserName(user);
      return this.#trash.remove(user, id);
    });
  }

  /** See {@linkcode Depot.move}. */
  move(from: HomePath, to: HomePath, options: MoveOptions): Promise<NetdiskEntry> {
    return this.#at("move", from, (checked) => {
      const target = { user: checked.user, path: this.#walker.check(to.path) };
      return this.#mover.move(checked, target, options);
    });
  }

  /** See {@linkcode Depot.exists}. */
  exists(at: HomePath): Promise<boolean> {
    return this.#at("inspect", at, (checked) => this.#lookAt(checked) !== null);
  }

  async #cutToSize(id: string, options: PublishOptions & { size: number }): Promise<void> {
    const { size } = options;
    using file = this.#parts.openFile(id);
    const held = file.statSync().size;
    if (held < size) {
      throw new TrivetError(
        "DIGEST_MISMATCH",
        `Cannot publish upload ${quoteName(id)}: its part has ${held} bytes, ${size} are needed`,
      );
    }
    if (held > size) file.truncateSync(size);
    if (Deno.build.os !== "windows") Deno.chmodSync(this.#parts.path(id), modeFor(options));
    await this.#finish(file, options);
  }

  /** What stands at a path; null also when the way there is gone or refused. */
  #lookAt(at: HomePath): Deno.FileInfo | null {
    try {
      return this.#walker.spot(at).info;
    } catch (error) {
      if (error instanceof TrivetError && error.code !== "INTERNAL") return null;
      throw error;
    }
  }

  /** Makes a file with content, mode and time; the caller closes it. */
  #fill(diskPath: string, content: Omit<NewFile, "path">): Deno.FsFile {
    const { bytes, mtimeMs } = content;
    const mode = modeFor(content);
    const file = Deno.openSync(diskPath, { createNew: true, write: true, mode });
    try {
      for (let done = 0; done < bytes.length;) {
        done += file.writeSync(done === 0 ? bytes : bytes.subarray(done));
      }
      if (this.#folders.masksMode && Deno.build.os !== "windows") Deno.chmodSync(diskPath, mode);
      setTime(file, mtimeMs);
      return file;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /**
   * Sets the time and waits for the disk. The syncs of files that are written at the same time run
   * beside each other, and the file system's log takes them together.
   */
  async #finish(file: Deno.FsFile, { mtimeMs, durability }: PublishOptions): Promise<void> {
    setTime(file, mtimeMs);
    if (durability !== "os") await file.sync();
  }

  #at<T>(verb: string, at: HomePath, work: (checked: HomePath) => T | Promise<T>): Promise<T> {
    return attempt(`${verb} ${quoteName(formatPath(at.path))}`, () => {
      checkUserName(at.user);
      return work({ user: at.user, path: this.#walker.check(at.path) });
    });
  }
}

function setTime(file: Deno.FsFile, mtimeMs: number | undefined): void {
  if (mtimeMs === undefined) return;
  const time = toTime(mtimeMs);
  file.utimeSync(time, time);
}

function modeFor({ mode = 0 }: { readonly mode?: number | undefined }): number {
  return (mode & EXECUTABLE_BITS) === 0 ? FILE_MODE : EXECUTABLE_MODE;
}

async function attempt<T>(doing: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asDepotError(error, doing);
  }
}
