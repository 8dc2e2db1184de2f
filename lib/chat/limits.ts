/**
 * Limits of the chat that options need, too. A leaf, which loads no messages.
 *
 * @module
 */

/** Most messages, rooms or members in one answer; the rest follows. */
export const CHAT_PAGE_MAX = 200;
