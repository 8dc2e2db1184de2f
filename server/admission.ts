/**
 * How many connections there may be, and who goes when a crowd of strangers takes the places: never
 * somebody who is logged in.
 *
 * @module
 */

/** Connections at once, logged in or not. */
export const CONNECTIONS_MAX = 10_000;

/** Connections at once that are not logged in. */
export const GUESTS_MAX = 1000;

/** A connection that is not logged in. */
export interface AdmittedGuest {
  /** Where it comes from. */
  readonly source: string;
  /** Closes it. */
  evict(): void;
}

/** Options of {@linkcode Admission}. */
export interface AdmissionOptions {
  /** Connections at once. */
  readonly connectionsMax?: number;
  /** Connections at once that are not logged in. */
  readonly guestsMax?: number;
}

/** Counts the connections. */
export class Admission {
  readonly #connectionsMax: number;
  readonly #guestsMax: number;
  /** By source, each in the order of arrival. */
  readonly #guests = new Map<string, Set<AdmittedGuest>>();
  #guestCount = 0;
  #memberCount = 0;

  constructor(options: AdmissionOptions = {}) {
    this.#connectionsMax = options.connectionsMax ?? CONNECTIONS_MAX;
    this.#guestsMax = options.guestsMax ?? GUESTS_MAX;
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
   * the most guests goes, so that one source's crowd cannot keep another source out.
   *
   * @returns Whether there is a place; `false` only when members take them all.
   */
  enter(guest: AdmittedGuest): boolean {
    if (this.#memberCount >= this.#connectionsMax) return false;
    const full = this.#guestCount + this.#memberCount >= this.#connectionsMax;
    if (full || this.#guestCount >= this.#guestsMax) this.#evictOne();
    const ofSource = this.#guests.get(guest.source);
    if (ofSource === undefined) this.#guests.set(guest.source, new Set([guest]));
    else ofSource.add(guest);
    this.#guestCount += 1;
    return true;
  }

  /** A guest has logged in or gone; says whether it was still a guest. */
  leave(guest: AdmittedGuest): boolean {
    const ofSource = this.#guests.get(guest.source);
    if (ofSource === undefined || !ofSource.delete(guest)) return false;
    if (ofSource.size === 0) this.#guests.delete(guest.source);
    this.#guestCount -= 1;
    return true;
  }

  /** A guest becomes a member; `false` if it was evicted meanwhile. */
  promote(guest: AdmittedGuest): boolean {
    if (!this.leave(guest)) return false;
    this.#memberCount += 1;
    return true;
  }

  /** A member has gone. */
  leaveMember(): void {
    this.#memberCount -= 1;
  }

  #evictOne(): void {
    let crowd: Set<AdmittedGuest> | undefined;
    for (const ofSource of this.#guests.values()) {
      if (crowd === undefined || ofSource.size > crowd.size) crowd = ofSource;
    }
    const [oldest] = crowd ?? [];
    if (oldest === undefined) return;
    this.leave(oldest);
    oldest.evict();
  }
}
