/**
 * How many connections there may be, and who goes when a crowd of strangers takes the places: never
 * somebody who is logged in.
 *
 * @module
 */

import { sourceKey } from "../lib/auth/source_key.ts";
import { TrivetError } from "../lib/errors.ts";

/** Connections at once, logged in or not. */
export const CONNECTIONS_MAX = 10_000;

/** Connections at once that are not logged in. */
export const GUESTS_MAX = 1000;

/** Connections at once from one address, or one IPv6 network of 64 bits. */
export const CONNECTIONS_PER_ADDRESS_MAX = 1000;

/** Connections at once that are told why there is no place for them; others are closed at once. */
export const REFUSALS_MAX = 64;

/** What stands in place of an address for those who come through a Unix socket. */
export const UNIX_SOURCE = "unix";

/** A connection that is not logged in. */
export interface AdmittedGuest {
  /** Where it comes from: an address without a port, or {@linkcode UNIX_SOURCE}. */
  readonly source: string;
  /** Closes it and says why. */
  evict(reason: TrivetError): void;
}

/** Options of {@linkcode Admission}. */
export interface AdmissionOptions {
  /** Connections at once. */
  readonly connectionsMax?: number;
  /** Connections at once that are not logged in. */
  readonly guestsMax?: number;
  /** Connections at once from one address, or one IPv6 network of 64 bits; 0 is no limit. */
  readonly connectionsPerAddressMax?: number;
}

/** Counts the connections. */
export class Admission {
  readonly #connectionsMax: number;
  readonly #guestsMax: number;
  readonly #perAddressMax: number;
  /** Members by source. */
  readonly #members = new Map<string, number>();
  /** By source, each in the order of arrival. */
  readonly #guests = new Map<string, Set<AdmittedGuest>>();
  #guestCount = 0;
  #memberCount = 0;
  #refusals = 0;

  constructor(options: AdmissionOptions = {}) {
    this.#connectionsMax = options.connectionsMax ?? CONNECTIONS_MAX;
    this.#guestsMax = options.guestsMax ?? GUESTS_MAX;
    this.#perAddressMax = options.connectionsPerAddressMax ?? CONNECTIONS_PER_ADDRESS_MAX;
  }

  /** Connections that are not logged in. */
  get guestCount(): number {
    return this.#guestCount;
  }

  /** Connections that are logged in. */
  get memberCount(): number {
    return this.#memberCount;
  }

  /**
   * Takes a new connection in. When the guests' places are taken, the oldest guest of the source with
   * the most guests goes, so that one source's crowd cannot keep another source out. When the address
   * has all the places that one may have, its own oldest guest goes.
   *
   * @throws {TrivetError} `SERVER_BUSY` or `TOO_MANY_CONNECTIONS` when members take all those places.
   */
  enter(guest: AdmittedGuest): void {
    if (this.#memberCount >= this.#connectionsMax) {
      throw new TrivetError(
        "SERVER_BUSY",
        `All ${this.#connectionsMax} places for connections are taken`,
      );
    }
    const source = sourceKey(guest.source);
    this.#makePlaceAt(source);
    const full = this.#guestCount + this.#memberCount >= this.#connectionsMax;
    if (full || this.#guestCount >= this.#guestsMax) this.#evictFromCrowd();
    const ofSource = this.#guests.get(source);
    if (ofSource === undefined) this.#guests.set(source, new Set([guest]));
    else ofSource.add(guest);
    this.#guestCount += 1;
  }

  /** A guest has logged in or gone; says whether it was still a guest. */
  leave(guest: AdmittedGuest): boolean {
    const source = sourceKey(guest.source);
    const ofSource = this.#guests.get(source);
    if (ofSource === undefined || !ofSource.delete(guest)) return false;
    if (ofSource.size === 0) this.#guests.delete(source);
    this.#guestCount -= 1;
    return true;
  }

  /** A guest becomes a member; `false` if it was evicted meanwhile. */
  promote(guest: AdmittedGuest): boolean {
    if (!this.leave(guest)) return false;
    const source = sourceKey(guest.source);
    this.#members.set(source, (this.#members.get(source) ?? 0) + 1);
    this.#memberCount += 1;
    return true;
  }

  /** A member has gone: the guest that it once was. */
  leaveMember({ source: address }: Pick<AdmittedGuest, "source">): void {
    const source = sourceKey(address);
    const left = (this.#members.get(source) ?? 0) - 1;
    if (left > 0) this.#members.set(source, left);
    else this.#members.delete(source);
    this.#memberCount -= 1;
  }

  /**
   * Whether somebody without a place may be told why; then {@linkcode endRefusal} is to be called. Being
   * told takes a while, and must cost less than a place.
   */
  beginRefusal(): boolean {
    if (this.#refusals >= REFUSALS_MAX) return false;
    this.#refusals += 1;
    return true;
  }

  /** See {@linkcode beginRefusal}. */
  endRefusal(): void {
    this.#refusals -= 1;
  }

  #makePlaceAt(source: string): void {
    if (this.#perAddressMax === 0 || source === UNIX_SOURCE) return;
    const guests = this.#guests.get(source);
    const taken = (guests?.size ?? 0) + (this.#members.get(source) ?? 0);
    if (taken < this.#perAddressMax) return;
    const text = `One address may have ${this.#perAddressMax} connections, and has them`;
    const reason = new TrivetError("TOO_MANY_CONNECTIONS", text);
    if (guests === undefined) throw reason;
    this.#evictOldest(guests, reason);
  }

  #evictFromCrowd(): void {
    let crowd: Set<AdmittedGuest> | undefined;
    for (const ofSource of this.#guests.values()) {
      if (crowd === undefined || ofSource.size > crowd.size) crowd = ofSource;
    }
    if (crowd === undefined) return;
    this.#evictOldest(crowd, new TrivetError("SERVER_BUSY", "The server has too many guests"));
  }

  #evictOldest(guests: ReadonlySet<AdmittedGuest>, reason: TrivetError): void {
    const [oldest] = guests;
    if (oldest === undefined) return;
    this.leave(oldest);
    oldest.evict(reason);
  }
}
