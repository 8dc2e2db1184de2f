/**
 * Parts of text. Written for this project from the documented
 * behaviour of `@std/assert`.
 *
 * @module
 */
import { ending } from "./_text.ts";
import { AssertionError } from "./assertion_error.ts";

/**
 * Asserts that text contains a part.
 *
 * @param actual The text.
 * @param expected The part.
 * @param msg What it is about.
 */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (actual.includes(expected)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to contain: "${expected}"${ending(msg)}`,
  );
}
