/**
 * What a token may be. A leaf: the command's options need it, and not the messages.
 *
 * @module
 */

/** Most characters of a token's label. */
export const TOKEN_LABEL_CHARS_MAX = 128;

/** Longest life of a token that ends, in milliseconds: ten years. */
export const TOKEN_LIFETIME_MAX_MS: number = 3650 * 24 * 60 * 60 * 1000;

/** What a token allows: to read; also to write; also to manage tokens. */
export const TOKEN_SCOPES = ["read", "write", "full"] as const;
