/**
 * Downloads one file to this machine: goes on where an earlier download ended, asks again for
 * damaged chunks, begins anew when the file has changed, and survives lost connections.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";
import { type NetdiskRequest, RANGES_MAX, STREAM_CHUNKS_MAX } from "../lib/netdisk/messages.ts";
import { formatPath } from "../lib/netdisk/path.ts";
import type { RpcClient } from "../lib/rpc/client.ts";
import { chunkCount, toRanges } from "../lib/transfer/chunks.ts";
import { createDigester, type Digester } from "../lib/transfer/digest.ts";
import { ChunkReceiver } from "../lib/transfer/receiver.ts";
import type { DataConnections } from "./connections.ts";
import { localError, quoteLocal } from "./local_error.ts";
import type { DurabilityMode, OverwriteMode } from "./netdisk_types.ts";
import { type FileAttributes, PartFile } from "./part_file.ts";
import { type OpenedDownload, receiveStream } from "./receive_stream.ts";
import { retrying } from "./retry.ts";
import {
  type PacedTransferOptions,
  ProgressReporter,
  REPAIR_ROUNDS_MAX,
  stillDamaged,
} from "./transfer_types.ts";

/** How often a download begins anew because the file has changed. */
const RESTARTS_MAX = 3;

/** What is downloaded, and to where. */
export interface DownloadTarget {
  /** Checked components of the file on the server. */
  readonly remote: readonly string[];
  /** A message of the chat that carries the file, in place of `remote`. */
  readonly message?: number;
  /** Names server and account, so that a partial file of another one is not continued. */
  readonly server: string;
  /** Path of the file on this machine. */
  readonly local: string;
  /** What happens when the name is taken. */
  readonly overwrite: OverwriteMode;
  /** When the file counts as stored. */
  readonly durability: DurabilityMode;
}

/** How a download went. */
export interface DownloadResult {
  /** Where the file stands; differs from what was asked with `rename`. */
  readonly path: string;
  /** Bytes of the file. */
  readonly sizeBytes: number;
  /** Its etag on the server. */
  readonly etag: string;
  /** When its content last changed, in milliseconds since 1970. */
  readonly mtimeMs: number;
  /** Bytes that moved, those received again too. */
  readonly receivedBytes: number;
  /** Bytes that were there and proved to be good. */
  readonly verifiedBytes: number;
  /** Bytes that an earlier download had left. */
  readonly resumedAtBytes: number;
  /** Whether the name was taken and `skip` left it as it was. */
  readonly skipped: boolean;
}

/** Options of {@linkcode downloadFile}. */
export type DownloadOptions = PacedTransferOptions & { readonly target: DownloadTarget };

/**
 * Downloads a file.
 *
 * @param connections Where connections come from.
 * @param options Target, resume and progress.
 * @throws {TrivetError} `CHANGED` when the file keeps changing, `DIGEST_MISMATCH`, what the server
 * answers, or why the connection was lost for good.
 */
export async function downloadFile(
  connections: DataConnections,
  options: DownloadOptions,
): Promise<DownloadResult> {
  const digester = await createDigester();
  using part = await PartFile.open(options.target.local);
  const download = new Download(part, options, digester);
  try {
    return await download.run(connections);
  } catch (error) {
    // What holds nothing is not worth keeping.
    if (part.heldBytes === 0) await part.discard();
    throw localError(error, "write", options.target.local);
  }
}

class Download {
  readonly #part: PartFile;
  readonly #options: DownloadOptions;
  readonly #digester: Digester;
  #reporter: ProgressReporter | undefined;
  /** Of the file as it is now; absent until the server has answered. */
  #attributes: FileAttributes | undefined;
  #resumedAtBytes = 0;
  #receivedBytes = 0;
  #verifiedBytes = 0;
  #chunks = 0;
  #restarts = 0;
  #wasConnected = false;
  /** Whether what the part holds is of this download, so that only the rest is asked for. */
  #goesOn = false;

  constructor(part: PartFile, options: DownloadOptions, digester: Digester) {
    this.#part = part;
    this.#options = options;
    this.#digester = digester;
  }

  async run(connections: DataConnections): Promise<DownloadResult> {
    const { signal, onRetry, target } = this.#options;
    using reporter = new ProgressReporter(this.#options, "receiving");
    this.#reporter = reporter;
    await this.#prepare();
    await retrying(() => this.#attempt(connections), {
      progress: () => this.#chunks,
      canRetry: () => this.#wasConnected,
      onRetry: (error, waitMs) => {
        reporter.say("waiting");
        onRetry?.(error, waitMs);
      },
      signal,
    });
    const { header } = this.#part;
    const attributes = this.#attributes;
    if (header === undefined || attributes === undefined) throw new TypeError("Nothing was opened");
    reporter.say("finishing");
    const published = await this.#part.publish(attributes, target);
    return {
      ...published,
      sizeBytes: header.size,
      etag: header.etag,
      mtimeMs: attributes.mtimeMs,
      receivedBytes: this.#receivedBytes,
      verifiedBytes: this.#verifiedBytes,
      resumedAtBytes: this.#resumedAtBytes,
    };
  }

