/**
 * The chat's UDP sockets: hands out tickets to who is logged in, and turns the datagram connection of
 * each ticket that is used into one that is served like any other.
 *
 * @module
 */

import {
  type ChatTicket,
  makeTicket,
  TICKET_LIFETIME_MS,
  ticketOptions,
} from "../../lib/chat/ticket.ts";
import type { DatagramConnection } from "../../lib/datagram/connection.ts";
import type { NetemOptions } from "../../lib/datagram/netem.ts";
import { DatagramPump } from "../../lib/datagram/pump.ts";
import { DatagramTransport } from "../../lib/datagram/transport.ts";
import { TrivetError } from "../../lib/errors.ts";
import type { AcceptedConn } from "../../lib/link/link.ts";
import { type Admission, type AdmittedGuest, CONNECTIONS_MAX } from "../admission.ts";
import type { Session } from "../netdisk/context.ts";

/** Default of `--chat-udp-port`. */
export const CHAT_UDP_PORT = 9001;

/** How long a connection that the server has ended may take for what is still on its way. */
const LINGER_MS = 2000;

/** Code of a close: there is no place for it, or its ticket is too old. */
const CLOSE_REFUSED = 16;

/** Whose connection it is. */
export interface DatagramMember {
  /** The login that the ticket was asked with. */
  readonly session: Session;
  /** The address that asked. */
  readonly source: string;
}

/** Options of {@linkcode ChatDatagrams}. */
export interface ChatDatagramsOptions {
  /** Addresses of this machine. */
  readonly hosts: readonly string[];
  /** UDP port; 0 takes any free one. */
  readonly port: number;
  /** 32 bytes that are the same after a restart. */
  readonly resetSecret: Uint8Array;
  /** Who gets a place. */
  readonly admission: Admission;
  /** Connections at once. */
  readonly connectionsMax?: number | undefined;
  /** Makes the network worse for what is sent. */
  readonly netem?: NetemOptions | undefined;
  /** Serves a connection until it ends; never rejects. */
  readonly serve: (conn: AcceptedConn, member: DatagramMember) => Promise<void>;
}

/** A datagram connection with the reads and writes of a TCP connection, and where it came from. */
class DatagramConn extends DatagramTransport implements AcceptedConn {
  readonly remoteAddr: Deno.Addr;

  constructor(peer: DatagramConnection, source: string) {
    super(peer);
    this.remoteAddr = { transport: "udp", hostname: source, port: 0 };
  }
}

/** A ticket that was handed out, and what became of it. */
interface Entry {
  readonly conn: DatagramConn;
  readonly member: DatagramMember;
  readonly guest: AdmittedGuest;
  /** Until it is used, the end of the ticket; after its end, that of what is on its way. */
  timer: ReturnType<typeof setTimeout>;
  isServed: boolean;
}

/** See the module. */
export class ChatDatagrams implements AsyncDisposable {
  readonly #options: ChatDatagramsOptions;
  readonly #pumps: DatagramPump[] = [];
  readonly #entries = new Map<string, Entry>();
  #isClosed = false;

  private constructor(options: ChatDatagramsOptions) {
    this.#options = options;
  }

