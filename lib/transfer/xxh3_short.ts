/**
 * XXH3-128 of inputs of up to 240 bytes, for which the algorithm has ways of its own. They are rare and
 * small here (journals of few chunks, tiny files), so plain integers do; longer ones are `xxh3.wat`'s.
 * It follows the published algorithm (xxHash, doc/xxhash_spec.md, "XXH3") with seed 0.
 *
 * @module
 */

/** Longest input that is short. */
export const XXH3_SHORT_MAX_BYTES = 240;

const P32_2 = 0x85ebca77n;
const P64_1 = 0x9e3779b185ebca87n;
const P64_2 = 0xc2b2ae3d27d4eb4fn;
const P64_3 = 0x165667b19e3779f9n;
const P64_4 = 0x85ebca77c2b2ae63n;
const P_MX1 = 0x165667919e3779f9n;
const P_MX2 = 0x9fb21c651e98df25n;

/** Offsets in the secret, and the part of it that every implementation has. */
const MIDDLE_SECRET_AT = 3;
const LAST_SECRET_AT = 136 - 17 - 16;

type Halves = [low: bigint, high: bigint];

/**
 * Computes a digest.
 *
 * @param input At most {@linkcode XXH3_SHORT_MAX_BYTES} bytes.
 * @param secret The 192 bytes of the default secret.
 * @returns 16 bytes in canonical order: big-endian, the high half first.
 */
export function xxh3Short(input: Uint8Array, secret: Uint8Array): Uint8Array<ArrayBuffer> {
  const [low, high] = halvesOf(viewOf(input), viewOf(secret), input.length);
  const digest = new DataView(new ArrayBuffer(16));
  digest.setBigUint64(0, high);
  digest.setBigUint64(8, low);
  return new Uint8Array(digest.buffer);
}

function halvesOf(input: DataView, secret: DataView, length: number): Halves {
  if (length > 128) return upTo240(input, secret, length);
  if (length > 16) return upTo128(input, secret, length);
  if (length > 8) return upTo16(input, secret, length);
  if (length > 3) return upTo8(input, secret, length);
  if (length > 0) return upTo3(input, secret, length);
  return [avalanche64(key(secret, 64)), avalanche64(key(secret, 80))];
}

function upTo3(input: DataView, secret: DataView, length: number): Halves {
  const [first, middle, last] = [0, length >> 1, length - 1].map((at) => input.getUint8(at));
  const low = (((first ?? 0) << 16) | ((middle ?? 0) << 24) | (last ?? 0) | (length << 8)) >>> 0;
  const swapped = swap32(low);
  const high = ((swapped << 13) | (swapped >>> 19)) >>> 0;
  const flip = (at: number) => secret.getUint32(at, true) ^ secret.getUint32(at + 4, true);
  const keyed = (value: number, at: number) => BigInt((value ^ flip(at)) >>> 0);
  return [avalanche64(keyed(low, 0)), avalanche64(keyed(high, 8))];
}

function upTo8(input: DataView, secret: DataView, length: number): Halves {
  const first = BigInt(input.getUint32(0, true));
  const last = BigInt(input.getUint32(length - 4, true));
  const keyed = (first + (last << 32n)) ^ key(secret, 16);
  let [low, high] = multiply(keyed, P64_1 + BigInt(length << 2));
  high = u64(high + (low << 1n));
  low ^= high >> 3n;
  low = u64((low ^ (low >> 35n)) * P_MX2);
  return [low ^ (low >> 28n), avalanche(high)];
}

function upTo16(input: DataView, secret: DataView, length: number): Halves {
  const first = read(input, 0);
  const last = read(input, length - 8);
  let [low, high] = multiply(first ^ last ^ key(secret, 32), P64_1);
  low = u64(low + (BigInt(length - 1) << 54n));
  const flipped = last ^ key(secret, 48);
  high = u64(high + flipped + (flipped & 0xffff_ffffn) * (P32_2 - 1n));
  low ^= swap64(high);
  const [productLow, productHigh] = multiply(low, P64_2);
  return [avalanche(productLow), avalanche(productHigh + high * P64_2)];
}

function upTo128(input: DataView, secret: DataView, length: number): Halves {
  const sums: Halves = [u64(BigInt(length) * P64_1), 0n];
  for (let pair = Math.ceil(length / 32) - 1; pair >= 0; pair--) {
    mix(
      sums,
      [read16(input, 16 * pair), read16(input, length - 16 * (pair + 1))],
      secret,
      32 * pair,
    );
  }
  return finish(sums, length);
}

function upTo240(input: DataView, secret: DataView, length: number): Halves {
  const sums: Halves = [u64(BigInt(length) * P64_1), 0n];
  const mixAt = (at: number, keyAt: number) =>
    mix(sums, [read16(input, at), read16(input, at + 16)], secret, keyAt);
  for (let at = 0; at < 128; at += 32) mixAt(at, at);
  sums[0] = avalanche(sums[0]);
  sums[1] = avalanche(sums[1]);
  for (let at = 128; at + 32 <= length; at += 32) mixAt(at, MIDDLE_SECRET_AT + at - 128);
  mix(sums, [read16(input, length - 16), read16(input, length - 32)], secret, LAST_SECRET_AT);
  return finish(sums, length);
}

/** "Mix 32 bytes": two pieces of 16 bytes into the two sums. */
function mix(sums: Halves, [one, two]: [Halves, Halves], secret: DataView, keyAt: number): void {
  sums[0] = u64(sums[0] + mixed(one, secret, keyAt)) ^ u64(two[0] + two[1]);
  sums[1] = u64(sums[1] + mixed(two, secret, keyAt + 16)) ^ u64(one[0] + one[1]);
}

function mixed(piece: Halves, secret: DataView, keyAt: number): bigint {
  const [low, high] = multiply(piece[0] ^ read(secret, keyAt), piece[1] ^ read(secret, keyAt + 8));
  return low ^ high;
}

function finish([low, high]: Halves, length: number): Halves {
  const mixedHigh = low * P64_1 + high * P64_4 + BigInt(length) * P64_2;
  return [avalanche(low + high), u64(-avalanche(mixedHigh))];
}

/** "XXH3 avalanche". */
function avalanche(value: bigint): bigint {
  let hash = u64(value);
  hash = u64((hash ^ (hash >> 37n)) * P_MX1);
  return hash ^ (hash >> 32n);
}

/** "XXH64 avalanche". */
function avalanche64(value: bigint): bigint {
  let hash = u64((value ^ (value >> 33n)) * P64_2);
  hash = u64((hash ^ (hash >> 29n)) * P64_3);
  return hash ^ (hash >> 32n);
}

function multiply(a: bigint, b: bigint): Halves {
  const product = a * b;
  return [u64(product), product >> 64n];
}

/** 16 bytes of the secret, joined by XOR. */
function key(secret: DataView, at: number): bigint {
  return read(secret, at) ^ read(secret, at + 8);
}

function read(view: DataView, at: number): bigint {
  return view.getBigUint64(at, true);
}

function read16(view: DataView, at: number): Halves {
  return [read(view, at), read(view, at + 8)];
}

function swap32(value: number): number {
  return ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>>
    0;
}

function swap64(value: bigint): bigint {
  const low = BigInt(swap32(Number(value & 0xffff_ffffn)));
  return (low << 32n) | BigInt(swap32(Number(value >> 32n)));
}

function u64(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
