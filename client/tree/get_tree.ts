/**
 * Downloads files and folders: first the folders, then small files many to a request beside large ones
 * that have connections of their own, and at last the times of the folders.
 *
 * @module
 */

import { type ErrorMessage, TrivetError } from "../../lib/errors.ts";
import { checkNetdiskResponse } from "../../lib/netdisk/messages.ts";
import { checkPath, formatPath } from "../../lib/netdisk/path.ts";
import { createDigester, type Digester, digestOf, toHex } from "../../lib/transfer/digest.ts";
import type { Connections } from "../connections.ts";
import { downloadFile } from "../download.ts";
import { localError } from "../local_error.ts";
import { baseName, folderOf } from "../local_path.ts";
import { checkTarget, syncFolder } from "../local_target.ts";
import type { NetdiskEntry } from "../netdisk_types.ts";
import { isSmall } from "../upload_open.ts";
import { GrowingList, pagesOfPlan, type Plan } from "./growing.ts";
import { JOBS_DEFAULT } from "./jobs.ts";
import { leftOutBy } from "./left_out.ts";
import { type SmallContent, writeEmptyFolder, writeSmallFile } from "./local_write.ts";
import { pagesOfGrowing } from "./pages.ts";
import {
  again,
  BATCHES_IN_FLIGHT,
  endingWith,
  inParallel,
  type PacedTreeOptions,
  type TreeResult,
  TreeTally,
} from "./tree_types.ts";

/** A file or folder of the server, and where it goes. */
export interface PlannedDownload {
  /** Checked components of its path on the server. */
  readonly remote: readonly string[];
  /** What it was when it was listed. */
  readonly entry: NetdiskEntry;
  /** Its local path. */
  readonly local: string;
}

/** A small file whose content is here. */
interface ArrivedFile {
  readonly file: PlannedDownload;
  readonly content: SmallContent;
}

/** Options of {@linkcode getTree}. */
export interface GetTreeOptions extends PacedTreeOptions {
  /** Names server and account, so that a partial file of another one is not continued. */
  readonly server: string;
}

/** Rounds in which files that arrived damaged are asked for again. */
const ROUNDS_MAX = 3;

/** Folders that are written through to the disk at a time; each is open meanwhile. */
const SYNCS_IN_FLIGHT = 16;

/** Files for which a folder beside the real one pays. */
const TOGETHER_MIN = 4;

/** Files that are looked at before an interrupt is heard. */
const LOOKS_MAX = 256;

/**
 * Downloads a plan; one that comes in pages is begun with the first of them.
 *
 * @param connections Where connections come from.
 * @param plan What goes where, folders before what is in them.
 * @param options What happens when a name is taken, and progress.
 * @throws {TrivetError} What concerns all files: `DISK_FULL`, a connection that is lost for good; what
 * concerns one file is in the result.
 */
export async function getTree(
  connections: Connections,
  plan: Plan<PlannedDownload>,
  options: GetTreeOptions,
): Promise<TreeResult> {
  return await new TreeDownload(connections, options).run(plan);
}

class TreeDownload {
  readonly #connections: Connections;
  readonly #options: GetTreeOptions;
  /** Folders that are there. */
  readonly #folders: PlannedDownload[] = [];
  /** Small files that are asked for. */
  readonly #small = new GrowingList<PlannedDownload>();
  readonly #large: PlannedDownload[] = [];
  readonly #tally: TreeTally;
  /** Folders that were made here: nothing can stand in the way in them. */
  readonly #made = new Set<string>();
  /** Those of them in which nothing was put yet, where a folder can take the place of an empty one. */
  readonly #empty = new Set<string>();
  /** Folders whose files are new, to be synced. */
  readonly #changed = new Set<string>();
  readonly #ending = new AbortController();

  constructor(connections: Connections, options: GetTreeOptions) {
    this.#connections = connections;
    this.#options = endingWith(options, this.#ending);
    this.#tally = new TreeTally(options, "receiving");
  }

