/**
 * DAYTIME and TIME over TCP: whoever connects gets the time and is hung up on.
 *
 * @module
 */

import type { TimeWriter } from "../../lib/clock/classic_responder.ts";
import { wallClockNs } from "../../lib/clock/wall_clock.ts";
import { Listener } from "../../lib/link/listen.ts";
import { type DatagramPlace, openError } from "./datagram_service.ts";

/** Connections at once; one more is closed without an answer. */
export const STREAMS_MAX = 64;

/** How long a client may take to read a line and hang up. */
export const STREAM_TIMEOUT_MS = 5000;

/** Options of {@linkcode StreamService}. */
export interface StreamServiceOptions {
  /** Connections at once (default: 64). */
  readonly streamsMax?: number;
  /** How long a client may take, in milliseconds (default: 5000). */
  readonly timeoutMs?: number;
}

/** See the module. */
export class StreamService implements AsyncDisposable {
  /** Address of this machine. */
  readonly host: string;
  /** The real port. */
  readonly port: number;
  readonly #listener: Listener;
  readonly #streams = new Set<Disposable>();
  readonly #streamsMax: number;
  readonly #timeoutMs: number;
  #serving: Promise<void> = Promise.resolve();

  /**
   * Opens the port; nothing is answered yet.
   *
   * @param place Where.
   * @throws {TrivetError} `ADDRESS_IN_USE`, or `USAGE` when this machine cannot listen there.
   */
  constructor(place: DatagramPlace, options: StreamServiceOptions = {}) {
    const { host: hostname, port } = place;
    let acceptor: Deno.TcpListener;
    try {
      acceptor = Deno.listen({ hostname, port });
    } catch (error) {
      throw openError(place, "TCP", error);
    }
    this.host = hostname;
    this.port = acceptor.addr.port;
    this.#listener = new Listener({ transport: "tcp", host: hostname, port: this.port }, acceptor);
    this.#streamsMax = options.streamsMax ?? STREAMS_MAX;
    this.#timeoutMs = options.timeoutMs ?? STREAM_TIMEOUT_MS;
  }

  /**
   * Begins to answer.
   *
   * @param write Writes the answer.
   */
  start(write: TimeWriter): void {
    this.#serving = this.#serve(write);
  }

  /** Closes the port and what is open at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const stream of this.#streams) stream[Symbol.dispose]();
    await this.#serving;
  }

  async #serve(write: TimeWriter): Promise<void> {
    const answers = new Set<Promise<void>>();
    for await (const conn of this.#listener) {
      if (this.#streams.size >= this.#streamsMax) {
        conn.close();
        continue;
      }
      const answer = this.#answer(conn as Deno.TcpConn, write(wallClockNs()));
      answers.add(answer);
      answer.finally(() => answers.delete(answer));
    }
    await Promise.all(answers);
  }

  async #answer(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
    using _ = conn;
    this.#streams.add(conn);
    const timer = setTimeout(() => conn[Symbol.dispose](), this.#timeoutMs);
    try {
      // So few bytes fit into any buffer that is empty.
      await conn.write(bytes);
      await conn.closeWrite();
      // To close with something unread would be a reset, and could overtake the answer.
      const rest = new Uint8Array(512);
      while (await conn.read(rest) !== null);
    } catch {
      // It has gone, or takes too long.
    } finally {
      clearTimeout(timer);
      this.#streams.delete(conn);
    }
  }
}
