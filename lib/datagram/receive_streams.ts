/**
 * What arrived and was not read: pieces of streams are put together to messages, and the peer learns
 * how much more there is room for.
 *
 * @module
 */

import { PacketError } from "./bytes.ts";
import { ByteWindow } from "./byte_window.ts";
import type { StreamFrame } from "./packet.ts";
import { RangeSet } from "./range_set.ts";
import { FLOW_WINDOW_INITIAL_BYTES, MESSAGE_PREFIX_BYTES } from "./send_streams.ts";
import { type IncomingMessage, MESSAGE_MAX_BYTES } from "./types.ts";

/** Most pieces of one stream with a gap in front; more are dropped and come again. */
export const STREAM_GAPS_MAX = 1024;

/** One stream; all below `held.start` was read. */
class ReceiveStream {
  readonly held = new ByteWindow();
  readonly arrived = new RangeSet();

  /** The end of the bytes without a gap. */
  get wholeTo(): number {
    const first = this.arrived.first;
    return first === undefined || first.start > this.held.start ? this.held.start : first.end;
  }
}

/** Limits of {@linkcode ReceiveStreams}. */
export interface ReceiveStreamsLimits {
  /** Most bytes that are held. */
  readonly receiveBufferMaxBytes: number;
  /** Most streams. */
  readonly streamsMax: number;
}

/** See the module. */
export class ReceiveStreams {
  readonly #limits: ReceiveStreamsLimits;
  readonly #streams = new Map<number, ReceiveStream>();
  /** Streams with a message to read; they take turns. */
  readonly #ready = new Set<number>();
  /** The highest offsets of all streams together. */
  #arrivedTotal = 0;
  #readTotal = 0;
  #announcedTotal = FLOW_WINDOW_INITIAL_BYTES;

  /**
   * Holds nothing.
   *
   * @throws {RangeError} For a buffer that is smaller than what the peer may send unasked.
   */
  constructor(limits: ReceiveStreamsLimits) {
    if (limits.receiveBufferMaxBytes < FLOW_WINDOW_INITIAL_BYTES) {
      throw new RangeError(
        `The receive buffer has ${limits.receiveBufferMaxBytes} bytes, ` +
          `${FLOW_WINDOW_INITIAL_BYTES} are needed`,
      );
    }
    this.#limits = limits;
  }

  /** Bytes that are held. */
  get heldBytes(): number {
    return this.#arrivedTotal - this.#readTotal;
  }

  /** Whether there is a message to read. */
  get isReadable(): boolean {
    return this.#ready.size > 0;
  }

  /** Whether the peer should hear that there is more room. */
  get hasNewWindow(): boolean {
    return this.#windowTotal() - this.#announcedTotal >= this.#limits.receiveBufferMaxBytes / 4;
  }

  /** What to tell the peer: how many bytes of all streams together it may send. */
  announce(): number {
    this.#announcedTotal = this.#windowTotal();
    return this.#announcedTotal;
  }

  /**
   * Takes a piece.
   *
   * @returns Whether it was taken; if not, its packet must not be acknowledged.
   * @throws {PacketError} When the peer sends what it may not.
   */
  add({ stream: number, offset, bytes }: StreamFrame): boolean {
    const stream = this.#stream(number);
    const end = offset + bytes.length;
    const { held, arrived } = stream;
    const grown = Math.max(0, end - held.end);
    if (this.#arrivedTotal + grown > this.#announcedTotal) {
      throw new PacketError("The peer sent more than it was told that there is room for");
    }
    if (end <= held.start || arrived.covers(offset, end)) return true;
    const from = Math.max(offset, held.start);
    if (arrived.size >= STREAM_GAPS_MAX && from > stream.wholeTo) return false;
    held.write(offset, bytes);
    arrived.add(from, end);
    this.#arrivedTotal += grown;
    if (hasMessage(stream)) this.#ready.add(number);
    return true;
  }

  /** The next message. */
  read(): IncomingMessage | undefined {
    for (const number of this.#ready) {
      const stream = this.#stream(number);
      const { held } = stream;
      const start = held.start + MESSAGE_PREFIX_BYTES;
      const message = new Uint8Array(held.uint16(held.start));
      held.copy(start, message);
      const end = start + message.length;
      stream.arrived.remove(held.start, end);
      held.drop(end);
      this.#readTotal += MESSAGE_PREFIX_BYTES + message.length;
      this.#ready.delete(number);
      if (hasMessage(stream)) this.#ready.add(number);
      return { stream: number, message };
    }
    return undefined;
  }

  #windowTotal(): number {
    return this.#readTotal + this.#limits.receiveBufferMaxBytes;
  }

  #stream(number: number): ReceiveStream {
    const known = this.#streams.get(number);
    if (known !== undefined) return known;
    if (this.#streams.size >= this.#limits.streamsMax) {
      throw new PacketError(`The peer uses more than ${this.#limits.streamsMax} streams`);
    }
    const stream = new ReceiveStream();
    this.#streams.set(number, stream);
    return stream;
  }
}

/** Whether the next message is there as a whole. @throws {PacketError} When it is too long. */
function hasMessage(stream: ReceiveStream): boolean {
  const { held } = stream;
  const whole = stream.wholeTo - held.start;
  if (whole < MESSAGE_PREFIX_BYTES) return false;
  const length = held.uint16(held.start);
  if (length > MESSAGE_MAX_BYTES) {
    throw new PacketError(
      `The peer sent a message of ${length} bytes, ${MESSAGE_MAX_BYTES} are allowed`,
    );
  }
  return whole >= MESSAGE_PREFIX_BYTES + length;
}
