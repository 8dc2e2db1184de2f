/**
 * The streams of a command inside DATA frames. The first byte of the data says which record it is; the
 * frame's offset is the place in that stream. Each stream has a window, so that a slow reader holds
 * back its own stream and neither the other ones nor the connection.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { crc32 } from "../frame/crc32.ts";
import type { DataPayload } from "../frame/decode.ts";
import { DATA_FRAME_BYTES_AT, sealDataFrame } from "../frame/encode.ts";

/** Most bytes of a stream in one record, as OpenSSH has it. */
export const STREAM_DATA_MAX_BYTES: number = 32 * 1024;

/** Bytes of a stream that may be on their way before its reader has taken some, as OpenSSH has it. */
export const STREAM_WINDOW_BYTES: number = 2 * 1024 * 1024;

/** Where the bytes of a stream stand in a frame: behind the byte that says which stream. */
export const STREAM_FRAME_BYTES_AT: number = DATA_FRAME_BYTES_AT + 1;

/** The streams by the number that stands in front of their bytes. */
export const STREAMS = ["stdin", "stdout", "stderr"] as const;

/** One of a command's streams. */
export type StreamName = typeof STREAMS[number];

/** Added to a stream's number, it says: the offset tells how many bytes its reader has taken. */
const TAKEN = 16;

/** What a DATA frame of a command says. */
export interface StreamRecord {
  /** Bytes of a stream, none at its end; or that its reader has taken some. */
  readonly kind: "bytes" | "taken";
  readonly stream: StreamName;
  /** Where the bytes stand in the stream; how many the reader has taken in all. */
  readonly offset: number;
  /** A view of the payload. */
  readonly bytes: Uint8Array;
}

/**
 * Fills in what stands in front of a stream's bytes, which are in `frame` already, from
 * {@linkcode STREAM_FRAME_BYTES_AT} on.
 *
 * @param frame The frame's buffer; without bytes it says that the stream has ended.
 * @param place The request's number, the stream, and where in the stream the bytes stand.
 */
export function sealStreamFrame(
  frame: Uint8Array,
  { id, stream, offset }: {
    readonly id: number;
    readonly stream: StreamName;
    readonly offset: number;
  },
): void {
  frame[DATA_FRAME_BYTES_AT] = STREAMS.indexOf(stream);
  sealDataFrame(frame, id, offset, crc32(frame.subarray(DATA_FRAME_BYTES_AT)));
}

/** A frame that says how many bytes of a stream its reader has taken in all. */
export function encodeTaken(id: number, stream: StreamName, total: number): Uint8Array {
  const frame = new Uint8Array(STREAM_FRAME_BYTES_AT);
  frame[DATA_FRAME_BYTES_AT] = TAKEN + STREAMS.indexOf(stream);
  sealDataFrame(frame, id, total, crc32(frame.subarray(DATA_FRAME_BYTES_AT)));
  return frame;
}

/**
 * Reads the record in a DATA payload.
 *
 * @throws {TrivetError} `PROTOCOL_ERROR` for what is none, `DIGEST_MISMATCH` for a wrong CRC-32.
 */
export function readStreamRecord({ offset, crc, bytes }: DataPayload): StreamRecord {
  if (crc32(bytes) !== crc) {
    throw new TrivetError("DIGEST_MISMATCH", "The CRC-32 of a stream's bytes is wrong");
  }
  const [type = 255] = bytes;
  const stream = STREAMS[type % TAKEN];
  const isTaken = type >= TAKEN;
  const length = bytes.length - 1;
  if (stream === undefined || type >= 2 * TAKEN || (isTaken && length !== 0)) {
    throw new TrivetError("PROTOCOL_ERROR", `A record of type ${type} is not expected here`);
  }
  if (length > STREAM_DATA_MAX_BYTES) {
    throw new TrivetError(
      "PROTOCOL_ERROR",
      `A record has ${length} bytes, the limit is ${STREAM_DATA_MAX_BYTES}`,
    );
  }
  return { kind: isTaken ? "taken" : "bytes", stream, offset, bytes: bytes.subarray(1) };
}

/** The sender's end of a stream's window. */
export class SendWindow {
  #sent = 0;
  #taken = 0;
  #moved = Promise.withResolvers<void>();

  /** How many bytes were sent: the offset of the next. */
  get sentBytes(): number {
    return this.#sent;
  }

  /** How many bytes may be sent now. */
  get roomBytes(): number {
    return STREAM_WINDOW_BYTES - (this.#sent - this.#taken);
  }

  /** Waits until something may be sent; not for ever if the caller races it with the end. */
  async untilRoom(): Promise<void> {
    while (this.roomBytes <= 0) await this.#moved.promise;
  }

  /** Bytes were sent. */
  send(count: number): void {
    this.#sent += count;
  }

  /**
   * The reader has taken bytes.
   *
   * @param total How many in all.
   * @throws {TrivetError} `PROTOCOL_ERROR` for fewer than before or more than were sent.
   */
  take(total: number): void {
    if (total < this.#taken || total > this.#sent) {
      throw new TrivetError(
        "PROTOCOL_ERROR",
        `A reader claims ${total} bytes, after ${this.#taken} of ${this.#sent}`,
      );
    }
    this.#taken = total;
    this.#moved.resolve();
    this.#moved = Promise.withResolvers();
  }
}
