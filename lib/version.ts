/**
 * The version of both programs; a test keeps it equal to deno.json's.
 *
 * @module
 */

/** Version of Trivet. */
export const VERSION = "0.1.0";

/** How the server names itself. */
export const SERVER_NAME = `trivetd/${VERSION}`;

/** How the client names itself. */
export const CLIENT_NAME = `trivet/${VERSION}`;
