/**
 * Functions that throw. Written for this project from the documented
 * behaviour of `@std/assert`.
 *
 * @module
 */
import { ending } from "./_text.ts";
import { AssertionError } from "./assertion_error.ts";
import { assertIsError, type ErrorClass } from "./is_error.ts";

/**
 * Asserts that a function throws; a promise that it returns is not awaited.
 *
 * @param fn The function.
 * @param msg What it is about.
 * @returns What was thrown.
 */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/**
 * Asserts that a function throws an error of a class.
 *
 * @param fn The function.
 * @param ErrorClass The class.
 * @param msgIncludes A part of the message.
 * @param msg What it is about.
 * @returns The error.
 */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClassOrMsg?: ErrorClass<E> | string,
  msgIncludesOrMsg?: string,
  msg?: string,
): unknown {
  const isText = typeof errorClassOrMsg === "string";
  const suffix = isText ? errorClassOrMsg : msg;
  try {
    fn();
  } catch (error) {
    if (!isText && errorClassOrMsg !== undefined) {
      if (!(error instanceof Error)) {
        throw new AssertionError(`A non-Error object was thrown${ending(suffix)}`);
      }
      assertIsError(error, errorClassOrMsg, msgIncludesOrMsg, suffix);
    }
    return error;
  }
  throw new AssertionError(`Expected function to throw${ending(suffix)}`);
}
