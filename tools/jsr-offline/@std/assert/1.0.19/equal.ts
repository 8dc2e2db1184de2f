/**
 * Deep comparison of two values. Written for this project from the documented
 * behaviour of `@std/assert`.
 *
 * @module
 */

type Pairs = Map<object, Set<object>>;

/**
 * Compares two values by their contents. `-0` equals `0`, `NaN` equals `NaN`; prototypes count, and so
 * do keys whose value is `undefined`.
 *
 * @param a One value.
 * @param b The other value.
 * @returns Whether they are equal.
 * @throws {TypeError} When asked for two different weak collections, which cannot be looked into.
 */
export function equal(a: unknown, b: unknown): boolean {
  return compare(a, b, new Map());
}

function compare(a: unknown, b: unknown, seen: Pairs): boolean {
  if (Object.is(a, b) || a === b) return true;
  if (!isObject(a) || !isObject(b)) return false;
  if (prototypeOf(a) !== prototypeOf(b)) return false;
  if (a instanceof WeakMap || a instanceof WeakSet) {
    throw new TypeError("Cannot compare WeakMap or WeakSet instances");
  }
  if (a instanceof WeakRef && b instanceof WeakRef) return compare(a.deref(), b.deref(), seen);
  // A pair that is being compared further out is taken as equal: that is how cycles end.
  if (seen.get(a)?.has(b)) return true;
  seen.set(a, (seen.get(a) ?? new Set()).add(b));
  return compareContents(a, b, seen) && compareKeys(a, b, seen);
}

/** Compares what the built-in classes hold outside their keys. */
function compareContents(a: object, b: object, seen: Pairs): boolean {
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime());
  if (a instanceof RegExp || a instanceof URL) return String(a) === String(b);
  if (a instanceof Error && b instanceof Error) {
    if (a.message !== b.message || a.stack !== b.stack) return false;
    return compare(a.cause, b.cause, seen);
  }
  if (isBytes(a) && isBytes(b)) return compareBytes(a, b);
  if (ArrayBuffer.isView(a) || ArrayBuffer.isView(b)) return sameLength(a, b);
  if (a instanceof Set && b instanceof Set) return compareSets(a, b, seen);
  if (a instanceof Map && b instanceof Map) return compareMaps(a, b, seen);
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length;
  if (isTemporal(a)) return String(a) === String(b);
  return typeof a !== "function";
}

function compareKeys(a: object, b: object, seen: Pairs): boolean {
  if (isBytes(a)) return true;
  const keys = enumerableKeys(a);
  if (keys.length !== enumerableKeys(b).length) return false;
  return keys.every((key) =>
    Object.hasOwn(b, key) && compare(Reflect.get(a, key), Reflect.get(b, key), seen)
  );
}

function enumerableKeys(value: object): (string | symbol)[] {
  return Reflect.ownKeys(value).filter((key) =>
    Object.prototype.propertyIsEnumerable.call(value, key)
  );
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

type Bytes = ArrayBuffer | SharedArrayBuffer | DataView | Uint8Array | Int8Array;

function isBytes(value: object): value is Bytes {
  return value instanceof ArrayBuffer || value instanceof SharedArrayBuffer ||
    value instanceof DataView || value instanceof Uint8Array || value instanceof Int8Array;
}

function compareBytes(a: Bytes, b: Bytes): boolean {
  const left = viewOf(a);
  const right = viewOf(b);
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

function viewOf(bytes: Bytes): Uint8Array {
  return ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
}

function sameLength(a: object, b: object): boolean {
  return ArrayBuffer.isView(a) && ArrayBuffer.isView(b) && a.byteLength === b.byteLength;
}

/** The dates and times of the language, which have no keys. */
function isTemporal(value: object): boolean {
  return String(Reflect.get(value, Symbol.toStringTag)).startsWith("Temporal.");
}

/** An object without a prototype counts as a plain one. */
function prototypeOf(value: object): unknown {
  return Object.getPrototypeOf(value) ?? Object.prototype;
}

function compareSets(a: Set<unknown>, b: Set<unknown>, seen: Pairs): boolean {
  if (a.size !== b.size) return false;
  const left = [...b];
  return [...a].every((value) => takeOut(left, (other) => matches(value, other, seen)));
}

function compareMaps(
  a: Map<unknown, unknown>,
  b: Map<unknown, unknown>,
  seen: Pairs,
): boolean {
  if (a.size !== b.size) return false;
  const left = [...b];
  return [...a].every(([key, value]) =>
    takeOut(
      left,
      ([otherKey, other]) => matches(key, otherKey, seen) && matches(value, other, seen),
    )
  );
}

/** Compares on a copy of the pairs: a candidate that fails must leave no pair behind. */
function matches(a: unknown, b: unknown, seen: Pairs): boolean {
  return compare(a, b, new Map([...seen].map(([key, others]) => [key, new Set(others)])));
}

function takeOut<T>(list: T[], isIt: (item: T) => boolean): boolean {
  const at = list.findIndex(isIt);
  if (at !== -1) list.splice(at, 1);
  return at !== -1;
}
