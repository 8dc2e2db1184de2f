/**
 * Offline subset of `@std/crypto`: the functions that this project uses.
 *
 * @module
 */
export * from "./timing_safe_equal.ts";
