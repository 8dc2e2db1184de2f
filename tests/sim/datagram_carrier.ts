/**
 * Connections over datagrams between users and the server of a simulation. Logging in, which gives both
 * sides their secrets, happens over TLS in the programs; here both are simply told.
 *
 * @module
 */

import { DatagramEndpoint } from "../../lib/datagram/endpoint.ts";
import { DatagramTransport } from "../../lib/datagram/transport.ts";
import { type DatagramPeer, SECRET_BYTES } from "../../lib/datagram/types.ts";
import type { Transport } from "../../lib/link/link.ts";
import { type Accept, type Carrier, untilReachable } from "./carrier.ts";
import { DatagramDriver } from "./datagram_driver.ts";
import type { Host, Network } from "./network.ts";

/** One socket with its connections. */
class Socket {
  readonly endpoint: DatagramEndpoint;
  readonly #driver: DatagramDriver;
  readonly #transports = new Map<DatagramPeer, DatagramTransport>();

  constructor(network: Network, host: Host, resetSecret: Uint8Array) {
    const onActive = () => queueMicrotask(() => this.#driver.pump());
    this.endpoint = new DatagramEndpoint({ resetSecret, onActive });
    const onProgress = () => this.#tell();
    this.#driver = new DatagramDriver(this.endpoint, { clock: network.clock, host, onProgress });
  }

  open(options: Parameters<DatagramEndpoint["open"]>[0]): DatagramTransport {
    const peer = this.endpoint.open(options);
    const transport = new DatagramTransport(peer);
    this.#transports.set(peer, transport);
    return transport;
  }

  /** The program dies: nothing is said any more, and whoever waited for something is gone. */
  die(): void {
    this.#driver.stop();
    for (const [peer, transport] of this.#transports) {
      peer.close();
      transport.wake();
    }
    this.#transports.clear();
  }

  #tell(): void {
    const { endpoint } = this;
    for (let peer = endpoint.nextChanged(); peer !== undefined; peer = endpoint.nextChanged()) {
      this.#transports.get(peer)?.wake();
      if (peer.state === "closed") this.#transports.delete(peer);
    }
  }
}

/** See the module. */
export class DatagramCarrier implements Carrier {
  readonly #network: Network;
  readonly #server: Host;
  /** On the server's disk, so that its next life can say that it knows nothing of the last one. */
  readonly #resetSecret = new Uint8Array(SECRET_BYTES);
  readonly #users = new Map<Host, Socket>();
  #socket: Socket | undefined;
  #accept: Accept | undefined;

  /** Nobody listens yet. */
  constructor(network: Network, server: Host) {
    this.#network = network;
    this.#server = server;
    network.random.fill(this.#resetSecret);
  }

  /** See {@linkcode Carrier.listen}. */
  listen(accept: Accept): void {
    this.#socket = new Socket(this.#network, this.#server, this.#resetSecret);
    this.#accept = accept;
  }

  /** See {@linkcode Carrier.connect}. */
  async connect(user: Host): Promise<Transport> {
    const server = this.#server;
    await untilReachable(this.#network, { user, server, isUp: () => this.#socket !== undefined });
    const { clock } = this.#network;
    const [up, down] = [this.#draw(SECRET_BYTES), this.#draw(SECRET_BYTES)];
    const connectionId = this.#draw(8).toHex();
    const far = this.#socket;
    if (far === undefined) throw new TypeError("Nobody listens");
    const common = { connectionId, now: clock.nowMs };
    const serverEnd = far.open({ ...common, role: "server", secrets: { send: down, receive: up } });
    this.#accept?.(serverEnd, user.name);
    return this.#near(user).open({
      ...common,
      role: "client",
      remote: server.address,
      secrets: { send: up, receive: down },
      resetToken: far.endpoint.resetToken(connectionId),
    });
  }

  /** See {@linkcode Carrier.crash}. */
  crash(): void {
    this.#socket?.die();
    this.#socket = undefined;
    this.#accept = undefined;
  }

  #near(user: Host): Socket {
    const found = this.#users.get(user);
    if (found !== undefined) return found;
    const socket = new Socket(this.#network, user, this.#draw(SECRET_BYTES));
    this.#users.set(user, socket);
    return socket;
  }

  #draw(count: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(count);
    this.#network.random.fill(bytes);
    return bytes;
  }
}
