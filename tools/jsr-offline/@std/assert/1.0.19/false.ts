/**
 * The plain assertion, negated. Written for this project from the documented
 * behaviour of `@std/assert`.
 *
 * @module
 */
import { AssertionError } from "./assertion_error.ts";

/** The values that count as false. */
export type Falsy = false | 0 | 0n | "" | null | undefined;

/**
 * Asserts that a value is falsy.
 *
 * @param expr The value.
 * @param msg The message of the error.
 */
export function assertFalse(expr: unknown, msg = ""): asserts expr is Falsy {
  if (expr) throw new AssertionError(msg);
}
