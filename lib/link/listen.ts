/**
 * Listening for connections over TLS, plain TCP on loopback, or a Unix socket.
 *
 * The TLS handshake of an accepted connection runs with its first read or write, so whatever a peer
 * sends, it fails there and not in `accept()`; and it ends when the connection is closed (`tls_gate.ts`).
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { type Address, DEFAULT_PORT, formatAddress, isLoopback } from "./address.ts";
import { readCertificate } from "./certificate.ts";
import type { AcceptedConn } from "./link.ts";
import { listenUnix, type UnixListener } from "./listen_unix.ts";
import { TlsGate } from "./tls_gate.ts";

/** Connections that the kernel holds for us: 128, the default, makes a burst wait. */
export const TCP_BACKLOG = 4096;

/** First and longest pause after `accept()` failed, as it does when no file descriptor is left. */
export const ACCEPT_PAUSE_MIN_MS = 5;
/** See {@linkcode ACCEPT_PAUSE_MIN_MS}. */
export const ACCEPT_PAUSE_MAX_MS = 1_000;

/** Options of {@linkcode listen}. */
export interface ListenOptions {
  /** Host to listen on (default 127.0.0.1). */
  readonly host?: string;
  /** Port (default 9000); 0 takes any free one. */
  readonly port?: number;
  /** The certificate in PEM, with its chain. */
  readonly cert?: string;
  /** Its private key in PEM. */
  readonly key?: string;
  /** Without TLS; on loopback only. */
  readonly plain?: boolean;
  /** A Unix socket in place of host and port; never has TLS. */
  readonly unixPath?: string;
  /** Told when accepting pauses after a failure. */
  readonly onPause?: (error: unknown, pauseMs: number) => void;
}

/** What a {@linkcode Listener} accepts from. */
export interface Acceptor {
  /** Waits for the next connection. */
  accept(): Promise<AcceptedConn>;
  /** Ends listening; an `accept()` in progress rejects. */
  close(): void;
}

/** Settings of a {@linkcode Listener}. */
export interface ListenerSettings {
  /** Told when accepting pauses after a failure. */
  readonly onPause?: ((error: unknown, pauseMs: number) => void) | undefined;
  /** Waits, or less when the signal fires (default: the real clock). */
  readonly pause?: (pauseMs: number, signal: AbortSignal) => Promise<void>;
}

/** An open port or Unix socket. */
export class Listener implements Disposable {
  /** Where it listens; the port is the real one. */
  readonly address: Address;
  readonly #acceptor: Acceptor;
  readonly #settings: ListenerSettings;
  readonly #closed = new AbortController();

  /** Takes what already listens; `listen()` is the usual way. */
  constructor(address: Address, acceptor: Acceptor, settings: ListenerSettings = {}) {
    this.address = address;
    this.#acceptor = acceptor;
    this.#settings = settings;
  }

