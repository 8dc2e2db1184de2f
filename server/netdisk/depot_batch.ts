/**
 * Publishing many small files at once. Each takes its name by a rename, as a single one does; but
 * folders are looked at once for all files in them, a folder that is new is built beside the homes
 * and takes its place with all its files in one rename, the disk is asked once for each folder, and
 * the catalog writes one intent for all.
 *
 * @module
 */

import { basename } from "node:path";
import { TrivetError } from "../../lib/errors.ts";
import { formatPath, quoteName } from "../../lib/netdisk/path.ts";
import type {
  Batch,
  BatchOptions,
  BatchOutcome,
  BatchResult,
  NewFile,
  PlannedFile,
} from "./depot.ts";
import { BatchFolders, type StagedFolder, type StagedRoot } from "./depot_batch_folders.ts";
import { asDepotError } from "./depot_errors.ts";
import { makeFolders } from "./depot_mkdir.ts";
import type { PartStore } from "./depot_parts.ts";
import { place, type Publisher, refuseTwin, sameTarget, type Target } from "./depot_publish.ts";
import { byteLength, isReachable } from "./depot_reach.ts";
import type { FolderSync } from "./depot_sync.ts";
import type { FolderSpot, Walker } from "./depot_walk.ts";
import { OpenFiles } from "./open_files.ts";

/** Files and folders that all batches together may have open; each twice while the disk takes it. */
const OPEN_FILES_MAX = 1024;

/** What a {@linkcode BatchWriter} works with. */
export interface BatchParts {
  readonly walker: Walker;
  readonly publisher: Publisher;
  readonly sync: FolderSync;
  readonly parts: PartStore;
  /** Makes a part with content, time and mode; the caller closes it. */
  readonly fill: (diskPath: string, content: NewFile) => Deno.FsFile;
}

/** A file with its place, before it is published. */
interface Planned {
  readonly index: number;
  readonly file: NewFile;
  /** Where it is written first. */
  readonly diskPath: string;
  /** What it goes into: a place in a home, or a folder that is new. */
  readonly to: Target | StagedFolder;
}

/** Publishes files in batches. */
export class BatchWriter {
  readonly #with: BatchParts;
  readonly #open = new OpenFiles(OPEN_FILES_MAX);

  constructor(parts: BatchParts) {
    this.#with = parts;
  }

  /** See `Depot.writeBatch`; paths are checked. */
  async write(id: string, batch: Batch, options: BatchOptions): Promise<BatchResult> {
    return await new RunningBatch(this.#with, { id, batch, options, open: this.#open }).run();
  }
}

class RunningBatch {
  readonly #with: BatchParts;
  readonly #id: string;
  readonly #batch: Batch;
  readonly #options: BatchOptions;
  readonly #open: OpenFiles;
  readonly #outcomes: BatchOutcome[] = [];
  /** Folders in which something was published. */
  readonly #changed = new Set<string>();
  /** New folders that stand in their place, by the path at which they were built. */
  readonly #placedRoots = new Set<string>();
  #foldersMade = 0;

  constructor(
    parts: BatchParts,
    run: {
      readonly id: string;
      readonly batch: Batch;
      readonly options: BatchOptions;
      readonly open: OpenFiles;
    },
  ) {
    this.#with = parts;
    this.#id = run.id;
    this.#batch = run.batch;
    this.#options = run.options;
    this.#open = run.open;
  }

