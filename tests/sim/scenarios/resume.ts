/**
 * A file is sent over a connection that is cut again and again, to a receiver that dies and starts again
 * on what its disk kept: part of a chunk, a torn journal, a damaged block. The file arrives whole, and
 * what was there is not sent again.
 *
 * @module
 */

import { decodeData } from "../../../lib/frame/decode.ts";
import { encodeFrame } from "../../../lib/frame/encode.ts";
import { FRAME_PAYLOAD_MAX_BYTES, FrameType } from "../../../lib/frame/frame.ts";
import { Link } from "../../../lib/link/link.ts";
import { chunkCount, type ChunkRange } from "../../../lib/transfer/chunks.ts";
import { createDigester, type Digester } from "../../../lib/transfer/digest.ts";
import { ChunkJournal } from "../../../lib/transfer/journal.ts";
import { ChunkReceiver } from "../../../lib/transfer/receiver.ts";
import { ChunkSender } from "../../../lib/transfer/sender.ts";
import {
  encodeSidecarHeader,
  encodeSidecarRecord,
  resumableSidecar,
  type SidecarHeader,
} from "../../../lib/transfer/sidecar.ts";
import { verifyChunks } from "../../../lib/transfer/verify.ts";
import { MemorySink, MemorySource } from "../../lib/transfer/memory.ts";
import { type RunOptions, type RunResult, simulate, type Simulation } from "../simulation.ts";
import { StreamEnd } from "../stream_end.ts";

const CHUNK_BYTES = 32 * 1024;

/** Bytes of a DATA frame: several to a chunk, so that cuts fall between them. */
const DATA_BYTES = 8 * 1024;

/** Chunks of the file, unless something else is asked for. */
const CHUNKS = 100;

/** Connections that are tried before it is said that nothing gets better. */
const TRIES_MAX = 2000;

/** The link loses a little, and passes 2 MB/s. */
const LINK = { lossPercent: 1, delayMs: 10, bytesPerSecond: 2_000_000 };

/** What the receiver's disk keeps. */
interface Disk {
  readonly file: MemorySink;
  journal: Uint8Array;
}

/** A transfer under way, as both sides and the simulation see it. */
interface Transfer {
  readonly simulation: Simulation;
  readonly content: Uint8Array<ArrayBuffer>;
  readonly header: SidecarHeader;
  readonly disk: Disk;
  readonly digesters: { readonly near: Digester; readonly far: Digester };
  sentBytes: number;
  /** Chunks that the receiver held and that were damaged while it was down. */
  damaged: number;
}

/** See the module. */
export async function resumeTransfer(options: RunOptions): Promise<RunResult> {
  // Outside: what is loaded for the first time takes a while that no seed knows.
  const digesters = { near: await createDigester(), far: await createDigester() };
  return await simulate(options, Infinity, async (simulation) => {
    const { random, network, options: { messages = CHUNKS } } = simulation;
    const content = new Uint8Array(messages * CHUNK_BYTES - random.below(CHUNK_BYTES));
    random.fill(content);
    const header = {
      etag: "etag",
      size: content.length,
      chunkBytes: CHUNK_BYTES,
      server: "sim",
      path: "/file",
    };
    const disk: Disk = { file: new MemorySink(), journal: new Uint8Array() };
    const transfer = { simulation, content, header, disk, digesters, sentBytes: 0, damaged: 0 };
    const hosts = [network.addHost("sender"), network.addHost("receiver")] as const;
    network.link(...hosts, LINK);
    let tries = 0;
    let isWhole = false;
    while (!isWhole) {
      if (++tries > TRIES_MAX) throw new Error(`Not whole after ${TRIES_MAX} connections`);
      isWhole = await tryOnce(transfer, StreamEnd.pair(network, ...hosts));
    }
    if (!sameBytes(disk.file.bytes, content)) throw new Error("The file is not what was sent");
    // Each cut costs at most what was under way, and each damaged chunk itself.
    const wasted = transfer.sentBytes - content.length;
    const wasteMax = (tries * 4 + transfer.damaged) * CHUNK_BYTES;
    if (wasted > wasteMax) throw new Error(`${wasted} bytes were sent again, of ${wasteMax}`);
    return { connections: tries, sentAgainBytes: wasted, damagedChunks: transfer.damaged };
  });
}

