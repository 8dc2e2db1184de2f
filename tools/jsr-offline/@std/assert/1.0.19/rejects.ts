/**
 * Promises that reject. Written for this project from the documented
 * behaviour of `@std/assert`.
 *
 * @module
 */
import { ending } from "./_text.ts";
import { AssertionError } from "./assertion_error.ts";
import { assertIsError, type ErrorClass } from "./is_error.ts";

/**
 * Asserts that a promise rejects.
 *
 * @param fn Makes the promise.
 * @param msg What it is about.
 * @returns What it rejects with.
 */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
/**
 * Asserts that a promise rejects with an error of a class.
 *
 * @param fn Makes the promise.
 * @param ErrorClass The class.
 * @param msgIncludes A part of the message.
 * @param msg What it is about.
 * @returns The error.
 */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClassOrMsg?: ErrorClass<E> | string,
  msgIncludesOrMsg?: string,
  msg?: string,
): Promise<unknown> {
  const isText = typeof errorClassOrMsg === "string";
  const suffix = isText ? errorClassOrMsg : msg;
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch {
    throw new AssertionError(`Function throws when expected to reject${ending(suffix)}`);
  }
  try {
    await promise;
  } catch (error) {
    if (!isText && errorClassOrMsg !== undefined) {
      if (!(error instanceof Error)) {
        throw new AssertionError(`A non-Error object was rejected${ending(suffix)}`);
      }
      assertIsError(error, errorClassOrMsg, msgIncludesOrMsg, suffix);
    }
    return error;
  }
  throw new AssertionError(`Expected function to reject${ending(suffix)}`);
}
