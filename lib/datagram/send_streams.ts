/**
 * What waits for being sent or acknowledged: each stream is a row of bytes in which every message has
 * its length in front (u16). What is lost goes first, then what is new, one message of a stream at a
 * time, so that at most one message is begun and not complete.
 *
 * @module
 */

import type { ByteWriter } from "./bytes.ts";
import { ByteWindow } from "./byte_window.ts";
import { type Range, streamFrameBytes, writeStream } from "./packet.ts";
import { RangeSet } from "./range_set.ts";
import { MESSAGE_MAX_BYTES, SendBufferFullError, STREAM_MAX } from "./types.ts";

/** Bytes in front of each message in its stream. */
export const MESSAGE_PREFIX_BYTES = 2;
/** What the peer takes before it has said how much (both sides know it). */
export const FLOW_WINDOW_INITIAL_BYTES: number = 64 * 1024;

/** A piece is not cut smaller than this to fill the rest of a datagram. */
const PIECE_MIN_BYTES = 64;
/** Pieces of at most this many bytes are sent again with the next datagrams. */
const REPEAT_PIECE_MAX_BYTES = 512;
/** Most bytes of a datagram that were sent before. */
const REPEAT_MAX_BYTES = 512;
/** How often a piece goes along with later datagrams. */
const REPEAT_TIMES = 3;
/** Pieces that cost next to nothing go along until they arrived or were lost, as long as that takes mostly. */
const REPEAT_TINY_MAX_BYTES = 64;
const REPEAT_TINY_TIMES = 8;
/** Most pieces that are kept in mind for it. */
const REPEAT_PIECES_MAX = 16;

/** A piece of a stream that was sent. */
export interface SentPiece extends Range {
  /** Its stream. */
  readonly stream: number;
}

/** One stream. */
class SendStream {
  readonly held = new ByteWindow();
  readonly acknowledged = new RangeSet();
  readonly lost = new RangeSet();
  /** All below was sent at least once. */
  sentTo = 0;
  /** The end of the message that is being sent. */
  messageEnd = 0;

  get hasNew(): boolean {
    return this.sentTo < this.held.end;
  }
}

/** Limits of {@linkcode SendStreams}. */
export interface SendStreamsLimits {
  /** Most bytes that wait. */
  readonly sendBufferMaxBytes: number;
  /** Most streams. */
  readonly streamsMax: number;
}

/** See the module. */
export class SendStreams {
  readonly #limits: SendStreamsLimits;
  readonly #streams = new Map<number, SendStream>();
  /** Streams with lost bytes. */
  readonly #lossy = new Set<number>();
  /** Streams with new bytes; the first one is sent from. */
  readonly #fresh = new Set<number>();
  /** Small pieces that were sent not long ago, and how often they may be sent again. */
  #repeatable: { readonly piece: SentPiece; left: number }[] = [];
  #bufferedBytes = 0;
  #pushedTotal = 0;
  #sentTotal = 0;
  #windowTotal = FLOW_WINDOW_INITIAL_BYTES;

  /** Holds nothing. */
  constructor(limits: SendStreamsLimits) {
    this.#limits = limits;
  }

  /** Bytes that wait, with the lengths in front of the messages. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /** The longest message that fits. */
  get writableBytes(): number {
    const left = this.#limits.sendBufferMaxBytes - this.#bufferedBytes - MESSAGE_PREFIX_BYTES;
    return Math.max(0, Math.min(left, MESSAGE_MAX_BYTES));
  }

  /** Whether there are bytes to send that the peer has room for. */
  get hasWork(): boolean {
    return this.#lossy.size > 0 || (this.#fresh.size > 0 && this.#sentTotal < this.#windowTotal);
  }

  /** About how many bytes the next piece has. */
  get nextBytes(): number {
    return this.#lossy.size > 0 ? Infinity : this.#pushedTotal - this.#sentTotal;
  }

  /** Whether there are small pieces that may be repeated. */
  get hasRepeatable(): boolean {
    return this.#repeatable.some(({ piece }) => !this.#isDone(piece));
  }

  /** Takes a message. @throws {SendBufferFullError | RangeError} */
  push(stream: number, message: Uint8Array): void {
    if (!Number.isInteger(stream) || stream < 0 || stream > STREAM_MAX) {
      throw new RangeError(`Cannot send: stream ${stream} is not from 0 to ${STREAM_MAX}`);
    }
    if (message.length > MESSAGE_MAX_BYTES) {
      throw new RangeError(
        `Cannot send: the message has ${message.length} bytes, ${MESSAGE_MAX_BYTES} are allowed`,
      );
    }
    const size = MESSAGE_PREFIX_BYTES + message.length;
    if (this.#bufferedBytes + size > this.#limits.sendBufferMaxBytes) {
      throw new SendBufferFullError(`Cannot send: ${this.#bufferedBytes} bytes wait already`);
    }
    const { held } = this.#stream(stream);
    held.write(held.end, Uint8Array.of(message.length >> 8, message.length & 0xff));
    held.write(held.end, message);
    this.#bufferedBytes += size;
    this.#pushedTotal += size;
    this.#fresh.add(stream);
  }

  /** The peer has room for so many bytes of all streams together. */
  widen(total: number): void {
    this.#windowTotal = Math.max(this.#windowTotal, total);
  }

  /**
   * Fills a packet with what is lost and what is new.
   *
   * @param writer The packet.
   * @param pieces Gets what was written.
   */
  fill(writer: ByteWriter, pieces: SentPiece[]): void {
    for (const number of this.#lossy) {
      const stream = this.#stream(number);
      for (let next = stream.lost.first; next !== undefined; next = stream.lost.first) {
        const piece = this.#write(writer, number, next);
        if (piece === undefined) return;
        stream.lost.remove(piece.start, piece.end);
        pieces.push(piece);
        this.#remember(piece);
      }
      this.#lossy.delete(number);
    }
    this.#fillNew(writer, pieces);
  }

