/**
 * Connections as TCP makes them, over the network of the simulator: bytes in their order, sent again when
 * they are lost, with backpressure; reset by a restart, and left hanging by a new address.
 *
 * @module
 */

import type { Transport } from "../../lib/link/link.ts";
import type { Host, Network } from "./network.ts";

/** Bytes that go in one piece. */
const SEGMENT_MAX_BYTES = 1400;

/** Bytes on the way beyond which a writer waits. */
const IN_FLIGHT_MAX_BYTES = 64 * 1024;

/** First wait before a piece is sent again; each next one is twice as long. */
const RESEND_FIRST_MS = 200;

/** Longest wait before a piece is sent again. */
const RESEND_MAX_MS = 10_000;

/** How often a piece is sent before the connection is given up. */
const SENDS_MAX = 10;

/** One end of a connection. */
export class StreamEnd implements Transport {
  readonly #network: Network;
  readonly #host: Host;
  /** Addresses when it began: a connection does not move with its host. */
  readonly #address: string;
  #peer: StreamEnd | undefined;
  readonly #arrived: Uint8Array[] = [];
  /** Pieces that came before the one that is next, by their number. */
  readonly #early = new Map<number, Uint8Array | null>();
  #nextIn = 0;
  #nextOut = 0;
  #inFlightBytes = 0;
  #isEnded = false;
  #isClosed = false;
  #isReset = false;
  #changed = Promise.withResolvers<void>();

  private constructor(network: Network, host: Host) {
    this.#network = network;
    this.#host = host;
    this.#address = host.address;
  }

  /** Both ends of a connection between two hosts. */
  static pair(network: Network, a: Host, b: Host): [StreamEnd, StreamEnd] {
    const ends: [StreamEnd, StreamEnd] = [new StreamEnd(network, a), new StreamEnd(network, b)];
    ends[0].#peer = ends[1];
    ends[1].#peer = ends[0];
    return ends;
  }

  /** See {@linkcode Transport.read}. */
  async read(target: Uint8Array): Promise<number | null> {
    for (;;) {
      if (this.#isClosed) throw new Deno.errors.Interrupted("operation canceled");
      const first = this.#arrived[0];
      if (first !== undefined) {
        const count = Math.min(first.length, target.length);
        target.set(first.subarray(0, count));
        if (count === first.length) this.#arrived.shift();
        else this.#arrived[0] = first.subarray(count);
        return count;
      }
      if (this.#isReset) throw new Deno.errors.ConnectionReset("connection reset by peer");
      if (this.#isEnded) return null;
      await this.#changed.promise;
    }
  }

  /** See {@linkcode Transport.write}. */
  async write(source: Uint8Array): Promise<number> {
    while (this.#inFlightBytes >= IN_FLIGHT_MAX_BYTES && !this.#isClosed && !this.#isReset) {
      await this.#changed.promise;
    }
    if (this.#isClosed) throw new Deno.errors.Interrupted("operation canceled");
    if (this.#isReset) throw new Deno.errors.BrokenPipe("broken pipe");
    const piece = source.slice(0, SEGMENT_MAX_BYTES);
    this.#inFlightBytes += piece.length;
    this.#send(this.#nextOut++, piece, 1);
    return piece.length;
  }

  /** See {@linkcode Transport.close}. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#send(this.#nextOut++, null, 1);
    this.#tell();
  }

  /** Breaks both ends at once, as a host does that starts again or a middlebox that forgets. */
  reset(): void {
    for (const end of [this, this.#peer]) {
      if (end === undefined || end.#isReset) continue;
      end.#isReset = true;
      end.#tell();
    }
  }

  /** Sends a piece, or the end, until it has arrived. */
  #send(number: number, piece: Uint8Array | null, sends: number): void {
    const peer = this.#peer;
    if (peer === undefined || this.#isReset) return;
    const { clock } = this.#network;
    const delivery = this.#pass(peer, piece ?? new Uint8Array(1));
    if (delivery !== undefined) {
      clock.at(delivery, () => peer.#take(number, piece));
      return;
    }
    if (sends >= SENDS_MAX) return this.reset();
    const waitMs = Math.min(RESEND_FIRST_MS * 2 ** (sends - 1), RESEND_MAX_MS);
    clock.after(waitMs, () => this.#send(number, piece, sends + 1));
  }

  /** When the bytes arrive, if they do. */
  #pass(peer: StreamEnd, bytes: Uint8Array): number | undefined {
    const network = this.#network;
    const hasMoved = this.#address !== this.#host.address || peer.#address !== peer.#host.address;
    if (hasMoved || !network.isOpen(this.#host, peer.#host)) return undefined;
    const [delivery] = network.netem(this.#host, peer.#host)?.pass(bytes, network.clock.nowMs) ??
      [];
    const isWhole = delivery !== undefined && delivery.bytes === bytes;
    const [from, to] = [this.#address, peer.#address];
    network.trace.addBytes({ from, to, bytes, copies: isWhole ? 1 : 0 });
    return isWhole ? delivery.atMs : undefined;
  }

  #take(number: number, piece: Uint8Array | null): void {
    if (this.#isReset || number < this.#nextIn) return;
    this.#early.set(number, piece);
    for (;;) {
      const next = this.#early.get(this.#nextIn);
      if (next === undefined) break;
      this.#early.delete(this.#nextIn);
      this.#nextIn += 1;
      if (next === null) this.#isEnded = true;
      else this.#arrived.push(next);
      if (this.#peer !== undefined) this.#peer.#acknowledge(next?.length ?? 0);
    }
    // As a system does for a program that closed: what comes behind is refused.
    if (this.#isClosed && piece !== null) this.reset();
    this.#tell();
  }

  #acknowledge(bytes: number): void {
    this.#inFlightBytes -= bytes;
    this.#tell();
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
