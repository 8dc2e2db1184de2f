/**
 * A framed connection: whole frames in, whole frames out, over anything that reads and writes bytes
 * (TCP, TLS, a Unix socket, a pair of pipes in a test).
 *
 * @module
 */

import { after } from "../after.ts";
import { TrivetError } from "../errors.ts";
import { FrameDecoder } from "../frame/decode.ts";
import { type Frame, FRAME_PAYLOAD_GUEST_MAX_BYTES, FrameError } from "../frame/frame.ts";

/** The part of `Deno.Conn` that a link uses. */
export interface Transport {
  /** Reads some bytes into `target`; `null` at the end of the stream. */
  read(target: Uint8Array): Promise<number | null>;
  /** Writes some of `source` and says how many bytes. */
  write(source: Uint8Array): Promise<number>;
  /** Closes both directions; pending reads and writes fail. */
  close(): void;
}

/** A transport that a listener accepted. */
export interface AcceptedConn extends Transport, Disposable {
  /** Where it comes from. */
  readonly remoteAddr: Deno.Addr;
  /** The address of this machine that it came to. */
  readonly localAddr?: Deno.Addr;
}

/** Options of {@linkcode Link}. */
export interface LinkOptions {
  /** Largest payload to accept, in bytes; the guest's limit by default. */
  readonly payloadMaxBytes?: number;
  /** The clock, in milliseconds; by default one that never jumps. */
  readonly now?: () => number;
}

/** Most bytes that wait for a peer which does not read; more ends the link. */
export const SEND_QUEUE_MAX_BYTES = 32 * 1024 * 1024;

/** Most frames that wait for a peer which does not read: a small one costs more than its bytes. */
export const SEND_QUEUE_MAX_FRAMES = 65_536;

/** How long `closeAfter()` waits for a peer which does not read. */
const CLOSE_AFTER_MAX_MS = 1000;

/** Waiting frames are joined to one write up to this size. */
const COALESCE_MAX_BYTES = 64 * 1024;

interface Waiting {
  readonly frame: Uint8Array;
  readonly done: () => void;
  readonly failed: (reason: unknown) => void;
}

/** A framed connection. */
export class Link {
  readonly #transport: Transport;
  readonly #decoder: FrameDecoder;
  readonly #now: () => number;
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #writing = false;
  #closed = false;
  #closeReason: TrivetError | null = null;
  readonly #whenClosed = Promise.withResolvers<TrivetError>();
  #lastReceivedMs: number;

