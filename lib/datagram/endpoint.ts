/**
 * Many connections behind one socket. A datagram finds its connection by the id in its header; one that
 * does not decrypt changes nothing, and one for a connection that is not there any more is answered
 * with a reset, which is smaller than itself.
 *
 * @module
 */

import { DatagramConnection } from "./connection.ts";
import { Deadlines } from "./deadlines.ts";
import { connectionIdOf, PACKET_DATA } from "./packet.ts";
import { deriveResetToken, encodeReset } from "./protection.ts";
import {
  type DatagramConnectionOptions,
  type DatagramTable,
  type FillRandom,
  type OutgoingDatagram,
  SECRET_BYTES,
} from "./types.ts";

/** Most connections of one endpoint unless another number is set. */
export const CONNECTIONS_MAX = 4096;
/** Most resets a second; a flood of strange datagrams costs no more than that. */
export const RESETS_PER_SECOND_MAX = 100;

/** Options of {@linkcode DatagramEndpoint}. */
export interface DatagramEndpointOptions {
  /** 32 bytes that only this side knows; kept over restarts, so that clients learn of them at once. */
  readonly resetSecret: Uint8Array;
  /** Most connections. */
  readonly connectionsMax?: number | undefined;
  /** Called when something may be to send that no datagram and no timer brought. */
  readonly onActive?: (() => void) | undefined;
  /** Random bytes of path challenges. */
  readonly fillRandom?: FillRandom | undefined;
}

/** What {@linkcode DatagramEndpoint.open} needs. */
export type EndpointConnectionOptions = Omit<DatagramConnectionOptions, "fillRandom">;

/** See the module. */
export class DatagramEndpoint implements DatagramTable {
  readonly #options: DatagramEndpointOptions;
  readonly #connections = new Map<string, DatagramConnection>();
  /** Connections that may have something to send. */
  readonly #active = new Set<DatagramConnection>();
  /** Connections that something happened to. */
  readonly #changed = new Set<DatagramConnection>();
  readonly #deadlines = new Deadlines<DatagramConnection>();
  readonly #resets: OutgoingDatagram[] = [];
  #resetsSecond = -Infinity;
  #resetsSent = 0;

  /**
   * Holds no connection.
   *
   * @throws {RangeError} For a reset secret of another length.
   */
  constructor(options: DatagramEndpointOptions) {
    if (options.resetSecret.length !== SECRET_BYTES) {
      throw new RangeError(`The reset secret has not ${SECRET_BYTES} bytes`);
    }
    this.#options = options;
  }

  /** How many connections it holds. */
  get size(): number {
    return this.#connections.size;
  }

  /** Whether a datagram can be sent now. */
  get isActive(): boolean {
    return this.#active.size > 0 || this.#resets.length > 0;
  }

  /**
   * Opens a connection and holds it until it is closed.
   *
   * @throws {RangeError} For an id that is taken, or when there are too many.
   */
  open(options: EndpointConnectionOptions): DatagramConnection {
    const { connectionId } = options;
    const most = this.#options.connectionsMax ?? CONNECTIONS_MAX;
    if (this.#connections.size >= most) {
      throw new RangeError(`Cannot open a connection: there are ${most} already`);
    }
    if (this.#connections.has(connectionId)) {
      throw new RangeError(`Cannot open a connection: "${connectionId}" is there already`);
    }
    const { fillRandom, onActive } = this.#options;
    const connection = new DatagramConnection({ ...options, fillRandom }, () => {
      this.#active.add(connection);
      onActive?.();
    });
    this.#connections.set(connectionId, connection);
    this.#active.add(connection);
    onActive?.();
    return connection;
  }

  /**
   * Ends all connections; the datagrams that say so are ready then.
   *
   * @param code One of `CloseCode`, or a number from 16 up.
   * @param reason For people.
   */
  close(code?: number, reason?: string): void {
    for (const connection of this.#connections.values()) connection.close(code, reason);
  }

  /** Finds a connection. */
  get(connectionId: string): DatagramConnection | undefined {
    return this.#connections.get(connectionId);
  }

  /** What the client of this connection must know so that it believes a reset; 16 bytes. */
  resetToken(connectionId: string): Uint8Array<ArrayBuffer> {
    return deriveResetToken(this.#options.resetSecret, connectionId);
  }

  /** Takes a datagram from anywhere. Never throws. */
  receive(datagram: Uint8Array, from: string, now: number): void {
    const connectionId = connectionIdOf(datagram);
    if (connectionId === undefined) return;
    const connection = this.#connections.get(connectionId);
    if (connection === undefined) {
      if (datagram[0] === PACKET_DATA) this.#reset(connectionId, from, now);
      return;
    }
    connection.receive(datagram, from, now);
    this.#active.add(connection);
    this.#changed.add(connection);
  }

  /** The next datagram to send; connections take turns. */
  poll(now: number): OutgoingDatagram | undefined {
    const reset = this.#resets.shift();
    if (reset !== undefined) return reset;
    for (const connection of this.#active) {
      this.#active.delete(connection);
      const datagram = connection.poll(now);
      if (datagram !== undefined) {
        this.#active.add(connection);
        return datagram;
      }
      const dueMs = connection.nextTimeout();
      if (dueMs !== undefined) this.#deadlines.set(connection, dueMs);
      if (connection.state === "closed") this.#changed.add(connection);
    }
    return undefined;
  }

  /** When to call `timeout()`. */
  nextTimeout(): number | undefined {
    return this.#deadlines.nextMs;
  }

  /** Does what is due. */
  timeout(now: number): void {
    const due: DatagramConnection[] = [];
    // All that are due first: what is done may be followed by something that is due at once.
    for (let next = this.#deadlines.takeDue(now); next; next = this.#deadlines.takeDue(now)) {
      due.push(next);
    }
    for (const connection of due) {
      const before = connection.state;
      connection.timeout(now);
      this.#active.add(connection);
      if (connection.state !== before) this.#changed.add(connection);
    }
  }

  /** The next connection that something happened to; a closed one is forgotten with this. */
  nextChanged(): DatagramConnection | undefined {
    for (const connection of this.#changed) {
      this.#changed.delete(connection);
      if (connection.state === "closed") this.#forget(connection);
      return connection;
    }
    return undefined;
  }

  #forget(connection: DatagramConnection): void {
    this.#connections.delete(connection.connectionId);
    this.#active.delete(connection);
    this.#deadlines.delete(connection);
  }

  #reset(connectionId: string, to: string, now: number): void {
    const second = Math.floor(now / 1000);
    if (second !== this.#resetsSecond) {
      this.#resetsSecond = second;
      this.#resetsSent = 0;
    }
    if (this.#resetsSent >= RESETS_PER_SECOND_MAX) return;
    this.#resetsSent += 1;
    this.#resets.push({ to, bytes: encodeReset(connectionId, this.resetToken(connectionId)) });
  }
}
