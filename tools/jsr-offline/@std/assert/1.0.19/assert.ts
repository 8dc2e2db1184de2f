/**
 * The plain assertion. Written for this project from the documented
 * behaviour of `@std/assert`.
 *
 * @module
 */
import { AssertionError } from "./assertion_error.ts";

/**
 * Asserts that a value is truthy.
 *
 * @param expr The value.
 * @param msg The message of the error.
 */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}
