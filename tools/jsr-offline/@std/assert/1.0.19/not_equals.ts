/**
 * Inequality by contents. Written for this project from the documented
 * behaviour of `@std/assert`.
 *
 * @module
 */
import { ending, format } from "./_text.ts";
import { AssertionError } from "./assertion_error.ts";
import { equal } from "./equal.ts";

/**
 * Asserts that two values differ in their contents.
 *
 * @param actual What there is.
 * @param expected What there should not be.
 * @param msg What it is about.
 */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!equal(actual, expected)) return;
  throw new AssertionError(
    `Expected actual: ${format(actual)} not to be: ${format(expected)}${ending(msg)}`,
  );
}
