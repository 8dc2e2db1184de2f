/**
 * How users of a simulation get a connection to its server, and what both ends of one are.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import type { Transport } from "../../lib/link/link.ts";
import type { Host, Network } from "./network.ts";
import { StreamEnd } from "./stream_end.ts";

/** Takes the server's end of a new connection, and who is logged in on it. */
export type Accept = (transport: Transport, user: string) => void;

/** See the module. */
export interface Carrier {
  /**
   * Connects a user.
   *
   * @param user Its name, and who is logged in.
   * @throws {TrivetError} `UNREACHABLE` when the server does not answer.
   */
  connect(user: Host): Promise<Transport>;
  /** From now on connections are taken; none are without it. */
  listen(accept: Accept): void;
  /** The server's program dies: its connections are gone, and nobody listens. */
  crash(): void;
}

/** How long a user waits for a connection, in milliseconds. */
const CONNECT_MAX_MS = 10_000;

/** How long it takes to connect and log in where nothing is lost: three times to the server and back. */
const CONNECT_MS = 150;

/** Waits for the server to listen, as connecting over and over does. */
export async function untilReachable(
  network: Network,
  { user, server, isUp }: {
    readonly user: Host;
    readonly server: Host;
    readonly isUp: () => boolean;
  },
): Promise<void> {
  const startedMs = network.clock.nowMs;
  await network.clock.sleep(CONNECT_MS);
  while (!isUp() || !network.isOpen(user, server)) {
    if (isUp() === false && network.isOpen(user, server)) {
      throw new TrivetError("UNREACHABLE", "Cannot connect: nobody listens");
    }
    if (network.clock.nowMs - startedMs >= CONNECT_MAX_MS) {
      throw new TrivetError("UNREACHABLE", "Cannot connect: there is no answer");
    }
    await network.clock.sleep(1000);
  }
}

/** Connections as TCP makes them. */
export class StreamCarrier implements Carrier {
  readonly #network: Network;
  readonly #server: Host;
  readonly #open = new Set<StreamEnd>();
  #accept: Accept | undefined;

  /** Nobody listens yet. */
  constructor(network: Network, server: Host) {
    this.#network = network;
    this.#server = server;
  }

  /** See {@linkcode Carrier.listen}. */
  listen(accept: Accept): void {
    this.#accept = accept;
  }

  /** See {@linkcode Carrier.connect}. */
  async connect(user: Host): Promise<Transport> {
    const server = this.#server;
    await untilReachable(this.#network, { user, server, isUp: () => this.#accept !== undefined });
    const [near, far] = StreamEnd.pair(this.#network, user, server);
    this.#open.add(far);
    this.#accept?.(far, user.name);
    return near;
  }

  /** See {@linkcode Carrier.crash}. */
  crash(): void {
    this.#accept = undefined;
    for (const end of this.#open) end.reset();
    this.#open.clear();
  }
}
