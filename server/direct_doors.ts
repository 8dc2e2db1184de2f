/**
 * Direct connections: TLS without the gate of `lib/link/tls_gate.ts`, which costs a server more than
 * TLS itself.
 *
 * The gate is there for strangers, because a TLS connection that never ends its handshake cannot be
 * closed. Somebody who is logged in may ask for a door instead: a port of its own that is open for a
 * few seconds, for one connection, from the address that asked. What gets stuck there all the same is
 * counted, and after a few no more doors are opened: everybody then goes through the gate.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";
import type { AcceptedConn } from "../lib/link/link.ts";

/** How long a door stands open, in milliseconds. */
export const DOOR_OPEN_MS = 5_000;

/** Time for the TLS handshake behind a door, in milliseconds. */
export const DOOR_HANDSHAKE_MS = 3_000;

/** Doors that stand open at once. */
export const DOORS_MAX = 64;

/** Connections stuck in their handshake, over the life of the server, after which doors stay shut. */
export const STUCK_MAX = 8;

/** Options of {@linkcode DirectDoors}. */
export interface DirectDoorsOptions {
  /** The certificate in PEM, with its chain. */
  readonly cert: string;
  /** Its private key in PEM. */
  readonly key: string;
  /** Takes a connection whose handshake is done. */
  readonly onConnection: (conn: AcceptedConn) => void;
  /** Told once when doors stay shut from now on. */
  readonly onShut?: () => void;
  /** In place of {@linkcode DOOR_OPEN_MS}. */
  readonly openMs?: number;
  /** In place of {@linkcode DOOR_HANDSHAKE_MS}. */
  readonly handshakeMs?: number;
}

/** Opens doors for direct connections. */
export class DirectDoors implements Disposable {
  readonly #options: DirectDoorsOptions;
  readonly #open = new Set<Deno.TlsListener>();
  #stuck = 0;
  #isClosed = false;

  /** Opens none yet. */
  constructor(options: DirectDoorsOptions) {
    this.#options = options;
  }

  /** Doors that stand open. */
  get openCount(): number {
    return this.#open.size;
  }

  /**
   * Opens a door next to a connection.
   *
   * @param conn Whoever asks; the door is on the same local address, and for the same peer.
   * @returns The port.
   * @throws {TrivetError} `SERVER_BUSY` when no door can be opened; the peer's other connections work.
   */
  open(conn: AcceptedConn): number {
    const { localAddr, remoteAddr } = conn;
    if (
      this.#isClosed || this.#stuck >= STUCK_MAX || this.#open.size >= DOORS_MAX ||
      localAddr === undefined || !("hostname" in localAddr) || !("hostname" in remoteAddr)
    ) throw noDoor();
    const { cert, key } = this.#options;
    let listener: Deno.TlsListener;
    try {
      listener = Deno.listenTls({ hostname: localAddr.hostname, port: 0, cert, key });
    } catch (cause) {
      // No descriptor is left, or the address is one that cannot be bound alone.
      throw noDoor(cause);
    }
    this.#open.add(listener);
    this.#serve(listener, remoteAddr.hostname);
    return listener.addr.port;
  }

  /** Shuts all doors; connections that came through live on. */
  close(): void {
    this.#isClosed = true;
    for (const listener of [...this.#open]) this.#shut(listener);
  }

  /** The same as {@linkcode DirectDoors.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Waits for the one connection; never rejects. */
  async #serve(listener: Deno.TlsListener, peer: string): Promise<void> {
    const timer = setTimeout(() => this.#shut(listener), this.#options.openMs ?? DOOR_OPEN_MS);
    let conn: Deno.TlsConn;
    try {
      conn = await listener.accept();
    } catch {
      // It was shut, or no descriptor is left: the peer goes through the gate.
      return;
    } finally {
      clearTimeout(timer);
      this.#shut(listener);
    }
    if (conn.remoteAddr.hostname !== peer) this.#countStuck();
    else if (await this.#isReady(conn)) return this.#options.onConnection(conn);
    closeQuietly(conn);
  }

  /** Whether the handshake ended in time. */
  async #isReady(conn: Deno.TlsConn): Promise<boolean> {
    const late = Promise.withResolvers<"late">();
    const ms = this.#options.handshakeMs ?? DOOR_HANDSHAKE_MS;
    const timer = setTimeout(() => late.resolve("late"), ms);
    const shaken = conn.handshake().then(() => "done" as const, () => "failed" as const);
    const outcome = await Promise.race([shaken, late.promise]);
    clearTimeout(timer);
    if (outcome === "late") this.#countStuck();
    return outcome === "done" && !this.#isClosed;
  }

  /** Closing it waits for its handshake, perhaps for ever. */
  #countStuck(): void {
    this.#stuck += 1;
    if (this.#stuck === STUCK_MAX) this.#options.onShut?.();
  }

  #shut(listener: Deno.TlsListener): void {
    if (!this.#open.delete(listener)) return;
    listener.close();
  }
}

function noDoor(cause?: unknown): TrivetError {
  const text = "The server opens no direct connection now";
  return new TrivetError("SERVER_BUSY", text, cause === undefined ? {} : { cause });
}

function closeQuietly(conn: Deno.TlsConn): void {
  try {
    conn.close();
  } catch {
    // It has failed already.
  }
}
