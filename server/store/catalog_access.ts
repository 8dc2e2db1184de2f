/**
 * The part of the catalog that is about access: passwords and tokens.
 *
 * @module
 */

import type { Verifier } from "../../lib/auth/verifier.ts";
import type { TokenRecord } from "./catalog.ts";

/** Most tokens of kind `api` that an account may have, ended ones not counted. */
export const API_TOKENS_MAX = 256;

/** A page of tokens to ask for. */
export interface TokenQuery {
  /** Whose. */
  readonly user: string;
  /** Only ids after this one. */
  readonly after?: string;
  /** Most records in the answer. */
  readonly limit: number;
}

/** Another password. */
export interface NewPassword {
  /** StoredKey of the password that was proven. */
  readonly provenKey: Uint8Array;
  /** Verifier of the new one. */
  readonly verifier: Verifier;
  /** Hash of the session token that stays. */
  readonly keep: Uint8Array | null;
}

/** See the module; part of `Catalog`. */
export interface AccessCatalog {
  /**
   * Sets an account's verifier and removes its session tokens but one, durably and together. Throws
   * `AUTH_REQUIRED` when the password is not the proven one any more, or there is no such account.
   *
   * @returns How many tokens were removed.
   */
  changePassword(user: string, change: NewPassword): Promise<number>;
  /** An account's tokens that are valid now, in order of their ids (see {@linkcode tokenId}). */
  listTokens(query: TokenQuery): Promise<TokenRecord[]>;
  /**
   * Removes an account's tokens by id, durably: all of them, or none with `NOT_FOUND`.
   *
   * @returns Their hashes.
   */
  revokeTokens(user: string, ids: readonly string[]): Promise<Uint8Array[]>;
}

/**
 * What people call a token by: the beginning of its hash, from which nobody finds the token.
 *
 * @param hash SHA-256 of the token.
 * @returns 16 hex digits.
 */
export function tokenId(hash: Uint8Array): string {
  return hash.subarray(0, 8).toHex();
}
