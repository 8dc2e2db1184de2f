/**
 * Patterns. Written for this project from the documented
 * behaviour of `@std/assert`.
 *
 * @module
 */
import { ending } from "./_text.ts";
import { AssertionError } from "./assertion_error.ts";

/**
 * Asserts that text matches a pattern.
 *
 * @param actual The text.
 * @param expected The pattern.
 * @param msg What it is about.
 */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  if (expected.test(actual)) return;
  throw new AssertionError(`Expected actual: "${actual}" to match: "${expected}"${ending(msg)}`);
}
