/**
 * One chat connection over UDP: asks for a ticket on a connection that is logged in, and waits until
 * the server answers to datagrams.
 *
 * @module
 */

import { ChatTicket, TICKET_METHOD, ticketOptions } from "../lib/chat/ticket.ts";
import type { DatagramConnection } from "../lib/datagram/connection.ts";
import type { NetemOptions } from "../lib/datagram/netem.ts";
import { DatagramPump } from "../lib/datagram/pump.ts";
import { formatRemote } from "../lib/datagram/socket.ts";
import { DatagramTransport } from "../lib/datagram/transport.ts";
import { SECRET_BYTES } from "../lib/datagram/types.ts";
import { TrivetError } from "../lib/errors.ts";
import { encodeFrame } from "../lib/frame/encode.ts";
import { FRAME_PAYLOAD_MAX_BYTES, FrameType } from "../lib/frame/frame.ts";
import type { KeepaliveOptions } from "../lib/link/keepalive.ts";
import { Link } from "../lib/link/link.ts";
import { RpcClient } from "../lib/rpc/client.ts";
import { checkHead } from "../lib/rpc/messages.ts";
import { abortable } from "./abortable.ts";

/** A path that UDP does not pass any more must be noticed soon, for TCP may pass. */
const KEEPALIVE: KeepaliveOptions = { pingAfterMs: 5_000, closeAfterMs: 12_000 };

/** How often the server is asked whether it hears us: each datagram may be lost. */
const PING_EVERY_MS = 150;

/** How long what was said last may take. */
const LINGER_MS = 500;

/** Options of {@linkcode openDatagrams}. */
export interface DatagramsOptions {
  /** The server's address, as the connection over TCP reached it. */
  readonly host: string;
  /** UDP port, where it is another than the server says. */
  readonly port?: number | undefined;
  /** Makes the network worse for what is sent. */
  readonly netem?: NetemOptions | undefined;
  /** How long the server may take to answer, in milliseconds. */
  readonly waitMs: number;
  /** Requests that may be in flight. */
  readonly requestsInFlightMax: number;
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
}

/** A connection over UDP. */
export interface OpenedDatagrams {
  /** Calls over it. */
  readonly rpc: RpcClient;
  /** Resolves once the connection is down and its socket closed. */
  readonly closed: Promise<void>;
}

/**
 * Opens a connection over UDP.
 *
 * @param control A connection that is logged in; it is not needed afterwards.
 * @param options Where to, and how long to wait.
 * @throws {TrivetError} `UNKNOWN_SERVICE` where the server offers none, `TIMEOUT` where UDP does not
 * pass, and others.
 */
export async function openDatagrams(
  control: RpcClient,
  options: DatagramsOptions,
): Promise<OpenedDatagrams> {
  const { signal, requestsInFlightMax } = options;
  const ticket = await askTicket(control, signal);
  const ends = new DatagramEnds(ticket, options);
  const link = new Link(ends.transport, { payloadMaxBytes: FRAME_PAYLOAD_MAX_BYTES });
  const rpc = RpcClient.start(link, { requestsInFlightMax, keepalive: KEEPALIVE });
  const closed = link.closed.then(() => ends.close());
  try {
    await ends.answered(link, options);
    return { rpc, closed };
  } catch (error) {
    link.close();
    await closed;
    throw error;
  }
}

async function askTicket(
  control: RpcClient,
  signal: AbortSignal | undefined,
): Promise<ChatTicket> {
  try {
    const { head } = await control.call(TICKET_METHOD, {}, { signal });
    return checkHead(ChatTicket, head, `the answer to "${TICKET_METHOD}"`);
  } catch (cause) {
    if (!(cause instanceof TrivetError) || cause.code !== "UNKNOWN_METHOD") throw cause;
    const text = "The server does not offer the chat over UDP";
    throw new TrivetError("UNKNOWN_SERVICE", text, { cause });
  }
}

/** The socket of one connection, and the connection. */
class DatagramEnds {
  readonly transport: DatagramTransport;
  readonly #pump: DatagramPump;
  readonly #peer: DatagramConnection;
  readonly #answered = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();

  constructor(ticket: ChatTicket, { host, port = ticket.port, netem }: DatagramsOptions) {
    this.#pump = new DatagramPump({
      host: host.includes(":") ? "::" : "0.0.0.0",
      resetSecret: crypto.getRandomValues(new Uint8Array(SECRET_BYTES)),
      netem,
      onChanged: () => this.#changed(),
    });
    const remote = formatRemote({ hostname: host, port });
    this.#peer = this.#pump.open({ ...ticketOptions(ticket, "client"), remote });
    this.transport = new DatagramTransport(this.#peer);
  }

  /** Waits until the server was heard. */
  async answered(link: Link, { waitMs, signal }: DatagramsOptions): Promise<void> {
    const late = () => {
      const text = `The server did not answer over UDP within ${waitMs} ms`;
      this.#answered.reject(new TrivetError("TIMEOUT", text));
    };
    const timer = setTimeout(late, waitMs);
    const ping = () => void link.send(encodeFrame(FrameType.PING, 0)).catch(() => {});
    const pinging = setInterval(ping, PING_EVERY_MS);
    ping();
    try {
      await abortable(this.#answered.promise, signal);
    } finally {
      clearTimeout(timer);
      clearInterval(pinging);
    }
  }

  /** Closes the socket once what was said last has arrived, or could have. */
  async close(): Promise<void> {
    const timer = setTimeout(this.#ended.resolve, LINGER_MS);
    if (this.#peer.state !== "open" || !this.#peer.isConfirmed) this.#ended.resolve();
    await this.#ended.promise;
    clearTimeout(timer);
    await this.#pump[Symbol.asyncDispose]();
  }

  #changed(): void {
    this.transport.wake();
    if (this.#peer.isConfirmed) this.#answered.resolve();
    const { end } = this.#peer;
    if (end === undefined) return;
    const text = `The server refused the connection over UDP: ${end.reason}`;
    this.#answered.reject(new TrivetError("CONNECTION_LOST", text));
    this.#ended.resolve();
  }
}
