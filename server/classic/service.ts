/**
 * The sockets of the classic netdisk protocol. It has no encryption, so it is off unless asked for, and
 * for this machine alone unless told otherwise.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { formatAddress, type TcpAddress } from "../../lib/link/address.ts";
import type { AcceptedConn } from "../../lib/link/link.ts";
import { Listener, TCP_BACKLOG } from "../../lib/link/listen.ts";
import { Places } from "../../lib/rpc/places.ts";
import { openError } from "../clock/datagram_service.ts";
import { type ClassicContext, serveClassicConnection } from "./connection.ts";
import { CLASSIC_LOGINS_AT_ONCE } from "./login.ts";
import type { ClassicTimeouts } from "./wire.ts";

/** Connections at once; one more is closed without an answer. */
export const CLASSIC_CONNECTIONS_MAX = 100;

/** How the classic protocol is set up. */
export interface ClassicOptions extends ClassicTimeouts {
  /** TCP port; 0 takes any free one. */
  readonly port: number;
  /** Addresses of this machine to listen on; 127.0.0.1 without it. */
  readonly hosts?: readonly string[];
  /** From accept to logged in, in milliseconds; the netdisk's by default. */
  readonly loginTimeoutMs?: number;
  /** Connections at once; {@linkcode CLASSIC_CONNECTIONS_MAX} by default. */
  readonly connectionsMax?: number;
}

const log = getLogger(["trivet", "server", "classic"]);

/** See the module. */
export class ClassicService implements Disposable {
  /** Where it listens, with the real port. */
  readonly addresses: readonly TcpAddress[];
  readonly #listeners: readonly Listener[];
  readonly #options: ClassicOptions;
  #connections = 0;

  /**
   * Opens the ports; nobody is served yet.
   *
   * @param options Where.
   * @throws {TrivetError} `ADDRESS_IN_USE`, or `USAGE` when this machine cannot listen there.
   */
  constructor(options: ClassicOptions) {
    this.#options = options;
    const opened: { readonly address: TcpAddress; readonly listener: Listener }[] = [];
    let { port } = options;
    try {
      for (const host of options.hosts ?? ["127.0.0.1"]) {
        const acceptor = listenTcp(host, port);
        port = acceptor.addr.port;
        const address = { transport: "tcp", host, port } as const;
        const onPause = (error: unknown, pauseMs: number) => {
          log.warning("Cannot accept, trying again in {pauseMs} ms: {error}", { pauseMs, error });
        };
        opened.push({ address, listener: new Listener(address, acceptor, { onPause }) });
      }
    } catch (error) {
      for (const { listener } of opened) listener.close();
      throw error;
    }
    this.addresses = opened.map(({ address }) => address);
    this.#listeners = opened.map(({ listener }) => listener);
  }

  /**
   * Begins to serve.
   *
   * @param netdisk What is served.
   * @param onConnection Told of each connection, and when it is done.
   * @returns A promise for the end of accepting.
   */
  async start(
    netdisk: ClassicContext["netdisk"],
    onConnection: (conn: AcceptedConn, served: Promise<void>) => void,
  ): Promise<void> {
    log.warning("Passwords and files travel in the clear to and from {addresses}", {
      addresses: this.addresses.map(formatAddress).join(", "),
    });
    const context: ClassicContext = {
      ...this.#options,
      netdisk: {
        ...netdisk,
        loginTimeoutMs: this.#options.loginTimeoutMs ?? netdisk.loginTimeoutMs,
      },
      turns: new Places(CLASSIC_LOGINS_AT_ONCE),
    };
    await Promise.all(this.#listeners.map(async (listener) => {
      for await (const conn of listener) {
        const served = this.#serve(conn, context);
        if (served !== null) onConnection(conn, served);
      }
    }));
  }

  /** Stops listening; connections live on. */
  close(): void {
    for (const listener of this.#listeners) listener.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #serve(conn: AcceptedConn, context: ClassicContext): Promise<void> | null {
    if (this.#connections >= (this.#options.connectionsMax ?? CLASSIC_CONNECTIONS_MAX)) {
      conn.close();
      return null;
    }
    this.#connections += 1;
    return serveClassicConnection(conn, context).finally(() => this.#connections -= 1);
  }
}

function listenTcp(host: string, port: number): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: host, port, tcpBacklog: TCP_BACKLOG });
  } catch (error) {
    throw openError({ host, port, option: "--classic" }, "TCP", error);
  }
}
