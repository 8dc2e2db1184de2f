/**
 * The part of the catalog that is about invites, which let people make accounts where registration is
 * closed. An invite is there as long as it can be used.
 *
 * @module
 */

import type { NewUser, UserRecord } from "./catalog.ts";

/** Most invites at once. */
export const INVITES_MAX = 1000;

/** An invite to store; the code itself never reaches the catalog. */
export interface NewInvite {
  /** SHA-256 of the code. */
  readonly hash: Uint8Array;
  /** Quota of the accounts made with it; null for the server's default. */
  readonly quotaBytes: number | null;
  /** Most files of these accounts; null for no limit. */
  readonly quotaFiles: number | null;
  /** How many accounts can be made with it. */
  readonly uses: number;
  /** When it ends, in milliseconds since 1970. */
  readonly expiresAtMs: number;
}

/** A stored invite. */
export interface InviteRecord extends NewInvite {
  /** How many accounts can still be made with it. */
  readonly usesLeft: number;
  /** Milliseconds since 1970. */
  readonly createdAtMs: number;
}

/** See the module; part of `Catalog`. */
export interface InviteCatalog {
  /** Adds an invite, durably, and forgets those that have ended. Throws `TOO_MANY`. */
  addInvite(invite: NewInvite): Promise<InviteRecord>;
  /** Invites that can be used now, the oldest first. */
  listInvites(): Promise<InviteRecord[]>;
  /** Removes invites by id (the beginning of the hash), durably: all of them, or none with `NOT_FOUND`. */
  revokeInvites(ids: readonly string[]): Promise<number>;
  /**
   * Uses an invite once and adds an account with its quota, durably and together. Throws `USER_EXISTS`,
   * which uses nothing.
   *
   * @returns The account, or null when there is no such invite, or it has ended or is used up.
   */
  redeemInvite(hash: Uint8Array, user: NewUser): Promise<UserRecord | null>;
}
