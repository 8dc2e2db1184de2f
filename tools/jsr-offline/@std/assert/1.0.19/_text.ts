/**
 * How the assertions write values and end their messages.
 *
 * @module
 */

/** The value as `Deno.inspect` shows it, without shortening what tells two values apart. */
export function format(value: unknown): string {
  return Deno.inspect(value, {
    depth: 100,
    iterableLimit: 10_000,
    strAbbreviateSize: 100_000,
    sorted: true,
    trailingComma: true,
    compact: false,
  });
}

/** What follows the statement: the caller's words after a colon, or a full stop. */
export function ending(msg: string | undefined): string {
  return msg ? `: ${msg}` : ".";
}

/** The text without the colours of a terminal. */
export function plain(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/\x1b\[[0-9;]*m/g, "");
}
