/**
 * Offline subset of `@std/cli`: the stable functions that this project uses.
 *
 * @module
 */
export * from "./parse_args.ts";
export * from "./prompt_secret.ts";
export * from "./unicode_width.ts";
