/**
 * The names of the ways for a chat's connections. A leaf: options need them, and nothing else.
 *
 * @module
 */

/** Ways for a chat's connections. */
export const CHAT_TRANSPORTS = ["auto", "tcp", "udp"] as const;

/** See {@linkcode CHAT_TRANSPORTS}. */
export type ChatTransport = typeof CHAT_TRANSPORTS[number];
