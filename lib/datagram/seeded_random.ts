/**
 * Random numbers that are the same again for the same seed: for links that are made worse on purpose and
 * for simulations, never for anything secret. The generator is sfc32 of PractRand, seeded by splitmix32.
 *
 * @module
 */

const UINT32_RANGE = 2 ** 32;

/** Numbers that are drawn and dropped first, so that seeds which are alike give numbers that are not. */
const WARM_UP_DRAWS = 12;

/** See the module. */
export class SeededRandom {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** Begins. @param seed Any number; its whole part counts. */
  constructor(seed: number) {
    const low = Math.trunc(seed) >>> 0;
    const high = Math.trunc(seed / UINT32_RANGE) >>> 0;
    this.#a = mixed(low);
    this.#b = mixed(high ^ 0x9e3779b9);
    this.#c = mixed(low ^ high ^ 0x243f6a88);
    for (let i = 0; i < WARM_UP_DRAWS; i++) this.uint32();
  }

  /** A whole number from 0 to 2^32 - 1. */
  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A number from 0 up to, but without, 1. */
  unit(): number {
    return this.uint32() / UINT32_RANGE;
  }

  /** A number from `min` up to, but without, `max`. */
  between(min: number, max: number): number {
    return min + this.unit() * (max - min);
  }

  /** A whole number from 0 to `count - 1`. */
  below(count: number): number {
    return Math.floor(this.unit() * count);
  }

  /** Whether something that happens in so many of a hundred cases happens now. */
  chance(percent: number): boolean {
    return percent > 0 && this.unit() * 100 < percent;
  }

  /** Fills bytes. */
  fill(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.uint32() >>> 24;
  }

  /** Another generator, which what is drawn from this one later does not change. */
  fork(): SeededRandom {
    return new SeededRandom(this.uint32() + this.below(2 ** 20) * UINT32_RANGE);
  }
}

function mixed(seed: number): number {
  let x = (seed + 0x9e3779b9) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return x ^ (x >>> 15);
}
