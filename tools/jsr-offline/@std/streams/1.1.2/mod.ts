/**
 * Offline subset of `@std/streams`: the functions and classes that this project uses.
 *
 * @module
 */
export * from "./concat_readable_streams.ts";
export * from "./text_line_stream.ts";
export * from "./to_bytes.ts";
export * from "./to_text.ts";
