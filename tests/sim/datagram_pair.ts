/**
 * Two hosts with one datagram connection between them, whose secrets they have from somewhere else.
 *
 * @module
 */

import { DatagramConnection } from "../../lib/datagram/connection.ts";
import type { DatagramPeer } from "../../lib/datagram/types.ts";
import { DatagramDriver } from "./datagram_driver.ts";
import type { Host } from "./network.ts";
import type { Simulation } from "./simulation.ts";

/** One end of the connection. */
export interface DatagramSide {
  readonly host: Host;
  readonly peer: DatagramPeer;
  readonly driver: DatagramDriver;
}

/** What a side does after each change. */
export interface PairWork {
  readonly client?: (peer: DatagramPeer) => void;
  readonly server?: (peer: DatagramPeer) => void;
}

/** Opens a connection from one host to the other. */
export function openPair(
  { clock, random }: Simulation,
  hosts: readonly [client: Host, server: Host],
  work: PairWork = {},
): [client: DatagramSide, server: DatagramSide] {
  const [there, back, id] = [new Uint8Array(32), new Uint8Array(32), new Uint8Array(8)];
  for (const bytes of [there, back, id]) random.fill(bytes);
  const common = { connectionId: id.toHex(), now: clock.nowMs };
  const side = (host: Host, peer: DatagramPeer, onProgress?: (peer: DatagramPeer) => void) => {
    const driver = new DatagramDriver(peer, {
      clock,
      host,
      onProgress: () => onProgress?.(peer),
    });
    return { host, peer, driver };
  };
  const client = new DatagramConnection({
    ...common,
    role: "client",
    remote: hosts[1].address,
    secrets: { send: there, receive: back },
  });
  const server = new DatagramConnection({
    ...common,
    role: "server",
    secrets: { send: back, receive: there },
  });
  const sides: [DatagramSide, DatagramSide] = [
    side(hosts[0], client, work.client),
    side(hosts[1], server, work.server),
  ];
  for (const { driver } of sides) driver.pump();
  return sides;
}
