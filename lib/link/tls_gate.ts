/**
 * A TLS listener behind a gate of plain TCP.
 *
 * Deno offers no way to end a TLS connection whose handshake never finishes: `close()` waits for it, so
 * a stranger who connects and says nothing would hold a socket and memory for ever. The gate accepts
 * on the public port, and only when the first byte of a TLS handshake arrives it opens a connection
 * of its own to the TLS listener, on a loopback port that nobody else is served on, and passes the
 * encrypted bytes on. Closing the gate's two sockets ends the handshake too. What this costs is one
 * more copy of what is sent and received.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import type { AcceptedConn } from "./link.ts";

/** First byte of a TLS handshake record (RFC 8446 §5.1). */
const TLS_HANDSHAKE = 0x16;

/** The alert that tells a peer without TLS what it has met: fatal, unexpected_message (RFC 8446 §6). */
const UNEXPECTED_MESSAGE = Uint8Array.of(0x15, 3, 3, 0, 2, 2, 10);

/** The pumps' buffers begin small, since most connections are idle or strangers'. */
const PUMP_BUFFER_FIRST_BYTES = 4 * 1024;

/** Larger than this, they were not faster. */
const PUMP_BUFFER_MAX_BYTES = 256 * 1024;

/** How long a closed connection may take to deliver what was written to it. */
const LINGER_MS = 2000;

/** How long a connection to the inner listener may be unknown to the gate. */
const CLAIM_TIMEOUT_MS = 5000;

type Timer = ReturnType<typeof setTimeout>;

/** Accepts TLS connections through a gate. */
export class TlsGate {
  readonly #front: Deno.TcpListener;
  readonly #inner: Deno.TlsListener;
  /** Who waits for the inner listener to accept the connection from this local port. */
  readonly #expected = new Map<number, (conn: Deno.TlsConn) => void>();
  /** What the inner listener accepted before `connect` returned, by the same port. */
  readonly #early = new Map<number, { readonly conn: Deno.TlsConn; readonly timer: Timer }>();

  /**
   * Takes over two listeners.
   *
   * @param front The public port.
   * @param inner The TLS listener, on a free port of 127.0.0.1.
   */
  constructor(front: Deno.TcpListener, inner: Deno.TlsListener) {
    this.#front = front;
    this.#inner = inner;
    this.#acceptInner();
  }

  /** The public address. */
  get addr(): Deno.NetAddr {
    return this.#front.addr;
  }

  /** Waits for the next connection; its handshake runs with its first read. */
  async accept(): Promise<AcceptedConn> {
    const outer = await this.#front.accept();
    try {
      outer.setNoDelay(true);
      outer.setKeepAlive(true);
    } catch {
      // The peer has gone already; the first read says so.
    }
    return new Gated(outer, (signal) => this.#connect(signal));
  }

  /** Ends listening; connections already accepted live on until they are closed. */
  close(): void {
    this.#front.close();
    this.#inner.close();
    for (const port of [...this.#early.keys()]) this.#takeEarly(port)?.close();
  }

  /** Opens a connection to the inner listener, from both ends. */
  async #connect(signal: AbortSignal): Promise<InnerEnds> {
    const { hostname, port } = this.#inner.addr;
    const raw = await Deno.connect({ hostname, port, signal });
    const { promise, resolve, reject } = Promise.withResolvers<Deno.TlsConn>();
    const from = raw.localAddr.port;
    const early = this.#takeEarly(from);
    if (early === undefined) this.#expected.set(from, resolve);
    else resolve(early);
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      raw.setNoDelay(true);
      signal.throwIfAborted();
      return { raw, tls: await promise };
    } catch (error) {
      raw.close();
      throw error;
    } finally {
      this.#expected.delete(from);
      signal.removeEventListener("abort", onAbort);
    }
  }

  async #acceptInner(): Promise<void> {
    for (;;) {
      let conn: Deno.TlsConn;
      try {
        conn = await this.#inner.accept();
      } catch (error) {
        if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) {
          return;
        }
        // No descriptor is left: whoever waits here runs into its own deadline.
        await new Promise((resolve) => setTimeout(resolve, 100));
        continue;
      }
      this.#claim(conn);
    }
  }

  #claim(conn: Deno.TlsConn): void {
    const { port } = conn.remoteAddr;
    const expected = this.#expected.get(port);
    if (expected !== undefined) return expected(conn);
    // If nobody claims it, another program of this machine has found the port.
    const timer = setTimeout(() => this.#takeEarly(port)?.close(), CLAIM_TIMEOUT_MS);
    this.#early.set(port, { conn, timer });
  }

  #takeEarly(port: number): Deno.TlsConn | undefined {
    const early = this.#early.get(port);
    if (early === undefined) return undefined;
    clearTimeout(early.timer);
    this.#early.delete(port);
    return early.conn;
  }
}

