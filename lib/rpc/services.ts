/**
 * The services that a hello can name. A leaf: a command that only names one need not load its messages.
 *
 * @module
 */

/** Files. */
export const NETDISK_SERVICE = "netdisk";

/** Rooms and messages. */
export const CHAT_SERVICE = "chat";

/** Remote commands. */
export const EXEC_SERVICE = "exec";