  async run(plan: Plan<PlannedDownload>): Promise<TreeResult> {
    using tally = this.#tally;
    await Promise.allSettled([this.#takePlan(plan), this.#receiveSmall()]);
    this.#ending.signal.throwIfAborted();
    tally.say("finishing");
    if (this.#options.durability !== "os") {
      await inParallel(this.#changed, { lanes: SYNCS_IN_FLIGHT, ending: this.#ending }, syncFolder);
    }
    // Whatever is put into a folder changes its time.
    for (const folder of this.#folders.toReversed()) {
      const time = new Date(folder.entry.mtimeMs);
      this.#each(folder, () => Deno.utimeSync(folder.local, time, time));
    }
    return tally.result;
  }

  /** Takes the plan as it comes; large files are received once it is whole. */
  async #takePlan(plan: Plan<PlannedDownload>): Promise<void> {
    try {
      let looks = 0;
      for await (const page of pagesOfPlan(plan)) {
        for (const item of page) {
          if (looks++ % LOOKS_MAX === 0) await this.#pause();
          await this.#take(item);
        }
      }
      this.#small.end();
    } catch (error) {
      this.#ending.abort(error);
      this.#small.fail(error);
      throw error;
    }
    await this.#receiveLarge();
  }

  async #take(item: PlannedDownload): Promise<void> {
    const { remote, entry: { type, size } } = item;
    if (type === "folder") {
      if (this.#each(item, () => this.#makeFolder(item))) this.#folders.push(item);
      return;
    }
    if (type === "other") {
      const path = formatPath(remote);
      const message = `Left out ${path}: it is neither a file nor a folder`;
      this.#tally.leaveOut({ path, reason: "special", message });
      return;
    }
    this.#tally.expect(size);
    if (!isSmall(size)) this.#large.push(item);
    else if (await this.#isWanted(item)) this.#small.add(item);
  }

  /** Hears an interrupt between calls that do not wait. */
  async #pause(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve));
    this.#options.signal?.throwIfAborted();
  }

  #makeFolder(folder: PlannedDownload): void {
    checkNames(folder);
    const { local } = folder;
    try {
      Deno.mkdirSync(local);
      this.#tally.done.folders += 1;
      this.#made.add(local);
      if (Deno.build.os !== "windows") this.#empty.add(local);
      this.#empty.delete(folderOf(local));
      this.#changed.add(folderOf(local));
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      if (Deno.statSync(local).isDirectory) return;
      throw new TrivetError("EXISTS", `Cannot make folder "${local}": a file has its name`);
    }
  }

  async #receiveSmall(): Promise<void> {
    const digester = await createDigester();
    await inParallel(
      pagesOfGrowing(this.#small, ({ remote, entry, local }) => ({
        path: remote,
        bytes: entry.size,
        group: folderOf(local),
      })),
      { lanes: BATCHES_IN_FLIGHT, ending: this.#ending },
      (page) => this.#receivePage(page, digester),
    );
  }

  /** Asks until every file of a page has its outcome. */
  async #receivePage(page: readonly PlannedDownload[], digester: Digester): Promise<void> {
    let open = page;
    for (let round = 1; open.length > 0; round++) {
      const damaged: PlannedDownload[] = [];
      while (open.length > 0) {
        const taken = await this.#receiveBatch(open, digester, damaged);
        open = open.slice(taken);
      }
      if (damaged.length > 0 && round === ROUNDS_MAX) {
        throw new TrivetError("DIGEST_MISMATCH", `${damaged.length} files keep arriving damaged`);
      }
      open = damaged;
    }
  }

  /** One request; how many of the files it answered. */
  async #receiveBatch(
    open: readonly PlannedDownload[],
    digester: Digester,
    damaged: PlannedDownload[],
  ): Promise<number> {
    const { signal, pacer } = this.#options;
    const request = { paths: open.map(({ remote }) => [...remote]) };
    const { head, body } = await again(
      () => this.#connections.use((rpc) => rpc.call("get.files", request, { signal }), signal),
      this.#options,
    );
    await pacer?.pass(body.length, signal);
    const { files } = checkNetdiskResponse("get.files", head);
    if (files.length === 0 || files.length > open.length) {
      throw new TrivetError(
        "PROTOCOL_ERROR",
        "The server answered for files that were not asked for",
      );
    }
    let at = 0;
    const arrived: ArrivedFile[] = [];
    const alone: PlannedDownload[] = [];
    for (const [index, answer] of files.entries()) {
      const file = open[index];
      if (file === undefined) continue;
      if ("large" in answer) alone.push(file);
      else if ("error" in answer) this.#fail(file, answer.error);
      else {
        const bytes = body.subarray(at, at += answer.size);
        if (bytes.length !== answer.size) {
          throw new TrivetError("PROTOCOL_ERROR", "The server sent less than it announced");
        }
        if (toHex(digestOf(digester, bytes)) !== answer.digest) damaged.push(file);
        else arrived.push({ file, content: { bytes, attributes: answer } });
      }
    }
    alone.push(...await this.#writeAll(arrived));
    for (const file of alone) await this.#receiveAlone(file);
    return files.length;
  }

  /** Writes what has arrived; returns the files that are to be received alone. */
  async #writeAll(arrived: readonly ArrivedFile[]): Promise<PlannedDownload[]> {
    const alone: PlannedDownload[] = [];
    const folders = Map.groupBy(arrived, ({ file }) => folderOf(file.local));
    const ended = await Promise.allSettled(
      [...folders].map(async ([folder, files]) => {
        if (await this.#writeTogether(folder, files)) return;
        const ended = await Promise.allSettled(files.map(async ({ file, content }) => {
          if (!await this.#write(file, content)) alone.push(file);
        }));
        for (const end of ended) if (end.status === "rejected") throw end.reason;
      }),
    );
    for (const end of ended) if (end.status === "rejected") throw end.reason;
    return alone;
  }

  /** The first files of a folder that was made here, in one step; whether it worked. */
  async #writeTogether(folder: string, files: readonly ArrivedFile[]): Promise<boolean> {
    if (files.length < TOGETHER_MIN || !this.#empty.delete(folder)) return false;
    const { durability = "commit" } = this.#options;
    const contents = new Map(files.map(({ file, content }) => [baseName(file.local), content]));
    if (!await writeEmptyFolder(folder, contents, durability)) return false;
    for (const { content } of files) this.#tally.file(content.bytes.length);
    this.#changed.add(folder).add(folderOf(folder));
    return true;
  }

  /** Whether this was the end of it: else the file is to be received alone. */
  async #write(
    file: PlannedDownload,
    content: SmallContent,
  ): Promise<boolean> {
    const { overwrite = "replace", durability = "commit" } = this.#options;
    const { local } = file;
    const { bytes } = content;
    try {
      const isWritten = await writeSmallFile(local, { ...content, overwrite, durability });
      if (isWritten) {
        this.#tally.file(bytes.length);
        this.#changed.add(folderOf(local));
      } else this.#tally.skip(bytes.length);
    } catch (error) {
      // The part of a download that was interrupted: continued, or thrown away, by its own rules.
      if (error instanceof TrivetError && error.code === "LOCAL_IN_USE") return false;
      this.#tally.leaveOut(leftOutBy(localError(error, "write", local), formatPath(file.remote)));
    }
    return true;
  }

  async #receiveLarge(): Promise<void> {
    const { jobs = JOBS_DEFAULT } = this.#options;
    await inParallel(this.#large, { lanes: jobs, ending: this.#ending }, async (file) => {
      if (await this.#isWanted(file)) await this.#receiveAlone(file);
    });
  }

  async #receiveAlone({ remote, local }: PlannedDownload): Promise<void> {
    const { overwrite = "replace", durability = "commit", resume = "auto" } = this.#options;
    const { server, signal, pacer, onRetry } = this.#options;
    let moved = 0;
    try {
      const result = await downloadFile(this.#connections, {
        resume,
        signal,
        pacer,
        target: { remote, server, local, overwrite, durability },
        onProgress: ({ doneBytes }) => {
          this.#tally.move(doneBytes - moved);
          moved = doneBytes;
        },
        ...(onRetry === undefined ? {} : { onRetry }),
      });
      this.#tally.move(-moved);
      if (result.skipped) this.#tally.skip(result.sizeBytes);
      else this.#tally.file(result.sizeBytes);
    } catch (error) {
      this.#tally.move(-moved);
      this.#tally.leaveOut(leftOutBy(error, formatPath(remote)));
    }
  }

  /** Whether a file is to be asked for: not where its name is taken and stays as it is. */
  async #isWanted(file: PlannedDownload): Promise<boolean> {
    const { overwrite = "replace" } = this.#options;
    const { remote, entry, local } = file;
    try {
      checkNames(file);
      if (this.#made.has(folderOf(local)) || !await checkTarget(local, overwrite)) return true;
      this.#tally.skip(entry.size);
    } catch (error) {
      this.#tally.leaveOut(leftOutBy(error, formatPath(remote)));
    }
    return false;
  }

  /** Whether it worked; else it is told. */
  #each({ remote, local }: PlannedDownload, work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      this.#tally.leaveOut(leftOutBy(localError(error, "write", local), formatPath(remote)));
      return false;
    }
  }

  #fail({ remote }: PlannedDownload, error: ErrorMessage): void {
    const path = formatPath(remote);
    const { code, message } = TrivetError.fromMessage(error);
    this.#tally.leaveOut(leftOutBy(new TrivetError(code, message), path));
  }
}

/** A path from a server becomes a local one only by the rules of this system, with all its names. */
function checkNames({ remote, local }: PlannedDownload): void {
  checkPath(remote, { names: "native" });
  checkPath([baseName(local)], { names: Deno.build.os === "windows" ? "portable" : "native" });
}
