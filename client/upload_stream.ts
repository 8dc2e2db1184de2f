/**
 * Uploads a stream of unknown length, such as stdin. It cannot be read again, so nothing of it is
 * resumed and a damaged chunk ends it.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";
import { checkNetdiskResponse, STREAM_CHUNKS_MAX } from "../lib/netdisk/messages.ts";
import { formatPath } from "../lib/netdisk/path.ts";
import type { RpcClient } from "../lib/rpc/client.ts";
import { chunkCount } from "../lib/transfer/chunks.ts";
import { createDigester, toHex } from "../lib/transfer/digest.ts";
import { ChunkSender } from "../lib/transfer/sender.ts";
import { type ByteReader, StreamSource } from "../lib/transfer/source.ts";
import { abortable } from "./abortable.ts";
import type { DataConnections } from "./connections.ts";
import { sendStream } from "./send_stream.ts";
import { type PacedTransferOptions, ProgressReporter } from "./transfer_types.ts";
import type { UploadResult } from "./upload.ts";
import type { UploadTarget } from "./upload_open.ts";

/** Options of {@linkcode uploadStream}. */
export type UploadStreamOptions =
  & Pick<PacedTransferOptions, "onProgress" | "signal" | "pacer">
  & { readonly target: UploadTarget };

/**
 * Uploads a stream.
 *
 * @param connections Where the connection comes from.
 * @param reader The stream, read to its end.
 * @param options Target and progress.
 * @throws {TrivetError} `DIGEST_MISMATCH`, what the server answers, or why the connection was lost.
 */
export async function uploadStream(
  connections: DataConnections,
  reader: ByteReader,
  options: UploadStreamOptions,
): Promise<UploadResult> {
  using reporter = new ProgressReporter(options, "sending");
  reporter.say("connecting");
  const rpc = await connections.borrow(options.signal);
  try {
    return await sendAll(rpc, reader, { ...options, reporter });
  } finally {
    await connections.giveBack(rpc);
  }
}

async function sendAll(
  rpc: RpcClient,
  reader: ByteReader,
  options: UploadStreamOptions & { readonly reporter: ProgressReporter },
): Promise<UploadResult> {
  const { target, signal, pacer, reporter } = options;
  const { path, overwrite, durability } = target;
  const opening = await rpc.call(
    "put.open",
    { path, overwrite, resume: "never", durability },
    { signal },
  );
  const { uploadId, chunkBytes, skipped } = checkNetdiskResponse("put.open", opening.head);
  if (skipped) {
    const stored = { path: [...path], size: 0, mtimeMs: 0, etag: "", skipped };
    return { stored, sentBytes: 0, verifiedBytes: 0, resumedAtBytes: 0 };
  }
  const digester = await createDigester();
  // A stream that says nothing for long must not hide that the connection is down.
  const ended = signal === undefined ? rpc.failed : AbortSignal.any([signal, rpc.failed]);
  const sender = new ChunkSender({
    source: new StreamSource({ read: (buffer) => abortable(reader.read(buffer), ended) }),
    chunkBytes,
    requestId: 0,
    digester,
    streamChunksMax: STREAM_CHUNKS_MAX,
    ...(pacer === undefined ? {} : { dataBytes: pacer.dataBytes }),
  });
  reporter.follow(() => ({ verifiedBytes: 0, movedBytes: sender.sentBytes }), 0, undefined);
  try {
    await sendChunks(rpc, uploadId, sender, options);
    reporter.say("finishing");
    const size = sender.size ?? 0;
    const digest = toHex(sender.journal.digestAll(digester, chunkCount(size, chunkBytes)));
    const request = { uploadId, size, digest, durability, mtimeMs: Date.now() };
    const { head } = await rpc.call("put.commit", request, { signal });
    const stored = checkNetdiskResponse("put.commit", head);
    return { stored, sentBytes: sender.sentBytes, verifiedBytes: 0, resumedAtBytes: 0 };
  } catch (error) {
    // Nobody can go on with it: it would only take room.
    if (rpc.failure === null) await rpc.call("put.discard", { uploadId }).catch(() => {});
    throw signal?.aborted ? signal.reason : error;
  }
}

async function sendChunks(
  rpc: RpcClient,
  uploadId: string,
  sender: ChunkSender,
  options: UploadStreamOptions,
): Promise<void> {
  while (await sender.hasNext()) {
    const { length } = await sendStream(rpc, uploadId, sender, options);
    if (length === 0) continue;
    throw new TrivetError(
      "DIGEST_MISMATCH",
      `Cannot send to "${formatPath(options.target.path)}": ${length} chunks arrived damaged, ` +
        `and a stream cannot be read again`,
    );
  }
}
