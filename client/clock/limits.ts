/**
 * How long and how often a clock is asked, for the library and for the options of the commands.
 *
 * @module
 */

/** Time for one question with all its tries, in milliseconds. */
export const CLOCK_TIMEOUT_MS = 5000;

/** Exchanges of a measurement unless told otherwise. */
export const SYNC_SAMPLES = 8;

/** Most exchanges of a measurement. */
export const SYNC_SAMPLES_MAX = 1000;

/** Time between two exchanges unless told otherwise, in milliseconds. */
export const SYNC_INTERVAL_MS = 250;
