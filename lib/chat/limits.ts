/**
 * Limits and words of the chat that options need, too. A leaf, which loads no messages.
 *
 * @module
 */

/** Most messages, rooms or members in one answer; the rest follows. */
export const CHAT_PAGE_MAX = 200;

/** Roles in a room, the one that may most first. */
export const ROOM_ROLES = ["owner", "moderator", "member"] as const;

/** See {@linkcode ROOM_ROLES}. */
export type RoomRole = typeof ROOM_ROLES[number];
