/**
 * Order. Written for this project from the documented
 * behaviour of `@std/assert`.
 *
 * @module
 */
import { format } from "./_text.ts";
import { AssertionError } from "./assertion_error.ts";

/**
 * Asserts that one value is less than or equal to the other.
 *
 * @param actual What there is.
 * @param expected What it is compared with.
 * @param msg The message of the error.
 */
export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (actual <= expected) return;
  throw new AssertionError(msg ?? `Expect ${format(actual)} <= ${format(expected)}`);
}
