/**
 * The part of the catalog that is about the tokens of one account.
 *
 * @module
 */

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

/** See the module; part of `Catalog`. */
export interface AccessCatalog {
  /** An account's tokens that are valid now, in order of their ids (see {@linkcode tokenId}). */
  listTokens(query: TokenQuery): Promise<TokenRecord[]>;
  /**
   * Removes an account's tokens by id, durably: all of them, or none with `NOT_FOUND`.
   *
   * @returns How many.
   */
  revokeTokens(user: string, ids: readonly string[]): Promise<number>;
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
