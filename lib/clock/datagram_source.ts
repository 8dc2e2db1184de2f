/**
 * Who sent a datagram, and from which ports none is answered.
 *
 * @module
 */

import { UNPRIVILEGED_PORT_MIN } from "./ports.ts";

/** Where a datagram comes from; a socket's address is one. */
export interface DatagramSource {
  /** IP address. */
  readonly hostname: string;
  /** UDP port. */
  readonly port: number;
}

/** What answers datagrams, without a socket. */
export interface DatagramResponder {
  /**
   * Answers a datagram.
   *
   * @param request What came; not kept.
   * @param source Who sent it.
   * @returns The answer, good until the next call; `undefined` for silence.
   */
  respond(request: Uint8Array, source: DatagramSource): Uint8Array | undefined;
}

/**
 * Whether a port belongs to a client. Behind those below 1024 are services, and one that answers whatever
 * comes, such as `echo` or `chargen`, would go on for ever with one that does so too (CVE-2024-2169);
 * our own port is that of another such server, or this one.
 *
 * @param port Port of the source.
 * @param ownPort Port of the service.
 */
export function isClientPort(port: number, ownPort: number): boolean {
  return port >= UNPRIVILEGED_PORT_MIN && port !== ownPort;
}
