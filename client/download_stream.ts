/**
 * Downloads a file to a stream, such as stdout. What was written cannot be taken back, so damaged
 * frames are asked for again before anything behind them is written.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";
import { type NetdiskRequest, STREAM_CHUNKS_MAX } from "../lib/netdisk/messages.ts";
import { formatPath } from "../lib/netdisk/path.ts";
import type { RpcClient } from "../lib/rpc/client.ts";
import { chunkCount } from "../lib/transfer/chunks.ts";
import { createDigester, type Digester } from "../lib/transfer/digest.ts";
import { ChunkJournal } from "../lib/transfer/journal.ts";
import { ChunkReceiver } from "../lib/transfer/receiver.ts";
import { type ByteWriter, StreamSink } from "../lib/transfer/sink.ts";
import type { DataConnections } from "./connections.ts";
import { type OpenedDownload, receiveStream } from "./receive_stream.ts";
import { retrying } from "./retry.ts";
import {
  type PacedTransferOptions,
  ProgressReporter,
  REPAIR_ROUNDS_MAX,
  stillDamaged,
} from "./transfer_types.ts";

/** Options of {@linkcode downloadStream}. */
export type DownloadStreamOptions =
  & Pick<PacedTransferOptions, "onProgress" | "onRetry" | "signal" | "pacer">
  & {
    /** Checked components of the file on the server. */
    readonly remote: readonly string[];
  };

/** How a download to a stream went. */
export interface DownloadStreamResult {
  /** Bytes of the file. */
  readonly sizeBytes: number;
  /** Its etag on the server. */
  readonly etag: string;
  /** Bytes that moved, those received again too. */
  readonly receivedBytes: number;
}

/**
 * Downloads a file to a stream.
 *
 * @param connections Where connections come from.
 * @param writer Takes the bytes.
 * @param options What, and progress.
 * @throws {TrivetError} `CHANGED` when the file changes meanwhile, `DIGEST_MISMATCH`, what the server
 * answers, or why the connection was lost for good.
 */
export async function downloadStream(
  connections: DataConnections,
  writer: ByteWriter,
  options: DownloadStreamOptions,
): Promise<DownloadStreamResult> {
  const download = new StreamDownload(writer, options, await createDigester());
  return await download.run(connections);
}

class StreamDownload {
  readonly #options: DownloadStreamOptions;
  readonly #digester: Digester;
  readonly #sink: StreamSink;
  readonly #journal = new ChunkJournal();
  #opened: OpenedDownload | undefined;
  #reporter: ProgressReporter | undefined;
  #receivedBytes = 0;
  /** Whether something damaged was written. */
  #isLost = false;
  #wasConnected = false;

  constructor(writer: ByteWriter, options: DownloadStreamOptions, digester: Digester) {
    this.#sink = new StreamSink(writer);
    this.#options = options;
    this.#digester = digester;
  }

  async run(connections: DataConnections): Promise<DownloadStreamResult> {
    const { signal, onRetry } = this.#options;
    using reporter = new ProgressReporter(this.#options, "receiving");
    this.#reporter = reporter;
    await retrying(() => this.#attempt(connections), {
      progress: () => this.#sink.position,
      canRetry: () => this.#wasConnected,
      onRetry: (error, waitMs) => {
        reporter.say("waiting");
        onRetry?.(error, waitMs);
      },
      signal,
    });
    const { entry, etag } = this.#mustBeOpened();
    return { sizeBytes: entry.size, etag, receivedBytes: this.#receivedBytes };
  }

  async #attempt(connections: DataConnections): Promise<void> {
    this.#reporter?.say("connecting");
    const rpc = await connections.borrow(this.#options.signal);
    this.#wasConnected = true;
    try {
      for (let damages = 0;;) {
        const before = this.#sink.position;
        await this.#receive(rpc);
        if (this.#sink.position === this.#mustBeOpened().entry.size) return;
        damages = this.#sink.position > before ? 0 : damages + 1;
        if (damages >= REPAIR_ROUNDS_MAX) {
          throw stillDamaged(1, `receive "${formatPath(this.#options.remote)}"`);
        }
      }
    } finally {
      await connections.giveBack(rpc);
    }
  }

  /** Receives from the first byte that is not yet written. */
  async #receive(rpc: RpcClient): Promise<void> {
    const request: NetdiskRequest<"get.open"> = { path: [...this.#options.remote] };
    const opened = this.#opened;
    if (opened !== undefined) {
      const { chunkBytes, entry, etag } = opened;
      const first = Math.floor(this.#sink.position / chunkBytes);
      const chunks = chunkCount(entry.size, chunkBytes);
      request.ifMatch = etag;
      request.ranges = first < chunks ? [[first, chunks - first]] : [];
    }
    let receiver: ChunkReceiver | undefined;
    try {
      const bad = await receiveStream(rpc, request, (answer) => {
        receiver = this.#begin(answer);
        return receiver;
      }, this.#options);
      for (const index of bad) this.#checkUnwritten(index);
    } catch (error) {
      // The sink found a gap: a frame before it was damaged, and is asked for again.
      const isGap = error instanceof TrivetError && error.code === "DIGEST_MISMATCH";
      if (!isGap || this.#isLost) throw error;
    } finally {
      this.#receivedBytes += receiver?.receivedBytes ?? 0;
    }
  }

  /** A chunk whose frames had good checksums was written as it came; nobody can take it back. */
  #checkUnwritten(index: number): void {
    const { chunkBytes, entry } = this.#mustBeOpened();
    const end = Math.min((index + 1) * chunkBytes, entry.size);
    if (this.#sink.position < end) return;
    this.#isLost = true;
    const text = `Cannot receive "${formatPath(this.#options.remote)}": chunk ${index} is damaged`;
    throw new TrivetError("DIGEST_MISMATCH", text);
  }

  #begin(opened: OpenedDownload): ChunkReceiver {
    const { chunkBytes, entry } = opened;
    this.#opened ??= opened;
    const receiver = new ChunkReceiver({
      sink: this.#sink,
      size: entry.size,
      chunkBytes,
      journal: this.#journal,
      digester: this.#digester,
      streamChunksMax: STREAM_CHUNKS_MAX,
    });
    this.#reporter?.follow(
      () => ({ verifiedBytes: 0, movedBytes: this.#sink.position }),
      0,
      entry.size,
    );
    return receiver;
  }

  #mustBeOpened(): OpenedDownload {
    if (this.#opened === undefined) throw new TypeError("Nothing was opened");
    return this.#opened;
  }
}
