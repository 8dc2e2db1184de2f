/**
 * One UDP socket: opening it, receiving until it is closed whatever goes wrong, and the form in which
 * the addresses of others are written. The only file of its folder that touches a socket.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";

/** First and longest pause after receiving failed. */
const PAUSE_MIN_MS = 5;
const PAUSE_MAX_MS = 1000;

/** See the module. */
export class DatagramSocket implements AsyncDisposable {
  /** The address of this machine, as the system writes it. */
  readonly host: string;
  /** The real port. */
  readonly port: number;
  readonly #socket: Deno.DatagramConn;
  #receiving: Promise<void> = Promise.resolve();
  #isClosed = false;

  /**
   * Opens the socket; nothing is received yet.
   *
   * @param hostname Address of this machine.
   * @param port UDP port; 0 for any free one.
   * @throws {TrivetError} `ADDRESS_IN_USE`, or `USAGE` when this machine cannot listen there.
   */
  constructor(hostname: string, port: number) {
    try {
      this.#socket = Deno.listenDatagram({ transport: "udp", hostname, port });
    } catch (cause) {
      if (!(cause instanceof Error) || cause instanceof Deno.errors.NotCapable) throw cause;
      const isInUse = cause instanceof Deno.errors.AddrInUse;
      const reason = isInUse ? "it is in use" : cause.message;
      const text = `Cannot listen on UDP "${formatRemote({ hostname, port })}": ${reason}`;
      throw new TrivetError(isInUse ? "ADDRESS_IN_USE" : "USAGE", text, { cause });
    }
    const { addr } = this.#socket;
    this.host = addr.transport === "udp" ? addr.hostname : hostname;
    this.port = addr.transport === "udp" ? addr.port : port;
  }

  /**
   * Begins to receive.
   *
   * @param maxBytes The system cuts datagrams that are longer.
   * @param take Gets each: the bytes, which are used again after the call, and where they come from. What
   * it throws ends nothing.
   */
  start(maxBytes: number, take: (datagram: Uint8Array, from: string) => void): void {
    this.#receiving = this.#receive(new Uint8Array(maxBytes), take);
  }

  /**
   * Sends a datagram.
   *
   * @param bytes What to send.
   * @param to Where to, as {@linkcode formatRemote} writes it.
   * @throws What the system says, such as that there is no route.
   */
  async send(bytes: Uint8Array, to: string): Promise<void> {
    await this.#socket.send(bytes, parseRemote(to));
  }

  /** Closes the socket. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#socket.close();
    }
    await this.#receiving;
  }

  async #receive(
    buffer: Uint8Array,
    take: (datagram: Uint8Array, from: string) => void,
  ): Promise<void> {
    let pauseMs = PAUSE_MIN_MS;
    while (!this.#isClosed) {
      try {
        const [datagram, source] = await this.#socket.receive(buffer);
        pauseMs = PAUSE_MIN_MS;
        if (source.transport === "udp") take(datagram, formatRemote(source));
      } catch (error) {
        if (this.#isClosed) return;
        // Windows tells the next call that nobody was there for an earlier datagram.
        if (error instanceof Deno.errors.ConnectionReset) continue;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS);
      }
    }
  }
}

/** Writes an address as connections name it: the host, a colon and the port. */
export function formatRemote({ hostname, port }: { hostname: string; port: number }): string {
  return `${hostname}:${port}`;
}

function parseRemote(remote: string): Deno.NetAddr {
  const colon = remote.lastIndexOf(":");
  const port = Number(remote.slice(colon + 1));
  return { transport: "udp", hostname: remote.slice(0, colon), port };
}
