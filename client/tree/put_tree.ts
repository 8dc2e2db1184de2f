/**
 * Uploads files and folders: first the folders, then small files many to a request beside large ones
 * that have connections of their own, and at last the times of the folders.
 *
 * @module
 */

import { type ErrorMessage, TrivetError } from "../../lib/errors.ts";
import { checkNetdiskResponse, type NetdiskRequest } from "../../lib/netdisk/messages.ts";
import { formatPath } from "../../lib/netdisk/path.ts";
import type { Connections } from "../connections.ts";
import { LocalSource } from "../local_source.ts";
import { uploadFile } from "../upload.ts";
import { isSmall } from "../upload_open.ts";
import { GrowingList, pagesOfPlan, type Plan } from "./growing.ts";
import { JOBS_DEFAULT } from "./jobs.ts";
import { leftOutBy } from "./left_out.ts";
import { pagesOf } from "./pages.ts";
import type { LocalEntry } from "./local_walk.ts";
import { packSmallFiles, type SmallFiles } from "./small_files.ts";
import {
  again,
  BATCHES_IN_FLIGHT,
  endingWith,
  inParallel,
  type PacedTreeOptions,
  type TreeResult,
  TreeTally,
} from "./tree_types.ts";

/** A local file or folder, and where it goes. */
export interface PlannedUpload {
  /** What is sent. */
  readonly entry: LocalEntry;
  /** Checked components of its path on the server. */
  readonly target: readonly string[];
}

/**
 * Uploads a plan; one that comes in pages is begun with the first of them.
 *
 * @param connections Where connections come from.
 * @param plan What goes where, folders before what is in them.
 * @param options What happens when a name is taken, and progress.
 * @throws {TrivetError} What concerns all files: `QUOTA_EXCEEDED`, `DISK_FULL`, a connection that is lost
 * for good; what concerns one file is in the result.
 */
export async function putTree(
  connections: Connections,
  plan: Plan<PlannedUpload>,
  options: PacedTreeOptions,
): Promise<TreeResult> {
  return await new TreeUpload(connections, options).run(plan);
}

class TreeUpload {
  readonly #connections: Connections;
  readonly #options: PacedTreeOptions;
  readonly #folders: PlannedUpload[] = [];
  /** The folders of the plan, and the missing ones that may be above them. */
  readonly #newFolders = new Set<string>();
  readonly #small = new GrowingList<PlannedUpload>();
  readonly #large: PlannedUpload[] = [];
  readonly #tally: TreeTally;
  readonly #ending = new AbortController();
  /** Folders that could not be made, which was told. */
  readonly #refused = new Set<string>();

  constructor(connections: Connections, options: PacedTreeOptions) {
    this.#connections = connections;
    this.#options = endingWith(options, this.#ending);
    this.#tally = new TreeTally(options, "sending");
  }

  async run(plan: Plan<PlannedUpload>): Promise<TreeResult> {
    using tally = this.#tally;
    await Promise.allSettled([this.#takePlan(plan), this.#sendSmall()]);
    this.#ending.signal.throwIfAborted();
    tally.say("finishing");
    // Whatever is put into a folder changes its time, so that the innermost come first and last of all.
    await this.#sendFolders(this.#folders.toReversed(), true);
    return tally.result;
  }

  /** Takes the plan as it comes; large files are sent once it is whole. */
  async #takePlan(plan: Plan<PlannedUpload>): Promise<void> {
    try {
      for await (const page of pagesOfPlan(plan)) {
        this.#ending.signal.throwIfAborted();
        for (const item of page) this.#take(item);
      }
      this.#small.end();
      // Small files bring their folders along.
      await this.#sendFolders(this.#foldersOf(this.#large), false);
    } catch (error) {
      this.#ending.abort(error);
      this.#small.fail(error);
      throw error;
    }
    await this.#sendLarge();
  }

  #take(item: PlannedUpload): void {
    const { entry: { type, size }, target } = item;
    if (type === "folder") {
      this.#folders.push(item);
      // With the missing folders above it, as for large files.
      for (let levels = target.length; levels > 0; levels--) {
        const key = formatPath(target.slice(0, levels));
        if (this.#newFolders.has(key)) break;
        this.#newFolders.add(key);
      }
      return;
    }
    this.#tally.expect(size);
    if (isSmall(size)) this.#small.add(item);
    else this.#large.push(item);
  }

  /** The folders of the plan that files need. */
  #foldersOf(files: readonly PlannedUpload[]): PlannedUpload[] {
    const needed = new Set<string>();
    for (const { target } of files) {
      for (let levels = target.length - 1; levels > 0; levels--) {
        const key = formatPath(target.slice(0, levels));
        if (needed.has(key)) break;
        needed.add(key);
      }
    }
    return this.#folders.filter(({ target }) => needed.has(formatPath(target)));
  }