  constructor(transport: Transport, options: LinkOptions = {}) {
    this.#transport = transport;
    this.#now = options.now ?? (() => performance.now());
    this.#lastReceivedMs = this.#now();
    this.#decoder = new FrameDecoder({
      payloadMaxBytes: options.payloadMaxBytes ?? FRAME_PAYLOAD_GUEST_MAX_BYTES,
    });
  }

  /** This link's clock. */
  get nowMs(): number {
    return this.#now();
  }

  /** When the last bytes arrived, by this link's clock. */
  get lastReceivedMs(): number {
    return this.#lastReceivedMs;
  }

  /** Whether `close()` was called or the peer broke the link. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Resolves with the reason once `isClosed`, also for who waits for something else than a frame. */
  get closed(): Promise<TrivetError> {
    return this.#whenClosed.promise;
  }

  /** Raises the limit of incoming payloads, once the peer is authenticated. */
  setPayloadMaxBytes(limit: number): void {
    this.#decoder.payloadMaxBytes = limit;
  }

  /**
   * The next frame; its payload is valid until the next call. One call at a time.
   *
   * @returns The frame, or `null` at a clean end of the stream.
   * @throws {TrivetError} `CONNECTION_LOST`, or `PROTOCOL_ERROR` when the bytes are not a frame.
   */
  async receive(): Promise<Frame | null> {
    for (;;) {
      if (this.#closed) throw this.#lost("The connection is closed");
      const frame = this.#decode();
      if (frame !== null) return frame;
      const count = await this.#read();
      if (count === null) {
        if (this.#closed) throw this.#lost("The connection is closed");
        if (this.#decoder.isBetweenFrames) return null;
        throw this.#lost("The connection ended inside a frame");
      }
      this.#lastReceivedMs = this.#now();
      this.#decoder.advance(count);
    }
  }

  /**
   * Sends one frame after all that were sent before it. `frame` must stay as it is until the promise
   * settles; awaiting it is what gives backpressure.
   *
   * @throws {TrivetError} `CONNECTION_LOST` when the link is or gets closed.
   */
  send(frame: Uint8Array): Promise<void> {
    if (this.#closed) return Promise.reject(this.#lost("The connection is closed"));
    if (
      this.#waitingBytes + frame.length > SEND_QUEUE_MAX_BYTES ||
      this.#waiting.length >= SEND_QUEUE_MAX_FRAMES
    ) {
      this.close(new TrivetError("CONNECTION_LOST", "Cannot send: the peer does not read"));
      return Promise.reject(this.#lost("The connection is closed"));
    }
    if (!this.#writing) return this.#sendAlone(frame);
    return new Promise((done, failed) => {
      this.#waiting.push({ frame, done, failed });
      this.#waitingBytes += frame.length;
    });
  }

  /** Sends a last frame, but does not wait long for a peer which does not read, and closes the link. */
  async closeAfter(frame: Uint8Array, reason?: TrivetError): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    using _limit = after(CLOSE_AFTER_MAX_MS, resolve);
    await Promise.race([this.send(frame).catch(() => {}), late]);
    this.close(reason);
  }

  /** Closes the link; what waits fails with `reason`. Safe to call again. */
  close(reason?: TrivetError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closeReason = reason ?? null;
    try {
      this.#transport.close();
    } catch {
      // The peer was faster.
    }
    this.#whenClosed.resolve(this.#lost("The connection is closed"));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #decode(): Frame | null {
    try {
      return this.#decoder.next();
    } catch (cause) {
      if (!(cause instanceof FrameError)) throw cause;
      throw new TrivetError("PROTOCOL_ERROR", cause.message, { cause });
    }
  }

  async #read(): Promise<number | null> {
    try {
      return await this.#transport.read(this.#space());
    } catch (cause) {
      // A peer that skips TLS's close_notify: frames carry their own length, so a cut between two is clean.
      if (cause instanceof Deno.errors.UnexpectedEof) return null;
      if (cause instanceof TrivetError) throw cause;
      throw this.#lost("The connection was lost", cause);
    }
  }

  #space(): Uint8Array {
    try {
      return this.#decoder.space();
    } catch (cause) {
      if (!(cause instanceof FrameError)) throw cause;
      throw new TrivetError("PROTOCOL_ERROR", cause.message, { cause });
    }
  }

  /** Sends a frame that nothing waits in front of: the short way, which a frame to many goes often. */
  #sendAlone(frame: Uint8Array): Promise<void> {
    this.#writing = true;
    return this.#transport.write(frame).then((written) => {
      return written < frame.length ? this.#sendRest(frame.subarray(written)) : this.#next();
    }, (cause) => {
      const error = this.#fail(cause);
      this.#next();
      throw error;
    });
  }

  async #sendRest(rest: Uint8Array): Promise<void> {
    try {
      await this.#writeAll(rest);
    } catch (cause) {
      throw this.#fail(cause);
    } finally {
      this.#next();
    }
  }

  #next(): void {
    if (this.#waiting.length > 0) this.#drain();
    else this.#writing = false;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#takeBatch();
      try {
        if (this.#closed) throw this.#lost("The connection is closed");
        await this.#writeAll(joined(batch));
        for (const waiting of batch) waiting.done();
      } catch (cause) {
        const error = this.#fail(cause);
        for (const waiting of batch) waiting.failed(error);
      }
    }
    this.#writing = false;
  }

  /** Closes a link that cannot be written to; the error for those who sent. */
  #fail(cause: unknown): TrivetError {
    const error = cause instanceof TrivetError
      ? cause
      : this.#lost("The connection was lost", cause);
    this.close(error);
    return error;
  }

  /** The first waiting frame and as many small ones behind it as make one write. */
  #takeBatch(): Waiting[] {
    let count = 0;
    let bytes = 0;
    for (const waiting of this.#waiting) {
      if (count > 0 && bytes + waiting.frame.length > COALESCE_MAX_BYTES) break;
      bytes += waiting.frame.length;
      count += 1;
    }
    this.#waitingBytes -= bytes;
    return this.#waiting.splice(0, count);
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    let written = 0;
    while (written < bytes.length) {
      written += await this.#transport.write(written === 0 ? bytes : bytes.subarray(written));
    }
  }

  #lost(message: string, cause?: unknown): TrivetError {
    if (this.#closeReason !== null) return this.#closeReason;
    return new TrivetError("CONNECTION_LOST", message, cause === undefined ? {} : { cause });
  }
}

function joined(batch: Waiting[]): Uint8Array {
  const first = batch[0];
  if (batch.length === 1 && first !== undefined) return first.frame;
  const bytes = new Uint8Array(batch.reduce((sum, waiting) => sum + waiting.frame.length, 0));
  let at = 0;
  for (const { frame } of batch) {
    bytes.set(frame, at);
    at += frame.length;
  }
  return bytes;
}
