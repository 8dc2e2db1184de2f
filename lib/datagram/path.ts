/**
 * Where the peer is. It may move; until it has answered a challenge from a new address, nobody there
 * gets more than three times what came from there (RFC 9000 §8), so that no one can be flooded by
 * naming his address.
 *
 * @module
 */

import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import { CHALLENGE_BYTES } from "./packet.ts";
import type { FillRandom } from "./types.ts";

/** As many bytes are sent for each that came from an address that is not proven (RFC 9000 §8.1). */
export const AMPLIFICATION_MAX = 3;

interface Proving {
  readonly challenge: Uint8Array<ArrayBuffer>;
  budgetBytes: number;
  /** When the challenge is given up; set when it is sent first. */
  untilMs: number;
}

/** Options of {@linkcode PeerPath}. */
export interface PeerPathOptions {
  /** An address that needs no proof: this side chose it. */
  readonly remote?: string | undefined;
  /** Fills in challenges. */
  readonly fillRandom: FillRandom;
}

/** See the module. */
export class PeerPath {
  readonly #fillRandom: FillRandom;
  #remote: string | undefined;
  #proving: Proving | undefined;
  /** The address before this one, which was proven. */
  #previous: string | undefined;

  /** Begins at an address, or nowhere. */
  constructor(options: PeerPathOptions) {
    this.#remote = options.remote;
    this.#fillRandom = options.fillRandom;
  }

  /** Where to send to. */
  get remote(): string | undefined {
    return this.#remote;
  }

  /** What the peer must answer; `undefined` when the address is proven. */
  get challenge(): Uint8Array<ArrayBuffer> | undefined {
    return this.#proving?.challenge;
  }

  /** How many bytes may be sent now. */
  get budgetBytes(): number {
    if (this.#remote === undefined) return 0;
    return this.#proving?.budgetBytes ?? Infinity;
  }

  /** When to go back to the address before; infinite when there is no such moment. */
  get dueMs(): number {
    return this.#previous === undefined ? Infinity : this.#proving?.untilMs ?? Infinity;
  }

  /** Counts a genuine datagram. */
  received(from: string, bytes: number): void {
    if (this.#proving === undefined || from !== this.#remote) return;
    this.#proving.budgetBytes += bytes * AMPLIFICATION_MAX;
  }

  /**
   * The newest genuine datagram came from here: follows the peer if it moved.
   *
   * @param from Where it came from.
   * @param bytes Its size.
   * @param untilMs When to give up the proof.
   */
  follow(from: string, { bytes, untilMs }: { bytes: number; untilMs: number }): void {
    if (from === this.#remote) return;
    if (this.#proving !== undefined && from === this.#previous) {
      this.#remote = from;
      this.#proving = undefined;
      return;
    }
    if (this.#proving === undefined) this.#previous = this.#remote;
    this.#remote = from;
    const challenge = new Uint8Array(CHALLENGE_BYTES);
    this.#fillRandom(challenge);
    this.#proving = { challenge, budgetBytes: bytes * AMPLIFICATION_MAX, untilMs };
  }

  /** Counts a datagram that is sent. */
  sent(bytes: number): void {
    if (this.#proving !== undefined) this.#proving.budgetBytes -= bytes;
  }

  /**
   * Takes an answer to a challenge.
   *
   * @returns Whether the peer is now at another host than before, so that nothing is known of the way.
   */
  prove(response: Uint8Array): boolean {
    const proving = this.#proving;
    if (proving === undefined || !timingSafeEqual(proving.challenge, response)) return false;
    this.#proving = undefined;
    const before = this.#previous;
    this.#previous = undefined;
    return before !== undefined && hostOf(before) !== hostOf(this.#remote ?? "");
  }

  /** Goes back to the address before: nobody at the new one has answered in time. */
  giveUp(): void {
    if (this.#previous === undefined) return;
    this.#remote = this.#previous;
    this.#proving = undefined;
  }
}

/** An address without its port: a router that gives another port is the same way. */
function hostOf(address: string): string {
  const colon = address.lastIndexOf(":");
  return colon < 0 ? address : address.slice(0, colon);
}
