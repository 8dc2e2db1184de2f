/**
 * XXH3-128 at the speed of SIMD, for the chunks of transfers: a small WebAssembly kernel, `xxh3.wat`,
 * and around it the part that cuts a stream into the blocks which the kernel takes.
 *
 * @module
 */

import { XXH3_SHORT_MAX_BYTES, xxh3Short } from "./xxh3_short.ts";
import { XXH3_WASM_BASE64 } from "./xxh3_wasm.ts";

/** Size of a digest. */
const DIGEST_BYTES = 16;

/** The accumulators are scrambled behind each block. */
const BLOCK_BYTES = 1024;

/** The end takes the last 64 bytes again, so as many stay in front of the window. */
const HISTORY_BYTES = 64;

/** Where the kernel's memory holds the secret, and its size. */
const SECRET_AT = 64;
const SECRET_BYTES = 192;

/** Where the kernel's memory holds the digest. */
const DIGEST_AT = 256;

/** Where the kernel's memory holds the bytes to take. */
const WINDOW_AT = 1024;

/** Bytes that are copied into the kernel's memory at once: they stay in the processor's cache. */
const WINDOW_BYTES = 64 * 1024;

interface Kernel {
  readonly memory: Uint8Array;
  begin(): void;
  blocks(at: number, count: number): void;
  end(at: number, count: number, total: number): void;
}

let compiled: WebAssembly.Module | undefined;

/** Computes one XXH3-128 at a time. */
export class Xxh3 {
  readonly #kernel: Kernel = newKernel();
  /** Bytes in the window that were not taken yet; at least the last one is kept for the end. */
  #held = 0;
  #total = 0;

  /** Begins a digest. */
  constructor() {
    this.init();
  }

  /** Begins a digest, and drops one that has begun. */
  init(): void {
    this.#kernel.begin();
    this.#held = 0;
    this.#total = 0;
  }

  /** Adds bytes. */
  update(bytes: Uint8Array): void {
    const { memory } = this.#kernel;
    this.#total += bytes.length;
    for (let taken = 0; taken < bytes.length;) {
      const count = Math.min(WINDOW_BYTES - this.#held, bytes.length - taken);
      const piece = count === bytes.length ? bytes : bytes.subarray(taken, taken + count);
      memory.set(piece, WINDOW_AT + this.#held);
      this.#held += count;
      taken += count;
      if (this.#held > BLOCK_BYTES) this.#takeBlocks();
    }
  }

  /** Ends the digest and writes its 16 bytes to `target` from `at` on, as they are usually shown. */
  digestInto(target: Uint8Array, at: number): void {
    const { memory } = this.#kernel;
    if (this.#total <= XXH3_SHORT_MAX_BYTES) {
      const secret = memory.subarray(SECRET_AT, SECRET_AT + SECRET_BYTES);
      target.set(xxh3Short(memory.subarray(WINDOW_AT, WINDOW_AT + this.#total), secret), at);
      return;
    }
    this.#kernel.end(WINDOW_AT, this.#held, this.#total);
    // The canonical form is big-endian, the high half first.
    const last = DIGEST_AT + DIGEST_BYTES - 1;
    for (let i = 0; i < DIGEST_BYTES; i++) target[at + i] = memory[last - i] ?? 0;
  }

  /** Takes all blocks of the window behind which something follows. */
  #takeBlocks(): void {
    const { memory } = this.#kernel;
    const count = Math.floor((this.#held - 1) / BLOCK_BYTES);
    this.#kernel.blocks(WINDOW_AT, count);
    const end = WINDOW_AT + count * BLOCK_BYTES;
    memory.copyWithin(WINDOW_AT - HISTORY_BYTES, end - HISTORY_BYTES, WINDOW_AT + this.#held);
    this.#held -= count * BLOCK_BYTES;
  }
}

function newKernel(): Kernel {
  compiled ??= new WebAssembly.Module(Uint8Array.fromBase64(XXH3_WASM_BASE64));
  const { memory, begin, blocks, end } = new WebAssembly.Instance(compiled).exports;
  if (
    !(memory instanceof WebAssembly.Memory) || typeof begin !== "function" ||
    typeof blocks !== "function" || typeof end !== "function"
  ) {
    throw new TypeError("Cannot use the XXH3 kernel: it does not export what it should");
  }
  return {
    memory: new Uint8Array(memory.buffer),
    begin: () => begin(),
    blocks: (at, count) => blocks(at, count),
    end: (at, count, total) => end(at, count, total),
  };
}
