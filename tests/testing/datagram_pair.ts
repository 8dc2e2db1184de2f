/** Two datagram connections and a small network between them that can lose, double and delay. */

import { DatagramConnection } from "../../lib/datagram/connection.ts";
import type { DatagramLimits, DatagramPeer } from "../../lib/datagram/types.ts";

/** What the network does to each datagram. */
export interface PairOptions {
  readonly seed?: number;
  /** From 0 to 1. */
  readonly loss?: number;
  /** From 0 to 1. */
  readonly double?: number;
  /** One way, in milliseconds. */
  readonly delayMs?: number;
  /** Most that is added to the delay, at random for each datagram. */
  readonly jitterMs?: number;
  /** Bits a second of each direction; unlimited by default. */
  readonly bitsPerSecond?: number;
  /** Bytes that wait in front of a direction; more are dropped. */
  readonly queueBytes?: number;
  readonly limits?: Partial<DatagramLimits>;
}

export const CONNECTION_ID = "00112233445566aa";
export const CLIENT_SECRET = new Uint8Array(32).fill(1);
export const SERVER_SECRET = new Uint8Array(32).fill(2);
export const RESET_TOKEN = new Uint8Array(16).fill(9);

interface Flying {
  readonly atMs: number;
  readonly order: number;
  readonly to: DatagramPeer;
  readonly from: string;
  readonly bytes: Uint8Array;
}

/** Numbers from 0 to 1 that a seed decides (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A client and a server, and the time. */
export class DatagramPair {
  readonly client: DatagramConnection;
  readonly server: DatagramConnection;
  /** Where the client sends from; change it to move the client. */
  clientAddress = "client:1";
  /** Whether anything passes. */
  isCut = false;
  now = 1000;
  /** All that was sent, for whoever looks. */
  readonly trace: { readonly from: string; readonly to: string; readonly bytes: Uint8Array }[] = [];
  keepsTrace = false;
  readonly #options: PairOptions;
  readonly #random: () => number;
  readonly #flying: Flying[] = [];
  readonly #busyUntilMs = new Map<DatagramPeer, number>();
  #order = 0;

  constructor(options: PairOptions = {}) {
    this.#options = options;
    this.#random = seeded(options.seed ?? 1);
    const { limits } = options;
    const shared = { connectionId: CONNECTION_ID, now: this.now, limits };
    const fillRandom = (bytes: Uint8Array) => {
      for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(this.#random() * 256);
    };
    this.client = new DatagramConnection({
      ...shared,
      role: "client",
      secrets: { send: CLIENT_SECRET, receive: SERVER_SECRET },
      remote: "server:1",
      resetToken: RESET_TOKEN,
      fillRandom,
    });
    this.server = new DatagramConnection({
      ...shared,
      role: "server",
      secrets: { send: SERVER_SECRET, receive: CLIENT_SECRET },
      fillRandom,
    });
  }

  /** Sends what is due, lets what arrives first arrive, or what is due first be done. */
  step(untilMs = Infinity): boolean {
    this.flush();
    const arrival = this.#flying[0]?.atMs ?? Infinity;
    const timers = [this.client, this.server].map((end) => end.nextTimeout() ?? Infinity);
    const next = Math.min(arrival, ...timers);
    if (next > untilMs || next === Infinity) {
      this.now = Math.min(Math.max(this.now, untilMs), 1e15);
      return false;
    }
    this.now = Math.max(this.now, next);
    if (arrival <= next) {
      const datagram = this.#flying.shift();
      datagram?.to.receive(datagram.bytes, datagram.from, this.now);
    } else {
      for (const end of [this.client, this.server]) end.timeout(this.now);
    }
    this.flush();
    return true;
  }

  /** Goes on for some time. */
  run(ms: number, each: () => void = () => {}): void {
    const untilMs = this.now + ms;
    each();
    while (this.step(untilMs)) each();
  }

  /** Goes on until something holds; throws when it does not hold in time. */
  until(holds: () => boolean, ms = 60_000): void {
    const untilMs = this.now + ms;
    while (!holds()) {
      if (!this.step(untilMs)) throw new Error(`It does not hold after ${ms} ms`);
    }
  }

  /** Sends what both have to send. */
  flush(): void {
    for (const [end, to] of [[this.client, this.server], [this.server, this.client]] as const) {
      for (let out = end.poll(this.now); out !== undefined; out = end.poll(this.now)) {
        const from = end === this.client ? this.clientAddress : "server:1";
        if (this.keepsTrace) this.trace.push({ from, to: out.to, bytes: out.bytes });
        this.#carry(out.bytes, { from, to, address: out.to });
      }
    }
  }

  #carry(
    bytes: Uint8Array,
    { from, to, address }: { from: string; to: DatagramPeer; address: string },
  ): void {
    const { loss = 0, double = 0, delayMs = 10, jitterMs = 0 } = this.#options;
    const { bitsPerSecond = Infinity, queueBytes = Infinity } = this.#options;
    if (this.isCut || this.#random() < loss) return;
    if (address !== (to === this.client ? this.clientAddress : "server:1")) return;
    const busyMs = Math.max(this.now, this.#busyUntilMs.get(to) ?? 0);
    const bytesPerMs = bitsPerSecond / 8000;
    if ((busyMs - this.now) * bytesPerMs > queueBytes) return;
    const sentMs = busyMs + bytes.length / bytesPerMs;
    this.#busyUntilMs.set(to, sentMs);
    const copies = this.#random() < double ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const atMs = sentMs + delayMs + this.#random() * jitterMs;
      this.#order += 1;
      const entry = { atMs, order: this.#order, to, from, bytes };
      let at = this.#flying.length;
      while (at > 0 && (this.#flying[at - 1]?.atMs ?? 0) > atMs) at--;
      this.#flying.splice(at, 0, entry);
    }
  }
}

/** A message of some length that says which it is. */
export function numbered(number: number, length = 8): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.max(4, length)).fill(number & 0xff);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

/** The number of such a message. */
export function numberOf(message: Uint8Array): number {
  return new DataView(message.buffer, message.byteOffset).getUint32(0);
}
