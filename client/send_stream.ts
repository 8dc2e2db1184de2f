/**
 * One stream of an upload's chunks: `put.data`, DATA, END, and what the server wants again.
 *
 * @module
 */

import { checkNetdiskResponse } from "../lib/netdisk/messages.ts";
import type { RpcClient } from "../lib/rpc/client.ts";
import type { ChunkSender } from "../lib/transfer/sender.ts";
import type { PacedTransferOptions } from "./transfer_types.ts";

/**
 * Sends one stream of chunks.
 *
 * @param rpc The connection.
 * @param uploadId Of the upload, open on this connection.
 * @param sender Makes the frames.
 * @param options Signal and rate.
 * @returns Numbers of the chunks that must be sent again.
 */
export async function sendStream(
  rpc: RpcClient,
  uploadId: string,
  sender: ChunkSender,
  { pacer, signal }: Pick<PacedTransferOptions, "pacer" | "signal">,
): Promise<number[]> {
  const call = await rpc.open("put.data", { uploadId }, { signal });
  try {
    sender.beginStream(call.id);
    for (let frame = await sender.next(); frame !== null; frame = await sender.next()) {
      const wait = pacer?.pass(frame.length, call.signal);
      if (wait !== undefined) await wait;
      await call.send(frame);
    }
    await call.end({}, sender.streamDigests);
    return checkNetdiskResponse("put.data", (await call.response).head).badChunks;
  } finally {
    rpc.release(call);
  }
}
