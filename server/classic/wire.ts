/**
 * One connection that speaks the classic netdisk protocol, read and written with deadlines.
 *
 * @module
 */

import { ClassicDecoder, type ClassicPiece } from "../../lib/classic/decode.ts";
import {
  type ClassicData,
  encodeClassicError,
  encodeClassicReply,
} from "../../lib/classic/encode.ts";
import { TrivetError } from "../../lib/errors.ts";
import type { AcceptedConn } from "../../lib/link/link.ts";

/** Silence between two commands before the connection is closed, in milliseconds. */
export const CLASSIC_IDLE_TIMEOUT_MS = 10 * 60_000;

/** How long no byte of a transfer may move before it is given up, in milliseconds. */
export const CLASSIC_STALL_TIMEOUT_MS = 60_000;

/** How long what a client still sends is read and thrown away behind a last reply, in milliseconds. */
export const CLASSIC_LINGER_MS = 5000;

/** Bytes to read at once: little for one who waits, more for a file. */
const TEXT_READ_BYTES = 4096;
const FILE_READ_BYTES = 64 * 1024;

/** Deadlines of a {@linkcode ClassicWire}, in milliseconds. */
export interface ClassicTimeouts {
  /** {@linkcode CLASSIC_IDLE_TIMEOUT_MS} by default. */
  readonly idleTimeoutMs?: number;
  /** {@linkcode CLASSIC_STALL_TIMEOUT_MS} by default. */
  readonly stallTimeoutMs?: number;
  /** {@linkcode CLASSIC_LINGER_MS} by default. */
  readonly lingerMs?: number;
}

/** See the module. */
export class ClassicWire implements Disposable {
  readonly #conn: AcceptedConn;
  readonly #decoder = new ClassicDecoder();
  readonly #idleTimeoutMs: number;
  readonly #stallTimeoutMs: number;
  readonly #lingerMs: number;
  readonly #closed = new AbortController();
  #buffer = new Uint8Array(TEXT_READ_BYTES);
  #isIdle = false;
  #isLeaving = false;

  /** Over a connection, which is this wire's to close. */
  constructor(conn: AcceptedConn, timeouts: ClassicTimeouts = {}) {
    this.#conn = conn;
    this.#idleTimeoutMs = timeouts.idleTimeoutMs ?? CLASSIC_IDLE_TIMEOUT_MS;
    this.#stallTimeoutMs = timeouts.stallTimeoutMs ?? CLASSIC_STALL_TIMEOUT_MS;
    this.#lingerMs = timeouts.lingerMs ?? CLASSIC_LINGER_MS;
  }

  /** Aborted, with the reason, once the connection is closed. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /**
   * Waits for the next command.
   *
   * @returns Its text; `null` when the client has gone, or is to go.
   * @throws {TrivetError} `PROTOCOL_ERROR`, `TIMEOUT`, `CONNECTION_LOST`.
   */
  async nextText(): Promise<string | null> {
    if (this.#isLeaving) return null;
    this.#isIdle = true;
    const piece = await this.#next(this.#idleTimeoutMs).finally(() => this.#isIdle = false);
    if (piece === null) return null;
    if (piece.kind !== "text") throw new TypeError("Cannot read a command: a file was expected");
    return piece.text;
  }

  /**
   * Waits for a file that was asked for.
   *
   * @returns How many bytes it is going to have.
   * @throws {TrivetError} As {@linkcode nextText}.
   */
  async nextFile(): Promise<number> {
    this.#decoder.expectFile();
    if (this.#buffer.length < FILE_READ_BYTES) this.#buffer = new Uint8Array(FILE_READ_BYTES);
    const piece = await this.#next(this.#stallTimeoutMs);
    if (piece?.kind !== "file") throw lost();
    return piece.size;
  }

  /**
   * Waits for the next bytes of the file.
   *
   * @returns A view that is good until the next call.
   * @throws {TrivetError} As {@linkcode nextText}.
   */
  async nextBytes(): Promise<Uint8Array> {
    const piece = await this.#next(this.#stallTimeoutMs);
    if (piece?.kind !== "bytes") throw lost();
    return piece.bytes;
  }

  /** Sends a good reply. */
  async reply(data: ClassicData): Promise<void> {
    await this.send(encodeClassicReply(data));
  }

  /**
   * Sends bytes.
   *
   * @throws {TrivetError} `TIMEOUT` when the client does not read, `CONNECTION_LOST`.
   */
  async send(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) {
      sent += await this.#within(
        this.#stallTimeoutMs,
        () => this.#conn.write(sent === 0 ? bytes : bytes.subarray(sent)),
      );
    }
  }

  /**
   * Says why this is the end and closes. A client in the middle of a file reads it as the answer to its
   * next command; what it still sends is thrown away for a while, since to close with something unread
   * would be a reset that could overtake the reply.
   */
  async refuse(error: TrivetError): Promise<void> {
    if (this.closed.aborted) return;
    const timer = setTimeout(() => this.close(), this.#lingerMs);
    try {
      await this.send(encodeClassicError(error));
      if ("closeWrite" in this.#conn) await (this.#conn as Deno.TcpConn).closeWrite();
      while (await this.#conn.read(this.#buffer) !== null);
    } catch {
      // It has gone, or takes too long.
    } finally {
      clearTimeout(timer);
      this.close(error);
    }
  }

  /** Closes now if the client waits, else behind the command that is being served. */
  leave(): void {
    this.#isLeaving = true;
    if (this.#isIdle) this.close(new TrivetError("SHUTTING_DOWN", "The server shuts down"));
  }

  /** Closes the connection; what waits fails with `reason`. Safe to call again. */
  close(reason: TrivetError = lost()): void {
    if (this.closed.aborted) return;
    this.#closed.abort(reason);
    try {
      this.#conn.close();
    } catch {
      // The peer was faster.
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The next piece; `null` when the client has gone between two commands. */
  async #next(timeoutMs: number): Promise<ClassicPiece | null> {
    for (;;) {
      const piece = this.#decoder.next();
      if (piece !== null) return piece;
      const count = await this.#within(timeoutMs, () => this.#conn.read(this.#buffer));
      if (count === null) {
        if (this.#decoder.isBetween) return null;
        throw lost();
      }
      this.#decoder.push(this.#buffer.subarray(0, count));
    }
  }

  async #within<T>(timeoutMs: number, work: () => Promise<T>): Promise<T> {
    this.closed.throwIfAborted();
    const timer = setTimeout(() => {
      this.close(new TrivetError("TIMEOUT", "The client was silent for too long"));
    }, timeoutMs);
    try {
      return await work();
    } catch (cause) {
      this.closed.throwIfAborted();
      throw lost(cause);
    } finally {
      clearTimeout(timer);
    }
  }
}

function lost(cause?: unknown): TrivetError {
  return new TrivetError("CONNECTION_LOST", "The connection was lost", { cause });
}