  /**
   * Waits for the next connection. A failure, such as a lack of file descriptors, is not the end:
   * it is tried again after a pause that doubles from 5 ms to 1 s.
   *
   * @returns The connection, or null once the listener is closed
   */
  async accept(): Promise<AcceptedConn | null> {
    const pause = this.#settings.pause ?? sleep;
    let pauseMs = ACCEPT_PAUSE_MIN_MS;
    while (!this.#closed.signal.aborted) {
      try {
        const conn = await this.#acceptor.accept();
        setUp(conn);
        return conn;
      } catch (error) {
        if (this.#closed.signal.aborted) break;
        this.#settings.onPause?.(error, pauseMs);
        await pause(pauseMs, this.#closed.signal);
        pauseMs = Math.min(pauseMs * 2, ACCEPT_PAUSE_MAX_MS);
      }
    }
    return null;
  }

  /** The connections, until the listener is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<AcceptedConn> {
    for (;;) {
      const conn = await this.accept();
      if (conn === null) return;
      yield conn;
    }
  }

  /** Ends listening; connections already accepted live on. */
  close(): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    this.#acceptor.close();
  }

  /** Same as `close`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Listens on one address.
 *
 * @param options Where, and with which certificate
 * @returns The listener; the caller closes it
 * @throws TrivetError `ADDRESS_IN_USE`, or `USAGE` when this machine cannot listen there, plain TCP
 * is asked for off loopback, or the certificate cannot be used
 */
export async function listen(options: ListenOptions = {}): Promise<Listener> {
  const settings = { onPause: options.onPause };
  if (options.unixPath !== undefined) {
    const unix: UnixListener = await listenUnix(options.unixPath);
    return new Listener({ transport: "unix", path: options.unixPath }, unix, settings);
  }
  const address = {
    transport: "tcp",
    host: options.host ?? "127.0.0.1",
    port: options.port ?? DEFAULT_PORT,
  } as const;
  const acceptor = options.plain === true
    ? listenPlain(address.host, address.port)
    : await listenTls(address.host, address.port, options);
  return new Listener({ ...address, port: acceptor.addr.port }, acceptor, settings);
}

/**
 * Listens on several hosts with one port; with port 0, all take the port that the first gets.
 *
 * @param hosts Such as `["127.0.0.1", "::1"]`
 * @param options As for {@linkcode listen}
 * @returns One listener for each host; none is open when one could not be
 */
export async function listenAll(
  hosts: readonly string[],
  options: Omit<ListenOptions, "host" | "unixPath"> = {},
): Promise<Listener[]> {
  const listeners: Listener[] = [];
  let { port } = options;
  // "::" first: on most systems it serves IPv4 too, and then "0.0.0.0" has nothing left to do.
  const ordered = hosts.toSorted((a, b) => Number(b === "::") - Number(a === "::"));
  try {
    for (const host of ordered) {
      try {
        const listener = await listen({
          ...options,
          host,
          ...(port === undefined ? {} : { port }),
        });
        listeners.push(listener);
        if (listener.address.transport === "tcp") port = listener.address.port;
      } catch (error) {
        if (!(host === "0.0.0.0" && ordered[0] === "::" && isInUse(error))) throw error;
      }
    }
    return listeners;
  } catch (error) {
    for (const listener of listeners) listener.close();
    throw error;
  }
}

function listenPlain(host: string, port: number): Deno.TcpListener {
  if (!isLoopback(host)) {
    throw new TrivetError(
      "USAGE",
      `Cannot listen on "${host}" with --plain: without TLS only this machine is served, ` +
        `on 127.0.0.1, ::1 or a Unix socket`,
    );
  }
  return listenTcp(host, port);
}

async function listenTls(
  host: string,
  port: number,
  { cert, key }: ListenOptions,
): Promise<TlsGate> {
  if (cert === undefined || key === undefined) {
    throw new TypeError("Cannot listen with TLS: cert and key are needed");
  }
  const { authority, names } = await readCertificate(cert);
  // Every client would refuse these; better to say so here, once, than to each of them.
  if (authority || names.length === 0) {
    const reason = authority
      ? "it is an authority's (CA:TRUE), not a server's own (CA:FALSE)"
      : "it has no subject alternative name";
    throw new TrivetError("USAGE", `Cannot use the certificate of --cert: ${reason}`);
  }
  const inner = { hostname: "127.0.0.1", port: 0, cert, key, tcpBacklog: TCP_BACKLOG };
  const front = listenTcp(host, port);
  try {
    return new TlsGate(front, Deno.listenTls(inner));
  } catch (error) {
    front.close();
    throw listenError(host, port, error);
  }
}

function listenTcp(host: string, port: number): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: host, port, tcpBacklog: TCP_BACKLOG });
  } catch (error) {
    throw listenError(host, port, error);
  }
}

function listenError(host: string, port: number, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof Deno.errors.NotCapable) return error;
  const target = formatAddress({ transport: "tcp", host, port });
  if (error instanceof Deno.errors.AddrInUse) {
    return new TrivetError("ADDRESS_IN_USE", `Cannot listen on "${target}": it is in use`, {
      cause: error,
    });
  }
  const reason = error instanceof Deno.errors.AddrNotAvailable
    ? "this machine does not have that address"
    : error instanceof Deno.errors.PermissionDenied
    ? "the system does not permit it; ports below 1024 are often reserved"
    : error.message;
  return new TrivetError("USAGE", `Cannot listen on "${target}": ${reason}`, { cause: error });
}

/** Small frames must not wait for each other. */
function setUp(conn: AcceptedConn): void {
  if (!("setNoDelay" in conn)) return;
  const tcp = conn as Deno.TcpConn;
  try {
    tcp.setNoDelay(true);
    tcp.setKeepAlive(true);
  } catch {
    // The peer has gone already; the first read says so.
  }
}

function isInUse(error: unknown): boolean {
  return error instanceof TrivetError && error.code === "ADDRESS_IN_USE";
}

function sleep(pauseMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, pauseMs);
  signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  return promise;
}
