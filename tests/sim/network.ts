/**
 * Hosts and the one-way links between them, which lose, double, delay, reorder and damage datagrams as
 * they are told, by the seed. A host may restart, change its address, and be cut off.
 *
 * @module
 */

import { Netem, type NetemOptions } from "../../lib/datagram/netem.ts";
import type { SeededRandom } from "../../lib/datagram/seeded_random.ts";
import type { Trace } from "./trace.ts";
import type { VirtualClock } from "./virtual_clock.ts";

/** Takes a datagram that arrived. */
export type DatagramHandler = (bytes: Uint8Array, from: string) => void;

/** What a simulated network is made of. */
export interface NetworkParts {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly trace: Trace;
}

/** What happened to datagrams. */
export interface NetworkCounts {
  sent: number;
  sentBytes: number;
  /** Lost on a link, in its queue, or because nobody was there. */
  lost: number;
  arrived: number;
}

/** One machine. */
export class Host {
  /** What it is called in the trace, and by {@linkcode Network}. */
  readonly name: string;
  readonly #network: Network;
  /** Takes what arrives; nobody does while it is down. */
  onDatagram: DatagramHandler | undefined;
  /** Where others reach it. */
  address: string;

  /** See {@linkcode Network.addHost}. */
  constructor(network: Network, name: string) {
    this.#network = network;
    this.name = name;
    this.address = `${name}:1`;
  }

  /** Sends a datagram. */
  send(bytes: Uint8Array, to: string): void {
    this.#network.send(this, bytes, to);
  }
}

/** See the module. */
export class Network {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly counts: NetworkCounts = { sent: 0, sentBytes: 0, lost: 0, arrived: 0 };
  /** Somebody who sees every datagram as it is sent. */
  onSend: ((bytes: Uint8Array, from: string, to: string) => void) | undefined;
  readonly #hosts = new Map<string, Host>();
  readonly #links = new Map<string, Netem>();
  readonly #cut = new Set<string>();
  #moves = 1;

  /** Without hosts. */
  constructor({ clock, random, trace }: NetworkParts) {
    this.clock = clock;
    this.random = random;
    this.trace = trace;
  }

  /** Adds a machine. */
  addHost(name: string): Host {
    const host = new Host(this, name);
    this.#hosts.set(host.address, host);
    return host;
  }

  /** Lays a link of each direction; without one, datagrams get nowhere. */
  link(a: Host, b: Host, options: NetemOptions, back: NetemOptions = options): void {
    this.#links.set(way(a, b), new Netem(options, this.random.fork()));
    this.#links.set(way(b, a), new Netem(back, this.random.fork()));
  }

  /** Several ways through one queue: lays a link that hosts share in one direction. */
  share(pairs: readonly (readonly [from: Host, to: Host])[], options: NetemOptions): void {
    const netem = new Netem(options, this.random.fork());
    for (const [from, to] of pairs) this.#links.set(way(from, to), netem);
  }

  /** Gives a host another address, as when its provider does; what is on the way to the old one is lost. */
  move(host: Host): void {
    this.#hosts.delete(host.address);
    host.address = `${host.name}:${++this.#moves}`;
    this.#hosts.set(host.address, host);
    this.trace.add(`${host.name} moves to ${host.address}`);
  }

  /** Cuts a host off from all others for a while; what is on the way still arrives. */
  partition(host: Host, lastsMs: number): void {
    this.trace.add(`${host.name} is cut off for ${lastsMs} ms`);
    this.#cut.add(host.name);
    this.clock.after(lastsMs, () => this.#cut.delete(host.name));
  }

  /** Whether a host can reach another now. */
  isOpen(from: Host, to: Host): boolean {
    return !this.#cut.has(from.name) && !this.#cut.has(to.name);
  }

  /** The host that has an address. */
  find(address: string): Host | undefined {
    return this.#hosts.get(address);
  }

  /** The link from one host to another. */
  netem(from: Host, to: Host): Netem | undefined {
    return this.#links.get(way(from, to));
  }

  /** See {@linkcode Host.send}. */
  send(from: Host, bytes: Uint8Array, to: string): void {
    this.counts.sent += 1;
    this.counts.sentBytes += bytes.length;
    const target = this.#hosts.get(to);
    const netem = target === undefined ? undefined : this.#links.get(way(from, target));
    const isOpen = target !== undefined && this.isOpen(from, target);
    // A copy: the sender may use its buffer again.
    const copy = bytes.slice();
    this.onSend?.(copy, from.address, to);
    const deliveries = isOpen ? netem?.pass(copy, this.clock.nowMs) ?? [] : [];
    this.trace.addBytes({ from: from.address, to, bytes, copies: deliveries.length });
    if (deliveries.length === 0) this.counts.lost += 1;
    const source = from.address;
    for (const delivery of deliveries) {
      this.clock.at(delivery.atMs, () => this.#arrive(delivery.bytes, source, to));
    }
  }

  /** Puts a datagram before a host at once, from wherever it claims to come. */
  inject(bytes: Uint8Array, from: string, to: string): void {
    this.trace.addBytes({ from: `(${from})`, to, bytes, copies: 1 });
    this.#arrive(bytes, from, to);
  }

  #arrive(bytes: Uint8Array, from: string, to: string): void {
    const handler = this.#hosts.get(to)?.onDatagram;
    if (handler === undefined) {
      this.counts.lost += 1;
      return;
    }
    this.counts.arrived += 1;
    handler(bytes, from);
  }
}

function way(from: Host, to: Host): string {
  return `${from.name}>${to.name}`;
}
