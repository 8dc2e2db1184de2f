/**
 * Publishing many small files at once. Each becomes a part and then takes its name by a rename, as a
 * single one does; but folders are looked at once for all files in them, the disk is asked once for
 * each folder, and the catalog writes one intent for all.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { formatPath, quoteName } from "../../lib/netdisk/path.ts";
import type { BatchOptions, BatchOutcome, NewFile, PlannedFile } from "./depot.ts";
import { asDepotError } from "./depot_errors.ts";
import type { PartStore } from "./depot_parts.ts";
import { place, type Publisher, sameTarget, type Target } from "./depot_publish.ts";
import type { FolderSync } from "./depot_sync.ts";
import type { FolderSpot, Walker } from "./depot_walk.ts";

/** What a {@linkcode BatchWriter} works with. */
export interface BatchParts {
  readonly walker: Walker;
  readonly publisher: Publisher;
  readonly sync: FolderSync;
  readonly parts: PartStore;
  /** Writes content, time and mode of a part; the caller closes it. */
  readonly fill: (file: Deno.FsFile, partId: string, content: NewFile) => void;
  /** Mode of a part. */
  readonly modeOf: (file: NewFile) => number;
}

/** A file with its place, before it is published. */
interface Planned {
  readonly index: number;
  readonly file: NewFile;
  readonly target: Target;
}

/** The id of a file's part. */
export function batchPartId(batchId: string, index: number): string {
  return `${batchId}-${index}`;
}

/** Publishes files in batches. */
export class BatchWriter {
  readonly #with: BatchParts;

  constructor(parts: BatchParts) {
    this.#with = parts;
  }

  /** See `Depot.writeBatch`; paths are checked. */
  async write(
    id: string,
    user: string,
    files: readonly NewFile[],
    options: BatchOptions,
  ): Promise<BatchOutcome[]> {
    const outcomes: BatchOutcome[] = [];
    const planned = this.#planAll(user, files, { options, outcomes });
    let isIntended = false;
    try {
      await this.#writeParts(id, planned, options.durability);
      if (planned.length > 0) {
        await options.intent?.(planned.map(toIntent));
        isIntended = options.intent !== undefined;
      }
      const changed = this.#placeAll(id, user, planned, { options, outcomes });
      if (options.durability !== "os") {
        await Promise.all([...changed].map((folder) => this.#with.sync.request(folder)));
      }
    } finally {
      // Once intended, what is left says how far it came.
      if (!isIntended) { for (const { index } of planned) this.#removePart(id, index); }
    }
    return outcomes;
  }

  /** Where each file would go now; those that cannot have their outcome. */
  #planAll(
    user: string,
    files: readonly NewFile[],
    { options, outcomes }: { options: BatchOptions; outcomes: BatchOutcome[] },
  ): Planned[] {
    const folders = new FolderCache(this.#with.walker, user);
    const seen = new Set<string>();
    const planned: Planned[] = [];
    for (const [index, file] of files.entries()) {
      try {
        const key = this.#with.walker.key(file.path);
        // Siblings that are the same by the rules for names must not arrive side by side.
        if (seen.has(key)) throw twice(file);
        seen.add(key);
        const target = this.#target(folders, user, file, options);
        if (options.overwrite === "skip" && target.taken !== null) {
          outcomes[index] = { state: "skipped", path: target.path };
        } else planned.push({ index, file, target });
      } catch (error) {
        outcomes[index] = { state: "failed", error: asFailure(error, file) };
      }
    }
    return planned;
  }

  async #writeParts(
    id: string,
    planned: readonly Planned[],
    durability: BatchOptions["durability"],
  ): Promise<void> {
    const { parts, fill, modeOf } = this.#with;
    await using open = new AsyncDisposableStack();
    const syncing: Promise<void>[] = [];
    for (const { index, file } of planned) {
      const partId = batchPartId(id, index);
      const part = parts.createFile(partId, modeOf(file));
      try {
        fill(part, partId, file);
      } catch (error) {
        part.close();
        throw error;
      }
      if (durability === "os") {
        part.close();
        continue;
      }
      open.defer(() => part.close());
      // The disk takes those that wait together.
      syncing.push(part.sync());
    }
    const ended = await Promise.allSettled(syncing);
    for (const end of ended) if (end.status === "rejected") throw end.reason;
  }

  /** From the last look to the rename without a pause; answers the folders that have changed. */
  #placeAll(
    id: string,
    user: string,
    planned: readonly Planned[],
    { options, outcomes }: { options: BatchOptions; outcomes: BatchOutcome[] },
  ): Set<string> {
    const folders = new FolderCache(this.#with.walker, user);
    const added = new Map<FolderSpot, string[]>();
    for (const { index, file, target: before } of planned) {
      try {
        const target = this.#target(folders, user, file, options);
        const part = this.#with.parts.path(batchPartId(id, index));
        const size = file.bytes.length;
        if (
          !sameTarget(before, target) || !place({ diskPath: part, size }, target, options.overwrite)
        ) {
          throw changed(file);
        }
        const { folder, name } = target.spot;
        const names = added.get(folder);
        if (names === undefined) added.set(folder, target.taken === null ? [name] : []);
        else if (target.taken === null) names.push(name);
        outcomes[index] = { state: "published", path: target.path };
      } catch (error) {
        this.#removePart(id, index);
        outcomes[index] = { state: "failed", error: asFailure(error, file) };
      }
    }
    for (const [folder, names] of added) this.#with.walker.addedAll(folder, names);
    return new Set([...added.keys()].map(({ diskPath }) => diskPath));
  }

  #target(folders: FolderCache, user: string, file: NewFile, options: BatchOptions): Target {
    const { path } = file;
    const folder = folders.get(path.slice(0, -1));
    const spot = this.#with.walker.child(folder, path.at(-1) ?? "", path);
    return this.#with.publisher.targetAt(spot, { user, path }, options.overwrite);
  }

  #removePart(id: string, index: number): void {
    this.#with.parts.remove(batchPartId(id, index));
  }
}

/** The folders of one batch, each walked to once. */
class FolderCache {
  readonly #walker: Walker;
  readonly #user: string;
  readonly #found = new Map<string, FolderSpot>();

  constructor(walker: Walker, user: string) {
    this.#walker = walker;
    this.#user = user;
  }

  get(path: readonly string[]): FolderSpot {
    const key = path.join("/");
    let folder = this.#found.get(key);
    if (folder === undefined) {
      folder = this.#walker.folder({ user: this.#user, path });
      this.#found.set(key, folder);
    }
    return folder;
  }
}

function toIntent({ index, file, target }: Planned): PlannedFile {
  const { path, taken } = target;
  return { index, path, size: file.bytes.length, replacedBytes: taken?.size ?? 0 };
}

function asFailure(error: unknown, { path }: NewFile): TrivetError {
  return asDepotError(error, `write ${quoteName(formatPath(path))}`);
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
