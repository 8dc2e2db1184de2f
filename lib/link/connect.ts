/**
 * Opens one connection, plain or with TLS, under a deadline, and says in Trivet's own terms why it
 * could not. Whom to trust is decided in `dial.ts`.
 *
 * @module
 */

import { after } from "../after.ts";
import { TrivetError } from "../errors.ts";
import { type Address, formatAddress, type TcpAddress } from "./address.ts";

/** Longest wait for session tickets; a longer round trip hides a delayed acknowledgement anyway. */
const TICKET_WAIT_MAX_MS = 100;

/** What a TLS connection is verified against, besides the roots of the system. */
export interface TlsTrust {
  /** Host name that the server's certificate must carry. */
  readonly hostname: string;
  /** Certificates in PEM that are trusted as issuers. */
  readonly caCerts: readonly string[];
}

/** The server's certificate was refused; which one it is, only a probe can tell. */
export class CertificateRefused extends Error {
  /** The name of this class. */
  override readonly name = "CertificateRefused";
}

/** Opens a plain connection over TCP or a Unix socket. */
export async function connectPlain(address: Address, signal: AbortSignal): Promise<Deno.Conn> {
  if (address.transport === "tcp") return await connectTcp(address, signal);
  try {
    // Deno takes no signal here, nor is one needed: the kernel answers at once.
    return await Deno.connect({ transport: "unix", path: address.path });
  } catch (error) {
    throw connectError(address, error);
  }
}

/**
 * Opens a TLS connection, with its handshake done.
 *
 * @throws CertificateRefused when the certificate is not what `trust` asks for
 */
export async function connectTls(
  address: TcpAddress,
  trust: TlsTrust,
  signal: AbortSignal,
): Promise<Deno.TlsConn> {
  const tcp = await connectTcp(address, signal);
  let tls: Deno.TlsConn;
  try {
    tls = await Deno.startTls(tcp, { hostname: trust.hostname, caCerts: [...trust.caCerts] });
  } catch (error) {
    closeQuietly(tcp);
    throw handshakeError(address, error);
  }
  const onAbort = () => closeQuietly(tls);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  try {
    const startedMs = performance.now();
    await tls.handshake();
    await letTicketsArrive(performance.now() - startedMs);
    signal.throwIfAborted();
    return tls;
  } catch (error) {
    closeQuietly(tls);
    throw signal.aborted ? signal.reason : handshakeError(address, error);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * After the handshake a TLS 1.3 server sends session tickets, and Deno's keeps Nagle's algorithm: its
 * first answer waits until the tickets are acknowledged, which Linux delays by 40 ms unless there is
 * something to send. So the first request leaves after the tickets came, one round trip later, and
 * carries the acknowledgement. The answer could not have been here sooner (measured on loopback:
 * 44 ms without this wait, 5 ms with it, the wait included).
 */
function letTicketsArrive(handshakeMs: number): Promise<void> {
  const waitMs = Math.min(Math.ceil(handshakeMs), TICKET_WAIT_MAX_MS);
  return new Promise((resolve) => void after(waitMs, resolve));
}

async function connectTcp(address: TcpAddress, signal: AbortSignal): Promise<Deno.TcpConn> {
  try {
    const conn = await Deno.connect({ hostname: address.host, port: address.port, signal });
    // Before TLS takes the connection over: a TlsConn has neither.
    conn.setNoDelay(true);
    conn.setKeepAlive(true);
    return conn;
  } catch (error) {
    throw signal.aborted ? signal.reason : connectError(address, error);
  }
}

/** Says why a connection could not be opened. */
export function connectError(address: Address, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof TrivetError) return error;
  if (error instanceof Deno.errors.NotCapable || error instanceof TypeError) return error;
  const target = `"${formatAddress(address)}"`;
  const say = (reason: string) =>
    new TrivetError("UNREACHABLE", `Cannot reach ${target}: ${reason}`, { cause: error });
  const code = "code" in error ? error.code : undefined;
  if (error instanceof Deno.errors.PermissionDenied) {
    return new TrivetError("PERMISSION_DENIED", `Cannot reach ${target}: the system refuses it`, {
      cause: error,
    });
  }
  if (error instanceof Deno.errors.ConnectionRefused || code === "ECONNREFUSED") {
    return say("nobody listens there");
  }
  if (error instanceof Deno.errors.NotFound) return say("there is no such socket");
  if (code === "ENOTFOUND" || code === "EAI_AGAIN" || /lookup address/.test(error.message)) {
    return say("its name cannot be resolved");
  }
  if (error instanceof Deno.errors.TimedOut || code === "ETIMEDOUT") {
    return new TrivetError("TIMEOUT", `Cannot reach ${target}: it does not answer`, {
      cause: error,
    });
  }
  return say(error.message);
}

/** Says why a TLS handshake failed. */
export function handshakeError(address: TcpAddress, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof TrivetError) return error;
  const target = `"${formatAddress(address)}"`;
  if (/invalid peer certificate/.test(error.message)) {
    return new CertificateRefused(error.message, { cause: error });
  }
  if (/InvalidContentType|corrupt message/.test(error.message)) {
    return new TrivetError(
      "PROTOCOL_ERROR",
      `The server at ${target} does not speak TLS on this port; ` +
        `use --plain if it is a Trivet server that runs with --plain`,
      { cause: error },
    );
  }
  const code = "code" in error ? error.code : undefined;
  const closed = error instanceof Deno.errors.UnexpectedEof ||
    error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.ConnectionAborted || code === "ECONNRESET" || code === "EPIPE";
  if (closed) {
    return new TrivetError(
      "CONNECTION_LOST",
      `The server at ${target} closed the connection during the TLS handshake`,
      { cause: error },
    );
  }
  return new TrivetError(
    "PROTOCOL_ERROR",
    `The TLS handshake with ${target} failed: ${error.message}`,
    { cause: error },
  );
}

/**
 * Whether bytes received in place of a frame begin a TLS record (RFC 8446 §5.1): one side speaks
 * TLS, the other does not.
 */
export function isTlsRecord(head: Uint8Array): boolean {
  const [type = 0, major] = head;
  return type >= 20 && type <= 23 && major === 3;
}

/** Closes what may be closed already. */
function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
