/**
 * One stream of a download's chunks: `get.open`, RESPONSE, DATA, END.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";
import {
  checkNetdiskResponse,
  type NetdiskRequest,
  type NetdiskResponse,
} from "../lib/netdisk/messages.ts";
import type { RpcClient } from "../lib/rpc/client.ts";
import { DIGEST_ALGORITHM } from "../lib/transfer/digest.ts";
import type { ChunkReceiver } from "../lib/transfer/receiver.ts";
import type { PacedTransferOptions } from "./transfer_types.ts";

/** What the server says of a file before its bytes. */
export type OpenedDownload = NetdiskResponse<"get.open">;

/**
 * Receives one stream of chunks.
 *
 * @param rpc The connection.
 * @param request Which file, and which chunks of it.
 * @param begin Makes the receiver, once the server has said what the file is.
 * @param options Signal and rate.
 * @returns Numbers of the chunks that arrived damaged.
 * @throws {TrivetError} `CHANGED` if the file is not the one that was asked for, what the server
 * answers, or what the sink throws.
 */
export async function receiveStream(
  rpc: RpcClient,
  request: NetdiskRequest<"get.open">,
  begin: (opened: OpenedDownload) => ChunkReceiver,
  { pacer, signal }: Pick<PacedTransferOptions, "pacer" | "signal">,
): Promise<number[]> {
  let receiver: ChunkReceiver | undefined;
  const begun = Promise.withResolvers<ChunkReceiver>();
  // When nobody waits for it, the failure is told by `begin` all the same.
  begun.promise.catch(() => {});
  const call = await rpc.open("get.open", request, {
    signal,
    onData: ({ offset, crc, bytes }) => {
      const accepted = receiver === undefined
        ? begun.promise.then((ready) => ready.accept(offset, crc, bytes))
        : receiver.accept(offset, crc, bytes);
      if (pacer === undefined) return accepted;
      // The connection waits, and with it the server.
      return Promise.all([accepted, pacer.pass(bytes.length, signal)]).then(() => {});
    },
  });
  try {
    const opened = checkNetdiskResponse("get.open", (await call.response).head);
    if (opened.algorithm !== DIGEST_ALGORITHM) {
      const text = `The server's digests are "${opened.algorithm}", not "${DIGEST_ALGORITHM}"`;
      throw new TrivetError("PROTOCOL_ERROR", text);
    }
    receiver = begin(opened);
    begun.resolve(receiver);
    return receiver.finish((await call.ended).body);
  } catch (error) {
    begun.reject(error);
    throw signal?.aborted ? signal.reason : error;
  } finally {
    rpc.release(call);
  }
}
