/**
 * Streams, terminals and clocks that tests hold in their hands.
 *
 * @module
 */

import type { OutputSink } from "../../../lib/term/output.ts";
import type { PromptInput } from "../../../lib/term/prompt.ts";

/** A stream that keeps what is written; it takes at most `chunkBytes` at a time. */
export class FakeSink implements OutputSink {
  readonly #decoder = new TextDecoder();
  readonly #isTerminal: boolean;
  readonly #chunkBytes: number;
  text = "";
  error: Error | undefined;

  constructor(options: { isTerminal?: boolean; chunkBytes?: number } = {}) {
    this.#isTerminal = options.isTerminal ?? false;
    this.#chunkBytes = options.chunkBytes ?? 7;
  }

  isTerminal(): boolean {
    return this.#isTerminal;
  }

  writeSync(bytes: Uint8Array): number {
    if (this.error !== undefined) throw this.error;
    const taken = bytes.subarray(0, this.#chunkBytes);
    this.text += this.#decoder.decode(taken, { stream: true });
    return taken.length;
  }

  write(bytes: Uint8Array): Promise<number> {
    return Promise.try(() => this.writeSync(bytes));
  }
}

/** A stdin that is fed by the test; `null` is its end. */
export class FakeInput implements PromptInput {
  readonly #chunks: (Uint8Array | null)[];
  readonly #isTerminal: boolean;
  readonly raw: boolean[] = [];
  readonly waiting: PromiseWithResolvers<void> = Promise.withResolvers<void>();

  constructor(chunks: readonly (string | Uint8Array | null)[], isTerminal = true) {
    this.#chunks = chunks.map((chunk) =>
      typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk
    );
    this.#isTerminal = isTerminal;
  }

  isTerminal(): boolean {
    return this.#isTerminal;
  }

  setRaw(isRaw: boolean): void {
    this.raw.push(isRaw);
  }

  read(buffer: Uint8Array): Promise<number | null> {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) {
      this.waiting.resolve();
      return new Promise(() => {});
    }
    if (chunk === null) return Promise.resolve(null);
    const taken = chunk.subarray(0, buffer.length);
    buffer.set(taken);
    if (taken.length < chunk.length) this.#chunks.unshift(chunk.subarray(taken.length));
    return Promise.resolve(taken.length);
  }

  /** What nobody has read, as text. */
  get rest(): string {
    return this.#chunks.map((chunk) => chunk === null ? "" : new TextDecoder().decode(chunk)).join(
      "",
    );
  }
}

/** A clock with timers that run when the test says so. */
export class FakeClock {
  now_ms = 0;
  readonly #timers = new Set<{ tick: () => void; every_ms: number; next_ms: number }>();

  readonly now = (): number => this.now_ms;

  readonly startTimer = (tick: () => void, every_ms: number): () => void => {
    const timer = { tick, every_ms, next_ms: this.now_ms + every_ms };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  get timers(): number {
    return this.#timers.size;
  }

  advance(by_ms: number): void {
    const until_ms = this.now_ms + by_ms;
    while (true) {
      const due = [...this.#timers].filter(({ next_ms }) => next_ms <= until_ms)
        .toSorted((a, b) => a.next_ms - b.next_ms)[0];
      if (due === undefined) break;
      this.now_ms = due.next_ms;
      due.next_ms += due.every_ms;
      due.tick();
    }
    this.now_ms = until_ms;
  }
}