  async run(): Promise<BatchResult> {
    const { intent, durability } = this.#options;
    const folders = this.#folders();
    const planned = this.#planAll(folders).filter((plan) => this.#isFree(plan, folders));
    if (planned.length === 0) return { outcomes: this.#outcomes, foldersMade: 0 };
    let isIntended = false;
    try {
      await this.#writeParts(planned, folders);
      await intent?.(planned.map(toIntent));
      isIntended = intent !== undefined;
      this.#placeAll(planned, folders.roots);
      if (durability !== "os") {
        using _open = await this.#open.take(this.#changed.size);
        await Promise.all([...this.#changed].map((folder) => this.#with.sync.request(folder)));
      }
    } catch (error) {
      // Once intended, what is left says how far it came.
      if (!isIntended) {
        for (const { index } of planned) this.#with.parts.remove(this.#partId(index));
      }
      throw error;
    } finally {
      for (const { diskPath } of folders.roots) {
        // One that is not in its place; the others are not here any more.
        if (!this.#placedRoots.has(diskPath)) this.#with.parts.remove(basename(diskPath));
      }
    }
    return { outcomes: this.#outcomes, foldersMade: this.#foldersMade };
  }

  #folders(): BatchFolders {
    const { user, folders } = this.#batch;
    const staging = this.#with.parts.path(this.#id);
    return new BatchFolders(this.#with.walker, { user, newFolders: folders, staging });
  }

  /** Where each file would go now; those that cannot have their outcome. */
  #planAll(folders: BatchFolders): Planned[] {
    const { user, files } = this.#batch;
    const { overwrite } = this.#options;
    const seen = new Set<string>();
    const planned: Planned[] = [];
    let prefixBytes: number | undefined;
    for (const [index, file] of files.entries()) {
      try {
        const key = this.#with.walker.key(file.path);
        // Siblings that are the same by the rules for names must not arrive side by side.
        if (seen.has(key)) throw twice(file);
        seen.add(key);
        this.#checkReach(file, prefixBytes ??= this.#prefixBytes(folders));
        const name = file.path.at(-1) ?? "";
        const folder = folders.get(file.path.slice(0, -1));
        if ("root" in folder) {
          planned.push({ index, file, diskPath: `${folder.diskPath}/${name}`, to: folder });
          continue;
        }
        const spot = this.#with.walker.child(folder, name, file.path);
        const to = this.#with.publisher.targetAt(spot, { user, path: file.path }, overwrite);
        if (overwrite === "skip" && to.taken !== null) {
          this.#outcomes[index] = { state: "skipped", path: to.path };
          continue;
        }
        planned.push({ index, file, diskPath: this.#with.parts.path(this.#partId(index)), to });
      } catch (error) {
        this.#fail(index, error);
      }
    }
    return planned;
  }

  /** One file whose path the system does not take must not keep the others from their places. */
  #checkReach({ path }: NewFile, prefixBytes: number): void {
    if (isReachable(prefixBytes + byteLength(formatPath(path)))) return;
    const shown = quoteName(formatPath(path));
    const text = `Cannot write ${shown}: the server's file system takes no path this long`;
    throw new TrivetError("PATH_TOO_LONG", text);
  }

  /** Bytes that stand in front of a path on the disk, at most. */
  #prefixBytes(folders: BatchFolders): number {
    const home = byteLength(folders.get([]).diskPath);
    // A new folder is built below a number in the folder of this batch.
    const staging = byteLength(this.#with.parts.path(this.#id));
    return Math.max(home, staging + 1 + String(this.#batch.files.length).length);
  }

  /** In a folder that is new, a file must not have the name of a new folder. */
  #isFree({ index, file, to }: Planned, folders: BatchFolders): boolean {
    const other = "root" in to ? folders.stagedLike(file.path) : undefined;
    if (other === undefined) return true;
    const shown = quoteName(formatPath(file.path));
    const text = `Cannot write ${shown}: the folder ${quoteName(other)} has the name`;
    this.#fail(index, new TrivetError("IS_FOLDER", text));
    return false;
  }

  async #writeParts(planned: readonly Planned[], folders: BatchFolders): Promise<void> {
    const isSynced = this.#options.durability !== "os";
    using _open = await this.#open.take(isSynced ? planned.length + folders.staged.length : 1);
    folders.makeStaged();
    await using open = new AsyncDisposableStack();
    const syncing: Promise<void>[] = [];
    for (const { diskPath, file } of planned) {
      const part = this.#with.fill(diskPath, file);
      if (!isSynced) {
        part.close();
        continue;
      }
      open.defer(() => part.close());
      // The disk takes those that wait together.
      syncing.push(part.sync());
    }
    if (isSynced) {
      for (const folder of folders.staged) syncing.push(this.#with.sync.request(folder.diskPath));
    }
    const ended = await Promise.allSettled(syncing);
    for (const end of ended) if (end.status === "rejected") throw end.reason;
  }

  /** From the last look to the renames without a pause. */
  #placeAll(planned: readonly Planned[], roots: readonly StagedRoot[]): void {
    const placed = this.#placedRoots;
    for (const root of roots) if (this.#placeRoot(root)) placed.add(root.diskPath);
    const fresh = new BatchFolders(this.#with.walker, { user: this.#batch.user });
    const added = new Map<FolderSpot, string[]>();
    for (const plan of planned) {
      const { index, file, to } = plan;
      try {
        if ("root" in to && placed.has(to.root.diskPath)) {
          this.#outcomes[index] = { state: "published", path: file.path };
          continue;
        }
        const target = this.#placeFile(plan, fresh);
        const { folder, name } = target.spot;
        const names = added.get(folder) ?? [];
        if (target.taken === null) names.push(name);
        added.set(folder, names);
        this.#outcomes[index] = { state: "published", path: target.path };
      } catch (error) {
        if (!("root" in to)) this.#with.parts.remove(this.#partId(index));
        this.#fail(index, error);
      }
    }
    for (const [folder, names] of added) {
      this.#with.walker.addedAll(folder, names);
      this.#changed.add(folder.diskPath);
    }
  }

  /** Gives a new folder its place with all that is in it; not when somebody was quicker. */
  #placeRoot({ path, diskPath, folders }: StagedRoot): boolean {
    const { walker } = this.#with;
    try {
      const spot = walker.spot({ user: this.#batch.user, path });
      refuseTwin(spot, path);
      if (spot.info !== null) return false;
      Deno.renameSync(diskPath, spot.diskPath);
      walker.added(spot);
      this.#changed.add(spot.folder.diskPath);
      this.#foldersMade += folders;
      return true;
    } catch {
      // Each of its files says by itself what is in the way.
      return false;
    }
  }

  #placeFile({ file, diskPath, to }: Planned, folders: BatchFolders): Target {
    const { user } = this.#batch;
    const { overwrite } = this.#options;
    const parent = file.path.slice(0, -1);
    if ("root" in to) {
      const made = makeFolders(this.#with.walker, { user, path: parent }, true);
      for (const folder of made) this.#changed.add(folder);
      this.#foldersMade += made.length;
    }
    const folder = folders.get(parent);
    if ("root" in folder) throw changed(file);
    const spot = this.#with.walker.child(folder, file.path.at(-1) ?? "", file.path);
    const target = this.#with.publisher.targetAt(spot, { user, path: file.path }, overwrite);
    // Of what was to be in a new folder, nothing was planned to be replaced or to be renamed.
    const isPlanned = "root" in to ? spot.info === null : sameTarget(to, target);
    const part = { diskPath, size: file.bytes.length };
    if (!isPlanned || !place(part, target, overwrite)) throw changed(file);
    return target;
  }

  #fail(index: number, error: unknown): void {
    const path = this.#batch.files[index]?.path ?? [];
    const failure = asDepotError(error, `write ${quoteName(formatPath(path))}`);
    this.#outcomes[index] = { state: "failed", error: failure };
  }

  #partId(index: number): string {
    return `${this.#id}-${index}`;
  }
}

function toIntent({ index, file, to }: Planned): PlannedFile {
  const size = file.bytes.length;
  if ("root" in to) return { index, path: file.path, size, replacedBytes: 0, replacedFiles: 0 };
  const replacedFiles = to.taken === null ? 0 : 1;
  return { index, path: to.path, size, replacedBytes: to.taken?.size ?? 0, replacedFiles };
}

function twice({ path }: NewFile): TrivetError {
  const shown = quoteName(formatPath(path));
  return new TrivetError(
    "INVALID_REQUEST",
    `Cannot write ${shown}: it is named twice in one request`,
  );
}

function changed({ path }: NewFile): TrivetError {
  const shown = quoteName(formatPath(path));
  return new TrivetError("CHANGED", `Cannot write ${shown}: another program changes it`);
}
