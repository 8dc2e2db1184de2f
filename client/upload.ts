/**
 * Uploads one file: goes on where an earlier upload ended, sends damaged chunks again, and survives
 * lost connections.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";
import {
  checkNetdiskResponse,
  type NetdiskRequest,
  type NetdiskResponse,
  STREAM_CHUNKS_MAX,
} from "../lib/netdisk/messages.ts";
import { formatPath } from "../lib/netdisk/path.ts";
import type { RpcClient } from "../lib/rpc/client.ts";
import { chunkCount, chunkLength, type ChunkRange, toRanges } from "../lib/transfer/chunks.ts";
import { createDigester, type Digester, digestOf, toHex } from "../lib/transfer/digest.ts";
import { ChunkJournal } from "../lib/transfer/journal.ts";
import { ChunkSender } from "../lib/transfer/sender.ts";
import type { DataConnections } from "./connections.ts";
import { localError } from "./local_error.ts";
import type { LocalSource } from "./local_source.ts";
import type { StoredFile } from "./netdisk_types.ts";
import { retrying } from "./retry.ts";
import { sendStream } from "./send_stream.ts";
import {
  findPublished,
  findSkipped,
  isSmall,
  type OpenedUpload,
  openUpload,
  type UploadIntent,
  type UploadTarget,
} from "./upload_open.ts";
import {
  type PacedTransferOptions,
  ProgressReporter,
  REPAIR_ROUNDS_MAX,
  stillDamaged,
} from "./transfer_types.ts";

/** How an upload went. */
export interface UploadResult {
  /** What the server stored. */
  readonly stored: StoredFile;
  /** Bytes that moved, those sent again too. */
  readonly sentBytes: number;
  /** Bytes that were there and proved to be the same. */
  readonly verifiedBytes: number;
  /** Bytes that an earlier upload had left. */
  readonly resumedAtBytes: number;
}

/**
 * Uploads a local file.
 *
 * @param connections Where connections come from.
 * @param local The file.
 * @param options Target, resume and progress.
 * @throws {TrivetError} `CHANGED` when the file changes meanwhile, `DIGEST_MISMATCH`, what the server
 * answers, or why the connection was lost for good.
 */
export async function uploadFile(
  connections: DataConnections,
  local: LocalSource,
  options: PacedTransferOptions & { readonly target: UploadTarget },
): Promise<UploadResult> {
  const upload = new Upload(local, options, await createDigester());
  try {
    return await upload.run(connections);
  } catch (error) {
    throw localError(error, "read", local.path);
  }
}

class Upload {
  readonly #local: LocalSource;
  readonly #options: PacedTransferOptions & { readonly target: UploadTarget };
  readonly #digester: Digester;
  /** Digests of the chunks of the local file, as far as they were read. */
  readonly #journal = new ChunkJournal();
  #reporter: ProgressReporter | undefined;
  #resumedAtBytes: number | undefined;
  #sentBytes = 0;
  #sentChunks = 0;
  #verifiedBytes = 0;
  #wasConnected = false;
  #wasCommitSent = false;

  constructor(
    local: LocalSource,
    options: PacedTransferOptions & { readonly target: UploadTarget },
    digester: Digester,
  ) {
    this.#local = local;
    this.#options = options;
    this.#digester = digester;
  }

