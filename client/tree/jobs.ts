/**
 * How many large files of a tree are transferred at a time; apart from the work, so that the options
 * load nothing else.
 *
 * @module
 */

/** Large files at a time, unless somebody says otherwise. */
export const JOBS_DEFAULT = 2;

/** Most large files at a time: each has a connection of its own. */
export const JOBS_MAX = 16;
