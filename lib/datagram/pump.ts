/**
 * One UDP socket, one timer and many connections: carries datagrams between the socket and a
 * `DatagramEndpoint`, and the time to it.
 *
 * @module
 */

import { BadSocket } from "./bad_socket.ts";
import type { DatagramConnection } from "./connection.ts";
import {
  DatagramEndpoint,
  type DatagramEndpointOptions,
  type EndpointConnectionOptions,
} from "./endpoint.ts";
import type { NetemOptions } from "./netem.ts";
import { DatagramSocket } from "./socket.ts";
import { DATAGRAM_MAX_BYTES, type OutgoingDatagram } from "./types.ts";

/** One byte more than a datagram may have, so that a longer one is not taken for a whole one. */
const RECEIVE_BYTES: number = DATAGRAM_MAX_BYTES + 1;
/** Timers take no longer times. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** Options of {@linkcode DatagramPump}. */
export interface DatagramPumpOptions extends Omit<DatagramEndpointOptions, "onActive"> {
  /** Address of this machine. */
  readonly host: string;
  /** UDP port; any free one by default. */
  readonly port?: number | undefined;
  /** Makes the network worse for what is sent, to try out what that does. */
  readonly netem?: NetemOptions | undefined;
  /** Told of each connection that may have messages, room to send, or another state than before. */
  readonly onChanged: (connection: DatagramConnection) => void;
  /**
   * Sees each datagram first: what it takes is not for a connection, and is dropped here.
   *
   * @param datagram The bytes; used again after the call.
   * @param from Where they come from, as `formatRemote()` writes it.
   * @returns Whether it takes the datagram.
   */
  readonly take?: ((datagram: Uint8Array, from: string) => boolean) | undefined;
}

/** See the module. */
export class DatagramPump implements AsyncDisposable {
  /** The address of this machine, as the system writes it. */
  readonly host: string;
  /** The real port. */
  readonly port: number;
  readonly #socket: DatagramSocket;
  readonly #bad: BadSocket | undefined;
  readonly #endpoint: DatagramEndpoint;
  readonly #onChanged: (connection: DatagramConnection) => void;
  readonly #take: DatagramPumpOptions["take"];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerDueMs = Infinity;
  #flushing: Promise<void> | undefined;
  #isClosed = false;

  /**
   * Opens the socket and begins.
   *
   * @param options Where, and who is told.
   * @throws {TrivetError} `ADDRESS_IN_USE`, or `USAGE` when this machine cannot listen there.
   */
  constructor(options: DatagramPumpOptions) {
    this.#endpoint = new DatagramEndpoint({ ...options, onActive: () => this.#wake() });
    this.#onChanged = options.onChanged;
    this.#take = options.take;
    this.#socket = new DatagramSocket(options.host, options.port ?? 0);
    this.host = this.#socket.host;
    this.port = this.#socket.port;
    this.#bad = options.netem && new BadSocket(this.#socket, options.netem);
    this.#socket.start(RECEIVE_BYTES, (datagram, from) => this.#receive(datagram, from));
  }

  /** How many connections there are. */
  get size(): number {
    return this.#endpoint.size;
  }

  /**
   * Opens a connection; see `DatagramEndpoint.open()`.
   *
   * @param options All but the time; `remote` is written as by `formatRemote()`.
   * @throws {RangeError} For an id that is taken, or when there are too many.
   */
  open(options: Omit<EndpointConnectionOptions, "now">): DatagramConnection {
    return this.#endpoint.open({ ...options, now: performance.now() });
  }

  /** Finds a connection. */
  get(connectionId: string): DatagramConnection | undefined {
    return this.#endpoint.get(connectionId);
  }

  /** What the client of this connection must know so that it believes a reset; 16 bytes. */
  resetToken(connectionId: string): Uint8Array<ArrayBuffer> {
    return this.#endpoint.resetToken(connectionId);
  }

  /** Sends a datagram that is of no connection; it may get lost like any other. */
  async send(datagram: OutgoingDatagram): Promise<void> {
    if (!this.#isClosed) await this.#send(datagram);
  }

  /** Ends all connections, tells their peers once, and closes the socket. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isClosed) {
      this.#endpoint.close();
      await this.#flushing;
      await this.#flush();
      this.#isClosed = true;
      clearTimeout(this.#timer);
      await this.#bad?.drain();
    }
    await this.#socket[Symbol.asyncDispose]();
  }

  #receive(datagram: Uint8Array, from: string): void {
    if (this.#take?.(datagram, from) === true) return;
    this.#endpoint.receive(datagram, from, performance.now());
    this.#wake();
  }

  /** Sends and tells what there is, after whoever runs now has said all that he has to say. */
  #wake(): void {
    if (this.#flushing !== undefined || this.#isClosed) return;
    this.#flushing = Promise.resolve().then(() => this.#flush()).finally(() => {
      this.#flushing = undefined;
      // What came while the last datagrams were sent.
      if (this.#endpoint.isActive) this.#wake();
    });
  }

  async #flush(): Promise<void> {
    if (this.#isClosed) return;
    for (;;) {
      this.#tell();
      const datagram = this.#endpoint.poll(performance.now());
      if (datagram === undefined) break;
      await this.#send(datagram);
      if (this.#isClosed) return;
    }
    this.#tell();
    this.#setTimer();
  }

  #tell(): void {
    for (let next = this.#endpoint.nextChanged(); next; next = this.#endpoint.nextChanged()) {
      this.#onChanged(next);
    }
  }

  async #send({ bytes, to }: OutgoingDatagram): Promise<void> {
    if (this.#bad !== undefined) return this.#bad.send(bytes, to);
    try {
      await this.#socket.send(bytes, to);
    } catch {
      // A firewall, a route that is gone, a queue that is full: it is lost, as on any other way.
    }
  }

  #setTimer(): void {
    const dueMs = this.#endpoint.nextTimeout() ?? Infinity;
    if (dueMs === this.#timerDueMs && this.#timer !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerDueMs = dueMs;
    if (dueMs === Infinity) return;
    const waitMs = Math.min(Math.max(0, Math.ceil(dueMs - performance.now())), TIMER_MAX_MS);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#endpoint.timeout(performance.now());
      this.#wake();
    }, waitMs);
  }
}