  async run(connections: DataConnections): Promise<UploadResult> {
    const { signal, onRetry } = this.#options;
    using reporter = new ProgressReporter(this.#options, "sending");
    this.#reporter = reporter;
    reporter.follow(() => ({ verifiedBytes: 0, movedBytes: 0 }), 0, this.#local.size);
    const stored = await retrying(() => this.#attempt(connections), {
      // Less than a chunk is lost with its connection, so it is no progress.
      progress: () => this.#sentChunks + this.#verifiedBytes,
      // An upload that was never opened cannot have been lost: "always" found nothing to resume.
      canRetry: ({ code }) =>
        this.#wasConnected && (code !== "UPLOAD_NOT_FOUND" || this.#resumedAtBytes !== undefined),
      onRetry: (error, waitMs) => {
        reporter.say("waiting");
        onRetry?.(error, waitMs);
      },
      signal,
    });
    return {
      stored,
      sentBytes: this.#sentBytes,
      verifiedBytes: this.#verifiedBytes,
      resumedAtBytes: this.#resumedAtBytes ?? 0,
    };
  }

  async #attempt(connections: DataConnections): Promise<StoredFile> {
    const { signal } = this.#options;
    this.#reporter?.say("connecting");
    const rpc = await connections.borrow(signal, this.#local.size);
    this.#wasConnected = true;
    try {
      const before = this.#wasCommitSent ? await findPublished(rpc, this.#intent) : undefined;
      if (before !== undefined) return before;
      const isSimple = isSmall(this.#local.size) && this.#options.resume !== "always";
      return isSimple ? await this.#sendSmall(rpc) : await this.#sendChunks(rpc);
    } catch (error) {
      // A call that ended because the link did says no more than that.
      throw signal?.aborted ? signal.reason : error;
    } finally {
      await connections.giveBack(rpc);
    }
  }

  async #sendSmall(rpc: RpcClient): Promise<StoredFile> {
    const { target, signal, pacer } = this.#options;
    const bytes = this.#local.readAll();
    const request: NetdiskRequest<"put.file"> = {
      ...this.#attributes(),
      path: [...target.path],
      overwrite: target.overwrite,
      digest: toHex(digestOf(this.#digester, bytes)),
    };
    this.#reporter?.say("sending");
    await pacer?.pass(bytes.length, signal);
    this.#wasCommitSent = true;
    const { head } = await rpc.call("put.file", request, { body: bytes, signal });
    const stored = checkNetdiskResponse("put.file", head);
    if (!stored.skipped) this.#sentBytes += bytes.length;
    return stored;
  }

  async #sendChunks(rpc: RpcClient): Promise<StoredFile> {
    const { target, signal } = this.#options;
    const { open, held } = await this.#seed(rpc, await this.#open(rpc));
    if (open.skipped) return await findSkipped(rpc, this.#intent);
    const { uploadId, chunkBytes } = open;
    const { size } = this.#local;
    const chunks = chunkCount(size, chunkBytes);
    let bad = await this.#sendRanges(rpc, open, { held, only: this.#unproven(held, chunks) });
    for (let round = 0; bad.length > 0; round++) {
      if (round === REPAIR_ROUNDS_MAX) {
        throw stillDamaged(bad.length, `send to "${formatPath(target.path)}"`);
      }
      this.#checkBad(bad, chunks);
      bad = await this.#sendRanges(rpc, open, { only: toRanges(bad) });
    }
    this.#local.checkUnchanged();
    this.#reporter?.say("finishing");
    const request: NetdiskRequest<"put.commit"> = {
      ...this.#attributes(),
      uploadId,
      size,
      digest: toHex(this.#journal.digestAll(this.#digester, chunks)),
    };
    this.#wasCommitSent = true;
    const { head } = await rpc.call("put.commit", request, { signal });
    return checkNetdiskResponse("put.commit", head);
  }

  /** Opens or continues the upload. */
  async #open(rpc: RpcClient): Promise<OpenedUpload> {
    const { confirmResume, resume = "auto", onResume } = this.#options;
    const intent = this.#intent;
    // What this very upload has sent must not be thrown away after a lost connection.
    const isFirst = this.#resumedAtBytes === undefined;
    let opened = await openUpload(rpc, intent, isFirst ? resume : "auto");
    const { heldBytes } = opened.open;
    if (!isFirst) return opened;
    if (heldBytes > 0 && resume === "auto" && confirmResume !== undefined) {
      const goOn = await confirmResume({ heldBytes, totalBytes: this.#local.size });
      if (!goOn) opened = await openUpload(rpc, intent, "never");
    }
    this.#resumedAtBytes = opened.open.heldBytes;
    if (this.#resumedAtBytes > 0) onResume?.(this.#resumedAtBytes);
    return opened;
  }

  /** Lets what the server holds of other files count, where nothing of this upload is there. */
  async #seed(rpc: RpcClient, opened: OpenedUpload): Promise<OpenedUpload> {
    if (opened.open.seed === undefined) return opened;
    const { signal } = this.#options;
    const { size } = this.#local;
    const read = { bytes: 0 };
    this.#reporter?.follow(() => ({ verifiedBytes: read.bytes, movedBytes: 0 }), 0, size);
    this.#reporter?.say("verifying");
    const { seedUpload } = await import("./upload_seed.ts");
    const seeded = await seedUpload(rpc, opened, {
      local: this.#local,
      journal: this.#journal,
      digester: this.#digester,
      signal,
      onRead: (bytes) => {
        read.bytes += bytes;
      },
    });
    for (const [first, count] of this.#proven(seeded)) {
      for (let index = first; index < first + count; index++) {
        this.#verifiedBytes += chunkLength(index, size, seeded.open.chunkBytes);
      }
    }
    return seeded;
  }

  /** The chunks that are the same on both sides, as far as this process has read its file. */
  #proven({ open, held }: OpenedUpload): ChunkRange[] {
    const proven: number[] = [];
    for (let index = 0; index < chunkCount(this.#local.size, open.chunkBytes); index++) {
      const ours = this.#journal.get(index);
      if (ours !== undefined && held.matches(index, ours)) proven.push(index);
    }
    return toRanges(proven);
  }

  /** The chunks that this process has not yet seen to be the same on both sides. */
  #unproven(held: ChunkJournal, chunks: number): ChunkRange[] {
    const unproven: number[] = [];
    for (let index = 0; index < chunks; index++) {
      const ours = this.#journal.get(index);
      if (ours === undefined || !held.matches(index, ours)) unproven.push(index);
    }
    return toRanges(unproven);
  }

  /** Sends what the server lacks of some chunks; returns those that it wants again. */
  async #sendRanges(
    rpc: RpcClient,
    open: NetdiskResponse<"put.open">,
    chunks: { readonly held?: ChunkJournal; readonly only: readonly ChunkRange[] },
  ): Promise<number[]> {
    const { pacer } = this.#options;
    const { held, only } = chunks;
    const { chunkBytes, uploadId } = open;
    const { size, source } = this.#local;
    const sender = new ChunkSender({
      source,
      size,
      chunkBytes,
      requestId: 0,
      digester: this.#digester,
      journal: this.#journal,
      only,
      streamChunksMax: STREAM_CHUNKS_MAX,
      ...(held === undefined ? {} : { skip: held }),
      ...(pacer === undefined ? {} : { dataBytes: pacer.dataBytes }),
    });
    this.#follow(sender, only, chunkBytes);
    const bad = new Set<number>();
    let streams = 0;
    try {
      // A stream without chunks asks whether what the server claims to hold is still good.
      while (await sender.hasNext() || (streams === 0 && (held?.count ?? 0) > 0)) {
        for (const index of await sendStream(rpc, uploadId, sender, this.#options)) bad.add(index);
        streams += 1;
      }
    } finally {
      this.#sentBytes += sender.sentBytes;
      this.#sentChunks += sender.sentChunks;
      this.#verifiedBytes += sender.verifiedBytes;
    }
    return [...bad].sort((a, b) => a - b);
  }

  #follow(sender: ChunkSender, only: readonly ChunkRange[], chunkBytes: number): void {
    let openBytes = 0;
    for (const [first, count] of only) {
      openBytes += Math.min(this.#local.size, (first + count) * chunkBytes) - first * chunkBytes;
    }
    this.#reporter?.follow(
      () => ({ verifiedBytes: sender.verifiedBytes, movedBytes: sender.sentBytes }),
      this.#local.size - openBytes,
      this.#local.size,
    );
  }

  #checkBad(bad: readonly number[], chunks: number): void {
    for (const index of bad) {
      if (index < chunks) continue;
      const text = `The server wants chunk ${index} again, the file has ${chunks}`;
      throw new TrivetError("FAILED", text);
    }
  }

  get #intent(): UploadIntent {
    const { target, signal } = this.#options;
    const { size, mtimeMs } = this.#local;
    return { target, size, mtimeMs, signal };
  }

  #attributes(): Pick<NetdiskRequest<"put.commit">, "mtimeMs" | "mode" | "durability"> {
    const { mtimeMs, mode } = this.#local;
    return {
      durability: this.#options.target.durability,
      ...(mtimeMs === undefined ? {} : { mtimeMs }),
      ...(mode === undefined ? {} : { mode }),
    };
  }
}