  async #sendFolders(folders: readonly PlannedUpload[], isEnd: boolean): Promise<void> {
    const { durability = "commit" } = this.#options;
    for (const page of pagesOf(folders, ({ target }) => ({ path: target }))) {
      const request: NetdiskRequest<"put.folders"> = {
        durability,
        folders: page.map(({ entry: { mtimeMs }, target }) => ({
          path: [...target],
          ...(isEnd && mtimeMs !== undefined ? { mtimeMs } : {}),
        })),
      };
      const { signal } = this.#options;
      const head = await again(
        () =>
          this.#connections.use(
            async (rpc) => (await rpc.call("put.folders", request, { signal })).head,
            signal,
          ),
        this.#options,
      );
      const { created, failed } = checkNetdiskResponse("put.folders", head);
      this.#tally.done.folders += created;
      for (const { index, error } of failed) {
        const folder = page[index];
        const key = formatPath(folder?.target ?? []);
        if (!this.#refused.has(key)) this.#fail(folder, error);
        this.#refused.add(key);
      }
    }
  }

  async #sendSmall(): Promise<void> {
    const batches = packSmallFiles(this.#small, {
      isNewFolder: (path) => this.#newFolders.has(formatPath(path)),
      onLeftOut: (left) => this.#tally.leaveOut(left),
    });
    const options = { lanes: BATCHES_IN_FLIGHT, ending: this.#ending };
    await inParallel(batches, options, (batch) => this.#sendBatch(batch));
  }

  async #sendBatch(batch: SmallFiles): Promise<void> {
    const { files } = batch;
    try {
      await this.#sendTogether(batch);
    } catch (error) {
      const isFull = error instanceof TrivetError && error.code === "QUOTA_EXCEEDED";
      if (!isFull || files.length === 1) throw error;
      // Until they have replaced what they replace, both count: each for itself needs less room.
      await this.#sendFolders(this.#foldersOf(files), false);
      for (const file of files) await this.#sendAlone(file);
    } finally {
      batch.release();
    }
  }

  async #sendTogether({ files, folders, head, body }: SmallFiles): Promise<void> {
    const { overwrite = "replace", durability = "commit", signal, pacer } = this.#options;
    const request: NetdiskRequest<"put.files"> = {
      overwrite,
      durability,
      folders,
      files: head,
    };
    await pacer?.pass(body.length, signal);
    let tries = 0;
    const answer = await again(() => {
      tries += 1;
      return this.#connections.use(
        async (rpc) => (await rpc.call("put.files", request, { body, signal })).head,
        signal,
      );
    }, this.#options);
    const { failed, skipped, created } = checkNetdiskResponse("put.files", answer);
    this.#tally.done.folders += created;
    const left = new Set(skipped);
    for (const index of skipped) this.#tally.skip(files[index]?.entry.size ?? 0);
    for (const { index, error } of failed) {
      left.add(index);
      const file = files[index];
      // What was lost was the answer, or another program was quicker: alone, it is found out which.
      const isUnsure = error.code === "CHANGED" || (error.code === "EXISTS" && tries > 1);
      if (isUnsure && file !== undefined) await this.#sendAlone(file);
      else this.#fail(file, error);
    }
    for (const [index, { entry }] of files.entries()) {
      if (!left.has(index)) this.#tally.file(entry.size);
    }
  }

  async #sendLarge(): Promise<void> {
    const { jobs = JOBS_DEFAULT } = this.#options;
    const options = { lanes: jobs, ending: this.#ending };
    await inParallel(this.#large, options, (file) => this.#sendAlone(file));
  }

  async #sendAlone({ entry, target: path }: PlannedUpload): Promise<void> {
    const { overwrite = "replace", durability = "commit" } = this.#options;
    const { resume = "auto", signal, pacer, onRetry } = this.#options;
    let moved = 0;
    try {
      using local = await LocalSource.open(entry.local);
      const { stored } = await uploadFile(this.#connections, local, {
        resume,
        signal,
        pacer,
        target: { path, overwrite, durability },
        onProgress: ({ doneBytes }) => {
          this.#tally.move(doneBytes - moved);
          moved = doneBytes;
        },
        ...(onRetry === undefined ? {} : { onRetry }),
      });
      this.#tally.move(-moved);
      if (stored.skipped) this.#tally.skip(local.size);
      else this.#tally.file(stored.size);
    } catch (error) {
      this.#tally.move(-moved);
      this.#tally.leaveOut(leftOutBy(error, entry.local));
    }
  }

  #fail(item: PlannedUpload | undefined, error: ErrorMessage): void {
    if (item === undefined) {
      throw new TrivetError("PROTOCOL_ERROR", "The server answered for a file that was not sent");
    }
    const { entry, target } = item;
    const { code, message } = TrivetError.fromMessage(error);
    const text = `Cannot store ${formatPath(target)}: ${message}`;
    this.#tally.leaveOut(leftOutBy(new TrivetError(code, text), entry.local));
  }
}
