/**
 * A UDP socket and what answers its datagrams. Nothing that comes in or goes wrong with one datagram
 * ends the service.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { DatagramResponder } from "../../lib/clock/datagram_source.ts";
import { TrivetError } from "../../lib/errors.ts";
import { formatAddress } from "../../lib/link/address.ts";

/**
 * Longest datagram that is looked at; the system cuts what is longer. More than any responder takes, so
 * that none takes a cut one for a whole one.
 */
export const DATAGRAM_MAX_BYTES = 2048;

/** First and longest pause after receiving failed. */
const PAUSE_MIN_MS = 5;
const PAUSE_MAX_MS = 1000;

const log = getLogger(["trivet", "server", "clock"]);

/** Where a {@linkcode DatagramService} listens. */
export interface DatagramPlace {
  /** Address of this machine. */
  readonly host: string;
  /** UDP port; 0 takes any free one. */
  readonly port: number;
  /** The option that chooses the port, for messages. */
  readonly option: string;
}

/** See the module. */
export class DatagramService implements AsyncDisposable {
  /** Address of this machine. */
  readonly host: string;
  /** The real port. */
  readonly port: number;
  readonly #socket: Deno.DatagramConn;
  #serving: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /**
   * Opens the socket; nothing is answered yet.
   *
   * @param place Where.
   * @throws {TrivetError} `ADDRESS_IN_USE`, or `USAGE` when this machine cannot listen there.
   */
  constructor(place: DatagramPlace) {
    const { host: hostname, port } = place;
    try {
      this.#socket = Deno.listenDatagram({ transport: "udp", hostname, port });
    } catch (error) {
      throw openError(place, "UDP", error);
    }
    const { addr } = this.#socket;
    this.host = hostname;
    this.port = addr.transport === "udp" ? addr.port : port;
  }

  /**
   * Begins to answer. With two responders two datagrams can be received at once, which is quicker
   * than one: both are often there when the system is asked for news.
   *
   * @param responders What answers: each receives and answers by turns. One whose answers are not
   * overwritten by the next may stand twice.
   */
  start(...responders: DatagramResponder[]): void {
    this.#serving = Promise.all(responders.map((responder) => this.#serve(responder)));
  }

  /** Closes the socket at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#socket.close();
    }
    await this.#serving;
  }

  async #serve(responder: DatagramResponder): Promise<void> {
    const socket = this.#socket;
    const { port } = this;
    const buffer = new Uint8Array(DATAGRAM_MAX_BYTES);
    let pauseMs = PAUSE_MIN_MS;
    while (!this.#isClosed) {
      let received: [Uint8Array, Deno.Addr];
      try {
        received = await socket.receive(buffer);
        pauseMs = PAUSE_MIN_MS;
      } catch (error) {
        if (this.#isClosed) return;
        // Windows tells the next call that nobody was there for an earlier answer.
        if (error instanceof Deno.errors.ConnectionReset) continue;
        await this.#pause(error, pauseMs);
        pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS);
        continue;
      }
      const source = received[1] as Deno.NetAddr;
      let reply: Uint8Array | undefined;
      try {
        reply = responder.respond(received[0], source);
      } catch (error) {
        log.error("Answering on port {port} failed: {error}", { port, error });
        continue;
      }
      try {
        // One at a time: the reply's buffer is used again, and who sends too fast fills the queue of
        // the system and not ours. Not in a function of its own: another promise for each datagram
        // would be felt.
        if (reply !== undefined) await socket.send(reply, source);
      } catch (error) {
        // A firewall, a route that is gone, an interface without room: the next one may work.
        if (!this.#isClosed) log.debug("Cannot answer on port {port}: {error}", { port, error });
      }
    }
  }

  async #pause(error: unknown, pauseMs: number): Promise<void> {
    const { port } = this;
    log.warning("Cannot receive on port {port}, trying again in {pauseMs} ms: {error}", {
      port,
      pauseMs,
      error,
    });
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/**
 * Opens one socket for each host, all with one port. When `::` serves IPv4 too, `0.0.0.0` needs none.
 *
 * @param hosts Addresses of this machine.
 * @param place The port and its option; port 0 becomes what the first host gets.
 * @returns The sockets; none is open when one could not be.
 * @throws {TrivetError} As for {@linkcode DatagramService}.
 */
export function openDatagramServices(
  hosts: readonly string[],
  place: Omit<DatagramPlace, "host">,
): DatagramService[] {
  const ordered = hosts.toSorted((a, b) => Number(b === "::") - Number(a === "::"));
  const services: DatagramService[] = [];
  let { port } = place;
  try {
    for (const host of ordered) {
      try {
        const service = new DatagramService({ ...place, host, port });
        services.push(service);
        port = service.port;
      } catch (error) {
        if (!(host === "0.0.0.0" && ordered[0] === "::" && isInUse(error))) throw error;
      }
    }
    return services;
  } catch (error) {
    for (const service of services) service[Symbol.asyncDispose]();
    throw error;
  }
}

/** What a failure to listen means. */
export function openError(place: DatagramPlace, transport: "TCP" | "UDP", error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof Deno.errors.NotCapable) return error;
  const target = formatAddress({ transport: "tcp", host: place.host, port: place.port });
  const what = `Cannot listen on ${transport} "${target}"`;
  if (error instanceof Deno.errors.AddrInUse) {
    const text = `${what}: it is in use; choose another ${place.option}`;
    return new TrivetError("ADDRESS_IN_USE", text, { cause: error });
  }
  const reason = error instanceof Deno.errors.AddrNotAvailable
    ? "this machine does not have that address"
    : error instanceof Deno.errors.PermissionDenied
    ? "the system does not permit it; ports below 1024 are often reserved"
    : error.message;
  return new TrivetError("USAGE", `${what}: ${reason}`, { cause: error });
}

/** Whether an error says that a port is taken. */
export function isInUse(error: unknown): boolean {
  return error instanceof TrivetError && error.code === "ADDRESS_IN_USE";
}
