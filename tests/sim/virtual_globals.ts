/**
 * The runtime's clock, timers and chance, replaced by those of a simulation for as long as it lasts. So
 * the programs' own code runs in it as it is, and does the same again for the same seed.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { SeededRandom } from "../../lib/datagram/seeded_random.ts";
import type { Planned, VirtualClock } from "./virtual_clock.ts";

/** When the simulations begin, in milliseconds since 1970. */
export const EPOCH_MS = Date.UTC(2030, 0, 1);

/** Numbers of timers begin here, where the runtime's own never come. */
const TIMER_FIRST = 2 ** 40;

/** See the module. Disposing of it puts everything back. */
export class VirtualGlobals implements Disposable {
  readonly #restore: (() => void)[] = [];
  readonly #timers = new Map<number, Planned>();
  readonly #clock: VirtualClock;
  #lastTimer = TIMER_FIRST;

  /**
   * Replaces them.
   *
   * @param clock Tells the time.
   * @param random Where chance comes from.
   */
  constructor(clock: VirtualClock, random: SeededRandom) {
    this.#clock = clock;
    this.#replace(
      globalThis,
      "setTimeout",
      (run: () => void, waitMs = 0) => this.#set(run, waitMs),
    );
    this.#replace(globalThis, "clearTimeout", (timer: unknown) => this.#clear(timer));
    this.#replace(Deno, "unrefTimer", () => {});
    this.#replace(AbortSignal, "timeout", (waitMs: number) => {
      const controller = new AbortController();
      this.#set(
        () => controller.abort(new DOMException("Signal timed out", "TimeoutError")),
        waitMs,
      );
      return controller.signal;
    });
    this.#replace(performance, "now", () => clock.nowMs);
    this.#replace(Date, "now", () => EPOCH_MS + Math.floor(clock.nowMs));
    this.#replace(Math, "random", () => random.unit());
    this.#replace(crypto, "getRandomValues", (target: ArrayBufferView) => {
      random.fill(new Uint8Array(target.buffer, target.byteOffset, target.byteLength));
      return target;
    });
    this.#replace(crypto, "randomUUID", () => uuid(random));
    // The runtime's comes from another thread, at a moment that no seed knows.
    this.#replace(crypto.subtle, "digest", (name: string, data: Uint8Array) => {
      return Promise.resolve(createHash(name.replace("-", "")).update(data).digest());
    });
  }

  /** Puts everything back; timers that are left never happen. */
  [Symbol.dispose](): void {
    for (const restore of this.#restore.splice(0).reverse()) restore();
    for (const planned of this.#timers.values()) planned.cancel();
  }

  #set(run: () => void, waitMs: number): number {
    const timer = ++this.#lastTimer;
    // Whole milliseconds, as the runtime's: a remainder that is too small to add would never pass.
    const planned = this.#clock.after(Math.max(1, Math.ceil(waitMs)), () => {
      this.#timers.delete(timer);
      run();
    });
    this.#timers.set(timer, planned);
    return timer;
  }

  #clear(timer: unknown): void {
    if (typeof timer !== "number") return;
    this.#timers.get(timer)?.cancel();
    this.#timers.delete(timer);
  }

  #replace(owner: object, name: string, value: unknown): void {
    const before = Object.getOwnPropertyDescriptor(owner, name);
    Object.defineProperty(owner, name, { value, configurable: true, writable: true });
    this.#restore.push(() => {
      if (before === undefined) Reflect.deleteProperty(owner, name);
      else Object.defineProperty(owner, name, before);
    });
  }
}

function uuid(random: SeededRandom): string {
  const bytes = new Uint8Array(16);
  random.fill(bytes);
  const hex = bytes.toHex();
  const cuts = [0, 8, 12, 16, 20, 32];
  return cuts.slice(1).map((end, i) => hex.slice(cuts[i], end)).join("-");
}
