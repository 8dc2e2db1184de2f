/**
 * Lets an upload begin with what the server holds already, where it has offered that.
 *
 * @module
 */

import { checkNetdiskResponse } from "../lib/netdisk/messages.ts";
import type { RpcClient } from "../lib/rpc/client.ts";
import { chunkCount } from "../lib/transfer/chunks.ts";
import { type Digester, toHex } from "../lib/transfer/digest.ts";
import type { ChunkJournal } from "../lib/transfer/journal.ts";
import { readChunks } from "../lib/transfer/chunk_digests.ts";
import type { LocalSource } from "./local_source.ts";
import { type OpenedUpload, readJournal } from "./upload_open.ts";

/** What is uploaded. */
export interface SeededFile {
  /** The file. */
  readonly local: LocalSource;
  /** Takes the digests of its chunks, if it is read here. */
  readonly journal: ChunkJournal;
  /** Computes them. */
  readonly digester: Digester;
  /** Told how many bytes of it were read. */
  readonly onRead?: (bytes: number) => void;
  /** Gives up. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Asks for what the server has offered.
 *
 * @param rpc The connection.
 * @param opened As the server opened it, with nothing held.
 * @param file What is uploaded. Read from end to end where its content may be there already.
 * @returns The same upload with what it holds now.
 */
export async function seedUpload(
  rpc: RpcClient,
  opened: OpenedUpload,
  file: SeededFile,
): Promise<OpenedUpload> {
  const { seed, uploadId, chunkBytes } = opened.open;
  if (seed === undefined) return opened;
  const { signal } = file;
  const digest = seed.content ? await digestFile(file, chunkBytes) : undefined;
  const request = { uploadId, ...(digest === undefined ? {} : { digest }) };
  const { head, body } = await rpc.call("put.seed", request, { signal });
  const { journalChunks, heldBytes } = checkNetdiskResponse("put.seed", head);
  const open = { ...opened.open, journalChunks, heldBytes };
  return { open, held: await readJournal(rpc, { open, body, size: file.local.size, signal }) };
}

async function digestFile(
  { local, journal, digester, onRead, signal }: SeededFile,
  chunkBytes: number,
): Promise<string> {
  const { size, source } = local;
  await readChunks({
    source,
    size,
    chunkBytes,
    from: 0,
    count: chunkCount(size, chunkBytes),
    digester,
    onChunk: (index, digest) => journal.set(index, digest),
    onTurn: (bytes) => {
      signal?.throwIfAborted();
      onRead?.(bytes);
    },
  });
  local.checkUnchanged();
  return toHex(journal.digestAll(digester, chunkCount(size, chunkBytes)));
}