  /**
   * Opens the sockets.
   *
   * @param options Where, and who serves.
   * @throws {TrivetError} `ADDRESS_IN_USE`, or `USAGE` when this machine cannot listen there.
   */
  static async open(options: ChatDatagramsOptions): Promise<ChatDatagrams> {
    const opened = new ChatDatagrams(options);
    try {
      opened.#open();
      return opened;
    } catch (error) {
      await opened[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where it listens, with the real port. */
  get addresses(): readonly { readonly host: string; readonly port: number }[] {
    return this.#pumps.map(({ host, port }) => ({ host, port }));
  }

  /**
   * Makes a ticket, which counts as a connection from now on.
   *
   * @param conn The connection that asks.
   * @param member Who asks.
   * @throws {TrivetError} `UNKNOWN_METHOD` where UDP does not reach, `SERVER_BUSY` or
   * `TOO_MANY_CONNECTIONS` when there is no place.
   */
  issue(conn: Pick<AcceptedConn, "localAddr">, member: DatagramMember): ChatTicket {
    const pump = this.#pumpFor(conn.localAddr);
    if (pump === undefined || this.#isClosed) {
      throw new TrivetError(
        "UNKNOWN_METHOD",
        "The chat has no UDP port where this connection came in",
      );
    }
    const ticket = makeTicket({ port: pump.port, resetToken: (id) => pump.resetToken(id) });
    const { connectionId } = ticket;
    const guest: AdmittedGuest = {
      source: member.source,
      evict: ({ message }) => pump.get(connectionId)?.close(CLOSE_REFUSED, message),
    };
    this.#options.admission.enter(guest);
    let peer: DatagramConnection;
    try {
      peer = pump.open(ticketOptions(ticket, "server"));
    } catch (cause) {
      this.#options.admission.leave(guest);
      throw new TrivetError("SERVER_BUSY", "All places for connections are taken", { cause });
    }
    const timer = setTimeout(
      () => peer.close(CLOSE_REFUSED, "The ticket was not used"),
      TICKET_LIFETIME_MS,
    );
    const entry = { conn: new DatagramConn(peer, member.source), member, guest, timer };
    this.#entries.set(connectionId, { ...entry, isServed: false });
    return ticket;
  }

  /** Ends all connections and closes the sockets. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const pump of this.#pumps) await pump[Symbol.asyncDispose]();
    for (const { timer } of this.#entries.values()) clearTimeout(timer);
  }

  #open(): void {
    const { hosts, resetSecret, netem, connectionsMax = CONNECTIONS_MAX } = this.#options;
    let { port } = this.#options;
    // "::" first: on most systems it serves IPv4 too, and then "0.0.0.0" has nothing left to do.
    const ordered = hosts.toSorted((a, b) => Number(b === "::") - Number(a === "::"));
    for (const host of ordered) {
      try {
        const pump = new DatagramPump({
          host,
          port,
          resetSecret,
          netem,
          connectionsMax,
          onChanged: (peer) => this.#changed(peer),
        });
        port = pump.port;
        this.#pumps.push(pump);
      } catch (error) {
        if (!(host === "0.0.0.0" && ordered[0] === "::" && isInUse(error))) throw error;
      }
    }
  }

  /** The socket that is reached under the address that a connection came to. */
  #pumpFor(address: Deno.Addr | undefined): DatagramPump | undefined {
    if (address === undefined || !("hostname" in address)) return undefined;
    const { hostname } = address;
    const wildcards = hostname.includes(":") ? ["::"] : ["0.0.0.0", "::"];
    for (const host of [hostname, ...wildcards]) {
      const found = this.#pumps.find((pump) => pump.host === host);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #changed(peer: DatagramConnection): void {
    const entry = this.#entries.get(peer.connectionId);
    if (entry === undefined) return;
    if (peer.isConfirmed && peer.state === "open" && !entry.isServed) this.#serve(peer, entry);
    entry.conn.wake();
    if (peer.state !== "closed") return;
    this.#entries.delete(peer.connectionId);
    clearTimeout(entry.timer);
    // Nothing, where it was served.
    this.#options.admission.leave(entry.guest);
  }

  async #serve(peer: DatagramConnection, entry: Entry): Promise<void> {
    const { admission, serve } = this.#options;
    const { conn, guest, member } = entry;
    clearTimeout(entry.timer);
    entry.isServed = true;
    if (!admission.promote(guest)) return;
    try {
      await serve(conn, member);
    } finally {
      admission.leaveMember(guest);
      // What was written last may still be on its way, to somebody who does not read any more.
      const isThere = this.#entries.has(peer.connectionId) && !this.#isClosed;
      if (isThere) entry.timer = setTimeout(() => peer.close(), LINGER_MS);
    }
  }
}

function isInUse(error: unknown): boolean {
  return error instanceof TrivetError && error.code === "ADDRESS_IN_USE";
}
