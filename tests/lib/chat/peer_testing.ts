/** Peers on a network without sockets: what each sends is passed on, lost, or looked at by hand. */

import { newMachineKey, parseMachineKey } from "../../../lib/auth/machine_key.ts";
import {
  type KnownPeer,
  type PeerAgreement,
  PeerHandshakes,
} from "../../../lib/chat/peer_handshakes.ts";
import type { OutgoingDatagram } from "../../../lib/datagram/types.ts";
import type { TrivetError } from "../../../lib/errors.ts";

/** A key that is made of one byte. */
export function keyOf(seed: number): KnownPeer["key"] {
  return parseMachineKey(newMachineKey({
    id: new Uint8Array(9).fill(seed),
    secret: new Uint8Array(32).fill(seed),
  }));
}

/** One side, with what it sent and what came of it. */
export class Side {
  readonly address: string;
  readonly handshakes: PeerHandshakes;
  readonly sent: OutgoingDatagram[] = [];
  readonly agreed: PeerAgreement[] = [];
  readonly failed: TrivetError[] = [];
  now = 1000;

  constructor(address: string, peers: readonly KnownPeer[]) {
    this.address = address;
    this.handshakes = new PeerHandshakes({
      peers,
      now: () => this.now,
      send: (datagram) => this.sent.push(datagram),
      onAgreed: (agreement) => this.agreed.push(agreement),
      onFailed: (_name, error) => this.failed.push(error),
    });
  }

  /** Takes what was sent so far. */
  take(): OutgoingDatagram[] {
    return this.sent.splice(0);
  }

  /** Lets time pass, step by step. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.now + ms;
    for (;;) {
      const next = this.handshakes.nextTimeout() ?? Infinity;
      this.now = Math.min(Math.max(this.now, next), untilMs);
      await this.handshakes.timeout();
      if (next >= untilMs) return;
    }
  }
}

/** Carries datagrams between two sides until none is left. */
export async function carry(a: Side, b: Side): Promise<void> {
  while (a.sent.length + b.sent.length > 0) {
    for (const [from, to] of [[a, b], [b, a]] as const) {
      for (const { bytes } of from.take()) await to.handshakes.receive(bytes, from.address);
    }
  }
}
