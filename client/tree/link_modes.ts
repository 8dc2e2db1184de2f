/**
 * What happens to symbolic links in local folders.
 *
 * @module
 */

/** Left out, or sent as what they lead to. */
export const LINK_MODES = ["skip", "follow"] as const;

/** One of {@linkcode LINK_MODES}. */
export type LinkMode = typeof LINK_MODES[number];
