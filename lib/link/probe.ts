/**
 * Asks a server for its certificate, without trusting it.
 *
 * `Deno.TlsConn` shows no certificate of its peer, so this opens a connection of its own through
 * `node:tls`, reads the certificates, and closes it. What it learns is only what that connection
 * showed: the one that carries data must be verified against it by itself.
 *
 * @module
 */

import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import { TrivetError } from "../errors.ts";
import { connectError, handshakeError } from "./connect.ts";
import { isIpAddress, type TcpAddress } from "./address.ts";
import { KNOWN_SERVER_CHAIN_MAX } from "./known_servers.ts";

/**
 * Reads the certificates that a server shows.
 *
 * @param address The server
 * @param signal Ends the attempt
 * @returns The server's certificate in DER, then those of its issuers that it sent
 * @throws TrivetError that says why it could not be asked, or the signal's reason
 */
export async function probeCertificates(
  address: TcpAddress,
  signal: AbortSignal,
): Promise<Uint8Array[]> {
  // Imported here: it takes 35 to 50 ms, and only a first contact or a changed certificate needs it.
  const { connect } = await import("node:tls");
  signal.throwIfAborted();
  const socket = connect({
    host: address.host,
    port: address.port,
    rejectUnauthorized: false,
    // RFC 6066 §3: literal addresses are not permitted in the server name.
    ...(isIpAddress(address.host) ? {} : { servername: address.host }),
  });
  return await chainShownBy(socket, address, signal);
}

function chainShownBy(
  socket: TLSSocket,
  address: TcpAddress,
  signal: AbortSignal,
): Promise<Uint8Array[]> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array[]>();
  let chain: Uint8Array[] = [];
  let connected = false;
  let failure: unknown = new TrivetError("PROTOCOL_ERROR", "The server showed no certificate");
  const onAbort = () => socket.destroy();
  signal.addEventListener("abort", onAbort, { once: true });
  socket.once("connect", () => connected = true);
  socket.once("secureConnect", () => {
    chain = chainOf(socket.getPeerCertificate(true));
    socket.destroy();
  });
  socket.on("error", (error) => {
    failure = connected ? handshakeError(address, error) : connectError(address, error);
  });
  // Settled on "close" and not before, so that nothing of the probe outlives it.
  socket.once("close", () => {
    signal.removeEventListener("abort", onAbort);
    if (signal.aborted) reject(signal.reason);
    else if (chain.length > 0) resolve(chain);
    else reject(failure);
  });
  return promise;
}

function chainOf(leaf: DetailedPeerCertificate): Uint8Array[] {
  const chain: Uint8Array[] = [];
  let current: DetailedPeerCertificate | undefined = leaf;
  while (current?.raw !== undefined && chain.length < KNOWN_SERVER_CHAIN_MAX) {
    chain.push(Uint8Array.from(current.raw));
    // A self-signed certificate is its own issuer.
    current = current.issuerCertificate === current ? undefined : current.issuerCertificate;
  }
  return chain;
}