  /**
   * Fills the rest of a packet with small pieces that were sent not long ago: should the other packet
   * be lost, nothing waits for it.
   *
   * @param writer The packet.
   * @param pieces What is in it; gets what was written.
   * @returns How many bytes were repeated.
   */
  repeat(writer: ByteWriter, pieces: SentPiece[]): number {
    const written = new Set(pieces);
    const again: SentPiece[] = [];
    let { room } = writer;
    let bytes = 0;
    this.#repeatable = this.#repeatable.filter((entry) => {
      const { piece } = entry;
      if (written.has(piece)) return true;
      if (this.#isDone(piece)) return false;
      const size = piece.end - piece.start;
      const last = again.at(-1);
      // What follows on the piece before needs no frame of its own.
      const isNext = last?.stream === piece.stream && last.end === piece.start;
      const needed = size + (isNext ? 0 : streamFrameBytes(piece.stream, piece.start));
      if (needed > room || bytes + size > REPEAT_MAX_BYTES) return true;
      if (isNext) again[again.length - 1] = { ...last, end: piece.end };
      else again.push(piece);
      room -= needed;
      bytes += size;
      entry.left -= 1;
      return entry.left > 0;
    });
    for (const piece of again) {
      const sent = this.#write(writer, piece.stream, piece);
      if (sent !== undefined) pieces.push(sent);
    }
    return bytes;
  }

  /** Notes that a piece arrived. @returns Whether there is more room for messages now. */
  acknowledge({ stream: number, start, end }: SentPiece): boolean {
    const stream = this.#stream(number);
    const from = Math.max(start, stream.held.start);
    if (end <= from) return false;
    stream.acknowledged.add(from, end);
    stream.lost.remove(from, end);
    if (stream.lost.size === 0) this.#lossy.delete(number);
    const first = stream.acknowledged.first;
    if (first === undefined || first.start > stream.held.start) return false;
    stream.acknowledged.remove(first.start, first.end);
    this.#bufferedBytes -= first.end - stream.held.start;
    stream.held.drop(first.end);
    return true;
  }

  /** Sends a piece again, as far as it has not arrived another way. */
  lose({ stream: number, start, end }: SentPiece): void {
    const stream = this.#stream(number);
    const from = Math.max(start, stream.held.start);
    if (end <= from) return;
    stream.lost.add(from, end);
    for (const range of stream.acknowledged) stream.lost.remove(range.start, range.end);
    if (stream.lost.size > 0) this.#lossy.add(number);
  }

  #stream(number: number): SendStream {
    const known = this.#streams.get(number);
    if (known !== undefined) return known;
    if (this.#streams.size >= this.#limits.streamsMax) {
      throw new RangeError(`Cannot send: ${this.#streams.size} streams are in use already`);
    }
    const stream = new SendStream();
    this.#streams.set(number, stream);
    return stream;
  }

  /** Whether there is no use in repeating a piece: it arrived, or is to be sent again anyway. */
  #isDone({ stream: number, start, end }: SentPiece): boolean {
    const { held, acknowledged, lost } = this.#stream(number);
    return end <= held.start || acknowledged.covers(start, end) || lost.overlaps(start, end);
  }

  #fillNew(writer: ByteWriter, pieces: SentPiece[]): void {
    for (;;) {
      const [number] = this.#fresh;
      if (number === undefined) return;
      const stream = this.#stream(number);
      // Streams take turns after each message: nobody waits behind a busy one.
      const run = nextEnd(stream, this.#fresh.size > 1 ? 1 : writer.room);
      const end = Math.min(run, stream.sentTo + this.#windowTotal - this.#sentTotal);
      const piece = this.#write(writer, number, { start: stream.sentTo, end });
      if (piece === undefined) return;
      stream.sentTo = piece.end;
      this.#sentTotal += piece.end - piece.start;
      pieces.push(piece);
      this.#remember(piece);
      if (piece.end < run) return;
      this.#fresh.delete(number);
      if (stream.hasNew) this.#fresh.add(number);
    }
  }

  /** Writes as much of a range as fits. */
  #write(writer: ByteWriter, number: number, { start, end }: Range): SentPiece | undefined {
    const wanted = end - start;
    const room = writer.room - streamFrameBytes(number, start);
    if (room < Math.min(wanted, PIECE_MIN_BYTES) || wanted <= 0) return undefined;
    const length = Math.min(wanted, room);
    const target = writeStream(writer, { stream: number, offset: start, length });
    this.#stream(number).held.copy(start, target);
    return { stream: number, start, end: start + length };
  }

  #remember(piece: SentPiece): void {
    const size = piece.end - piece.start;
    if (size > REPEAT_PIECE_MAX_BYTES) return;
    const left = size > REPEAT_TINY_MAX_BYTES ? REPEAT_TIMES : REPEAT_TINY_TIMES;
    this.#repeatable.push({ piece, left });
    if (this.#repeatable.length > REPEAT_PIECES_MAX) this.#repeatable.shift();
  }
}

/** How far to send in this stream: the message that was begun, and more while there is room. */
function nextEnd(stream: SendStream, room: number): number {
  const { held } = stream;
  while (stream.messageEnd < held.end && stream.messageEnd - stream.sentTo < room) {
    stream.messageEnd += MESSAGE_PREFIX_BYTES + held.uint16(stream.messageEnd);
  }
  return stream.messageEnd;
}