/** The two ends of the connection behind the gate. */
interface InnerEnds {
  /** The gate's end: encrypted. */
  readonly raw: Deno.TcpConn;
  /** The server's end: plain text. */
  readonly tls: Deno.TlsConn;
}

class Gated implements AcceptedConn {
  readonly #outer: Deno.TcpConn;
  readonly #closed = new AbortController();
  readonly #inner: Promise<InnerEnds>;
  #ends: InnerEnds | null = null;
  #hasHandshake = false;
  #linger: Timer | undefined;

  constructor(outer: Deno.TcpConn, connect: (signal: AbortSignal) => Promise<InnerEnds>) {
    this.#outer = outer;
    this.#inner = this.#open(connect);
    // Nobody may ever read from a connection that is closed before it says anything.
    this.#inner.catch(() => {});
  }

  get remoteAddr(): Deno.NetAddr {
    return this.#outer.remoteAddr;
  }

  get localAddr(): Deno.NetAddr {
    return this.#outer.localAddr;
  }

  async read(target: Uint8Array): Promise<number | null> {
    const { tls } = this.#ends ?? await this.#inner;
    return await tls.read(target);
  }

  async write(source: Uint8Array): Promise<number> {
    const { tls } = this.#ends ?? await this.#inner;
    return await tls.write(source);
  }

  close(): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort(new Deno.errors.BadResource("The connection is closed"));
    const ends = this.#ends;
    if (ends === null || !this.#hasHandshake) return this.#cut();
    // What was written is still on its way through the gate; the pump cuts when it has passed.
    ends.tls.close();
    this.#linger = setTimeout(() => this.#cut(), LINGER_MS);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Waits for the first bytes, and opens the way in if they are TLS. */
  async #open(connect: (signal: AbortSignal) => Promise<InnerEnds>): Promise<InnerEnds> {
    const { signal } = this.#closed;
    try {
      const first = new Uint8Array(PUMP_BUFFER_FIRST_BYTES);
      const count = await this.#outer.read(first);
      if (count === null) throw new Deno.errors.UnexpectedEof("The peer closed the connection");
      if (first[0] !== TLS_HANDSHAKE) {
        await writeAll(this.#outer, UNEXPECTED_MESSAGE);
        throw new TrivetError("PROTOCOL_ERROR", "The peer does not speak TLS");
      }
      signal.throwIfAborted();
      const ends = await connect(signal);
      this.#ends = ends;
      if (signal.aborted) this.#cut();
      signal.throwIfAborted();
      this.#pumpBoth(ends, first.subarray(0, count));
      await ends.tls.handshake();
      this.#hasHandshake = true;
      return ends;
    } catch (error) {
      this.#cut();
      throw error;
    }
  }

  #pumpBoth({ raw }: InnerEnds, first: Uint8Array): void {
    const inwards = writeAll(raw, first).then(() => pump(this.#outer, raw));
    // The peer has ended its side, or has gone: the TLS end sees the end of the stream.
    inwards.catch(() => {}).then(() => raw.closeWrite()).catch(() => {});
    pump(raw, this.#outer).catch(() => {}).finally(() => this.#cut());
  }

  #cut(): void {
    clearTimeout(this.#linger);
    for (const conn of [this.#outer, this.#ends?.raw, this.#ends?.tls]) {
      try {
        conn?.close();
      } catch {
        // Closed already.
      }
    }
  }
}

/** Passes bytes on until the end of the stream; the buffer grows while reads fill it. */
async function pump(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  let buffer = new Uint8Array(PUMP_BUFFER_FIRST_BYTES);
  for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
    await writeAll(to, count === buffer.length ? buffer : buffer.subarray(0, count));
    if (count === buffer.length && count < PUMP_BUFFER_MAX_BYTES) {
      buffer = new Uint8Array(Math.min(count * 4, PUMP_BUFFER_MAX_BYTES));
    }
  }
}

async function writeAll(to: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = await to.write(bytes); at < bytes.length;) {
    at += await to.write(bytes.subarray(at));
  }
}