/** One connection, which is cut after a while; whether the receiver has everything then. */
async function tryOnce(
  transfer: Transfer,
  [near, far]: readonly [StreamEnd, StreamEnd],
): Promise<boolean> {
  const { simulation: { clock, random }, disk, header } = transfer;
  const journal = loadJournal(transfer);
  const chunks = chunkCount(header.size, header.chunkBytes);
  if (journal.isComplete(chunks)) return true;
  const limits = { payloadMaxBytes: FRAME_PAYLOAD_MAX_BYTES };
  const [sending, receiving] = [new Link(near, limits), new Link(far, limits)];
  const cut = clock.after(random.between(20, 800), () => near.reset());
  const sent = send(transfer, sending, [...journal.missing(chunks)]).catch(() => {});
  await receive(transfer, receiving, journal).catch(() => {});
  cut.cancel();
  sending.close();
  receiving.close();
  await sent;
  spoilDisk(transfer, random.below(4));
  await clock.sleep(100);
  return journal.isComplete(chunks) && disk.file.bytes.length === header.size &&
    loadJournal(transfer).isComplete(chunks);
}

/** What the disk can prove that it holds. */
function loadJournal({ disk, header, digesters }: Transfer): ChunkJournal {
  const sidecar = resumableSidecar(disk.journal, header);
  if (sidecar === undefined) {
    disk.journal = encodeSidecarHeader(header);
    return new ChunkJournal();
  }
  disk.journal = disk.journal.slice(0, sidecar.goodBytes);
  const { journal } = sidecar;
  const { size, chunkBytes } = header;
  const source = new MemorySource(disk.file.bytes);
  const steps = verifyChunks({ source, journal, size, chunkBytes, digester: digesters.far });
  while (steps.next().done !== true);
  return journal;
}

/** Sends the chunks that are missing, and their digests behind them. */
async function send(transfer: Transfer, link: Link, missing: readonly number[]): Promise<void> {
  const { content, header: { size, chunkBytes }, digesters } = transfer;
  const only = missing.map((index): ChunkRange => [index, 1]);
  const sender = new ChunkSender({
    source: new MemorySource(content),
    size,
    chunkBytes,
    requestId: 1,
    digester: digesters.near,
    only,
    dataBytes: DATA_BYTES,
  });
  for (let frame = await sender.next(); frame !== null; frame = await sender.next()) {
    await link.send(frame);
    transfer.sentBytes += frame.length;
  }
  await link.send(encodeFrame(FrameType.END, 1, sender.streamDigests));
}

/** Receives until the digests have come. */
async function receive(transfer: Transfer, link: Link, journal: ChunkJournal): Promise<void> {
  const { disk, header: { size, chunkBytes }, digesters } = transfer;
  const receiver = new ChunkReceiver({
    sink: disk.file,
    size,
    chunkBytes,
    journal,
    digester: digesters.far,
    onChunk: (index, digest) => {
      disk.journal = joined(disk.journal, encodeSidecarRecord(index, digest));
    },
  });
  for (;;) {
    const frame = await link.receive();
    if (frame === null) return;
    if (frame.type === FrameType.END) {
      receiver.finish(frame.payload);
      return;
    }
    const { offset, crc, bytes } = decodeData(frame.payload);
    await receiver.accept(offset, crc, bytes);
  }
}

/** What a crash does to a disk: tears the journal, or turns over bits of a block. */
function spoilDisk(transfer: Transfer, kind: number): void {
  const { disk, simulation: { random } } = transfer;
  if (kind === 0) disk.journal = disk.journal.slice(0, -random.below(30) || undefined);
  if (kind !== 1 || disk.file.bytes.length === 0) return;
  const at = random.below(disk.file.bytes.length);
  disk.file.bytes[at] = (disk.file.bytes[at] ?? 0) ^ 0xff;
  transfer.damaged += 1;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