  /** Decides whether the partial file goes on, and proves what it holds. */
  async #prepare(): Promise<void> {
    const { resume = "auto", confirmResume, onResume, target, signal } = this.#options;
    const { header } = this.#part;
    const { heldBytes } = this.#part;
    const isOurs = header !== undefined && heldBytes > 0 && header.server === target.server &&
      header.path === formatPath(target.remote);
    const goesOn = isOurs && resume !== "never" &&
      (resume === "always" || confirmResume === undefined ||
        await confirmResume({ heldBytes, totalBytes: header.size }));
    if (resume === "always" && !goesOn) {
      const text = `Cannot resume: there is no partial download for ${quoteLocal(target.local)}`;
      throw new TrivetError("LOCAL_NOT_FOUND", text);
    }
    if (!goesOn) return;
    this.#goesOn = true;
    let verified = 0;
    this.#reporter?.follow(
      () => ({ verifiedBytes: verified, movedBytes: 0 }),
      0,
      header.size,
    );
    await this.#part.verify(this.#digester, (bytes) => {
      verified += bytes;
      signal?.throwIfAborted();
    });
    this.#verifiedBytes = this.#part.heldBytes;
    this.#resumedAtBytes = this.#part.heldBytes;
    if (this.#resumedAtBytes > 0) onResume?.(this.#resumedAtBytes);
  }

  async #attempt(connections: DataConnections): Promise<void> {
    const { signal } = this.#options;
    this.#reporter?.say("connecting");
    const rpc = await connections.borrow(signal);
    this.#wasConnected = true;
    try {
      await this.#receiveAll(rpc);
    } finally {
      await connections.giveBack(rpc);
    }
  }

  async #receiveAll(rpc: RpcClient): Promise<void> {
    for (let round = 0;;) {
      const before = this.#part.journal.count;
      try {
        await this.#receive(rpc);
      } catch (error) {
        if (!(error instanceof TrivetError) || error.code !== "CHANGED") throw error;
        this.#restarts += 1;
        if (this.#restarts > RESTARTS_MAX) throw error;
        this.#goesOn = false;
        this.#resumedAtBytes = 0;
        continue;
      }
      const missing = this.#missing();
      if (missing === 0) return;
      round = this.#part.journal.count > before ? 0 : round + 1;
      if (round >= REPAIR_ROUNDS_MAX) {
        throw stillDamaged(missing, `receive "${formatPath(this.#options.target.remote)}"`);
      }
    }
  }

  /** How many chunks are not yet there. */
  #missing(): number {
    const { header, journal } = this.#part;
    return header === undefined ? 0 : chunkCount(header.size, header.chunkBytes) - journal.count;
  }

  /** Receives what is missing, or as much of it as one stream holds. */
  async #receive(rpc: RpcClient): Promise<void> {
    const { target } = this.#options;
    const { header, journal } = this.#part;
    const { message, remote } = target;
    const request: NetdiskRequest<"get.open"> = message === undefined
      ? { path: [...remote] }
      : { path: [], message };
    if (this.#goesOn && header !== undefined) {
      request.ifMatch = header.etag;
      const chunks = chunkCount(header.size, header.chunkBytes);
      // None are missing when only the last step was: that the file is still the same is asked all
      // the same.
      request.ranges = toRanges(journal.missing(chunks), RANGES_MAX);
    }
    let receiver: ChunkReceiver | undefined;
    try {
      const bad = await receiveStream(rpc, request, (opened) => {
        receiver = this.#begin(opened);
        return receiver;
      }, this.#options);
      for (const index of bad) this.#part.forget(index);
    } finally {
      this.#receivedBytes += receiver?.receivedBytes ?? 0;
    }
  }

  #begin(opened: OpenedDownload): ChunkReceiver {
    const { etag, chunkBytes, entry } = opened;
    const { target } = this.#options;
    const { size, mtimeMs, mode } = entry;
    const path = formatPath(target.remote);
    const { header } = this.#part;
    if (!this.#goesOn || header === undefined) {
      this.#part.begin({ etag, size, chunkBytes, server: target.server, path });
      this.#goesOn = true;
    } else if (header.etag !== etag || header.size !== size || header.chunkBytes !== chunkBytes) {
      throw new TrivetError("CHANGED", `The file "${path}" has changed on the server`);
    }
    this.#attributes = { mtimeMs, mode };
    const receiver = new ChunkReceiver({
      sink: this.#part.sink,
      size,
      chunkBytes,
      journal: this.#part.journal,
      digester: this.#digester,
      streamChunksMax: STREAM_CHUNKS_MAX,
      onChunk: (index, digest) => {
        this.#chunks += 1;
        this.#part.note(index, digest);
      },
    });
    this.#reporter?.follow(
      () => ({ verifiedBytes: 0, movedBytes: receiver.receivedBytes }),
      this.#part.heldBytes,
      size,
    );
    return receiver;
  }
}
