/**
 * How a login over TLS becomes a chat over UDP: the server hands out a ticket, and both sides make the
 * secrets of one datagram connection from it.
 *
 * @module
 */

import * as v from "valibot";
import {
  type DatagramConnectionOptions,
  type DatagramSecrets,
  SECRET_BYTES,
} from "../datagram/types.ts";

// Not by an import statement: a bundle would load the module with every command, for 10 to 30 ms.
const { hkdfSync } = await import("node:crypto");

/**
 * The method that asks for a ticket. It belongs to the connection and to the service `chat`.
 */
export const TICKET_METHOD = "connection.datagram";

/** How long a ticket waits for the first datagram, in milliseconds. */
export const TICKET_LIFETIME_MS = 30_000;

const hex = (bytes: number) => v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`)));

/** Answer to {@linkcode TICKET_METHOD}. */
export const ChatTicket = v.object({
  /** UDP port, of the host that this connection goes to. */
  port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
  /** Id of the datagram connection. */
  connectionId: hex(8),
  /** What its secrets are made from; for this one connection. */
  secret: hex(32),
  /** Who sends this has lost the connection. */
  resetToken: hex(16),
  /** How long the ticket waits for the first datagram, in milliseconds. */
  lifetimeMs: v.pipe(v.number(), v.integer(), v.minValue(1)),
});
/** See {@linkcode ChatTicket}. */
export type ChatTicket = v.InferOutput<typeof ChatTicket>;

/**
 * Makes a ticket that is like no other.
 *
 * @param place The server's port, and how it makes the token of a reset.
 */
export function makeTicket(
  { port, resetToken }: {
    readonly port: number;
    readonly resetToken: (connectionId: string) => Uint8Array;
  },
): ChatTicket {
  const connectionId = crypto.getRandomValues(new Uint8Array(8)).toHex();
  return {
    port,
    connectionId,
    secret: crypto.getRandomValues(new Uint8Array(SECRET_BYTES)).toHex(),
    resetToken: resetToken(connectionId).toHex(),
    lifetimeMs: TICKET_LIFETIME_MS,
  };
}

/**
 * What a ticket says of one end of the connection.
 *
 * @param ticket The ticket.
 * @param role Which end.
 * @returns Options for opening it.
 */
export function ticketOptions(
  { connectionId, secret, resetToken }: ChatTicket,
  role: "client" | "server",
): Pick<DatagramConnectionOptions, "role" | "connectionId" | "secrets" | "resetToken"> {
  const fromClient = derive(secret, "client");
  const fromServer = derive(secret, "server");
  const secrets: DatagramSecrets = role === "client"
    ? { send: fromClient, receive: fromServer }
    : { send: fromServer, receive: fromClient };
  if (role === "server") return { role, connectionId, secrets };
  return { role, connectionId, secrets, resetToken: Uint8Array.fromHex(resetToken) };
}

/** The secret of what one side sends (HKDF, RFC 5869). */
function derive(secret: string, sender: "client" | "server"): Uint8Array<ArrayBuffer> {
  const info = `trivet chat-datagram-1 ${sender}`;
  return new Uint8Array(hkdfSync("sha256", Uint8Array.fromHex(secret), "", info, SECRET_BYTES));
}
