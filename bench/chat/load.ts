/**
 * The load of the chat's bench, a process of its own: one sender and many receivers in one room, the
 * same for every server. Either so many messages are always on their way, or they are sent at a steady
 * rate; a message has arrived when the last receiver has it. Prints one line of JSON.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a program of its own
import type { Transport } from "../../lib/link/link.ts";
import { type Wire, wireOf } from "./wires.ts";

/** What is asked of the load, as JSON in stdin. */
export interface LoadOptions {
  readonly protocol: "irc" | "nats" | "trivet";
  readonly port: number;
  readonly receivers: number;
  /** Messages on their way at once. */
  readonly window: number;
  readonly seconds: number;
  /** Messages a second; as many as the window allows without it. */
  readonly rate?: number;
  /** Further receivers that never read. */
  readonly stalled?: number;
  /** Of Trivet's accounts: the sender's first. */
  readonly tokens?: readonly string[];
  /** Of Trivet's certificate; without TLS when there is none. */
  readonly fingerprint?: string;
}

/** What it found. */
export interface LoadResult {
  /** Deliveries a second. */
  readonly rate: number;
  /** From sending a message until the last receiver has it. */
  readonly p50Ms: number;
  /** See `p50Ms`. */
  readonly p99Ms: number;
  /** Messages that were timed. */
  readonly messages: number;
}

const READ_BYTES = 64 * 1024;

/** Not counted at the beginning. */
const WARM_UP_MS = 300;

/** Nothing comes for so long: what the connecting itself caused has passed. */
const SILENCE_MS = 400;

/** A run in which nothing comes for so long has failed. */
const STUCK_MS = 10_000;

/** Counts deliveries, and times messages. */
class Run {
  readonly #receivers: number;
  readonly #sentMs: number[] = [];
  /** Receivers that have each message. */
  readonly #reached: number[] = [];
  readonly #timesMs: number[] = [];
  #arrived = 0;
  #warmAt = 0;
  #startMs = 0;
  #lastMs = 0;
  lastDeliveryMs = performance.now();
  #wake: (() => void) | undefined;

  constructor(receivers: number) {
    this.#receivers = receivers;
  }

  get sent(): number {
    return this.#sentMs.length;
  }

  get arrived(): number {
    return this.#arrived;
  }

  /** Notes messages that are about to be sent, or were due, at a time. */
  noteSent(timesMs: readonly number[]): void {
    for (const timeMs of timesMs) {
      this.#sentMs.push(timeMs);
      this.#reached.push(0);
    }
  }

  /** Notes that a receiver, which had `had` messages, has `count` more. */
  noteDelivered(had: number, count: number): void {
    const nowMs = performance.now();
    this.lastDeliveryMs = nowMs;
    for (let number = had; number < had + count; number++) {
      const reached = this.#reached[number] = (this.#reached[number] ?? 0) + 1;
      if (reached < this.#receivers) continue;
      this.#arrived += 1;
      this.#lastMs = nowMs;
      this.#timesMs.push(nowMs - (this.#sentMs[number] ?? NaN));
    }
    this.#wake?.();
  }

  /** From here on it counts. */
  begin(): void {
    this.#warmAt = this.#arrived;
    this.#startMs = performance.now();
  }

  /** Waits until a message has arrived, or a time has passed. */
  async next(waitMs: number): Promise<void> {
    const arrived = this.#arrived;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = () => {
      if (this.#arrived > arrived) resolve();
    };
    const timer = setTimeout(resolve, waitMs);
    await promise;
    clearTimeout(timer);
    this.#wake = undefined;
  }

  result(): LoadResult {
    const times = this.#timesMs.slice(this.#warmAt).sort((a, b) => a - b);
    const at = (part: number) => times[Math.floor(times.length * part)] ?? NaN;
    const rate = times.length * this.#receivers * 1000 / (this.#lastMs - this.#startMs);
    return { rate, p50Ms: at(0.5), p99Ms: at(0.99), messages: times.length };
  }
}

async function receive(conn: Transport, wire: Wire, run: Run): Promise<void> {
  const counter = wire.counter();
  const buffer = new Uint8Array(READ_BYTES);
  let had = 0;
  for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
    run.lastDeliveryMs = performance.now();
    const delivered = counter.push(buffer.subarray(0, count));
    // What comes before anything is sent is the talk of those who connect.
    if (run.sent === 0 || delivered === 0) continue;
    run.noteDelivered(had, delivered);
    had += delivered;
  }
}

async function drop(conn: Transport): Promise<void> {
  const buffer = new Uint8Array(READ_BYTES);
  while (await conn.read(buffer) !== null);
}

async function send(conn: Transport, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

/** Keeps as many messages on their way as the window has. */
async function saturate(run: Run, sender: Transport, wire: Wire, options: LoadOptions) {
  const warmMs = performance.now() + WARM_UP_MS;
  const endMs = warmMs + options.seconds * 1000;
  let isWarm = false;
  for (let nowMs = performance.now(); nowMs < endMs; nowMs = performance.now()) {
    if (!isWarm && nowMs >= warmMs) {
      isWarm = true;
      run.begin();
    }
    const room = options.window - (run.sent - run.arrived);
    if (room > 0) {
      run.noteSent(new Array<number>(room).fill(nowMs));
      await send(sender, wire.messages(room));
    }
    if (run.sent - run.arrived >= options.window) await run.next(STUCK_MS);
    if (performance.now() - run.lastDeliveryMs > STUCK_MS) throw new Error("Nothing arrives");
  }
}

/** Sends at a steady rate; a message is timed from when it was due. */
async function pace(run: Run, sender: Transport, wire: Wire, options: LoadOptions) {
  const { rate = 1, seconds } = options;
  const startMs = performance.now();
  const total = Math.floor(rate * (seconds + WARM_UP_MS / 1000));
  let isWarm = false;
  while (run.sent < total) {
    const nowMs = performance.now();
    if (!isWarm && nowMs - startMs >= WARM_UP_MS) {
      isWarm = true;
      run.begin();
    }
    const due = Math.min(Math.floor((nowMs - startMs) * rate / 1000), total);
    if (due > run.sent) {
      const first = run.sent;
      const times = Array.from(
        { length: due - first },
        (_, i) => startMs + (first + i) * 1000 / rate,
      );
      run.noteSent(times);
      await send(sender, wire.messages(times.length));
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const giveUpMs = performance.now() + STUCK_MS;
  while (run.arrived < run.sent && performance.now() < giveUpMs) await run.next(100);
  if (run.arrived < run.sent) throw new Error(`${run.sent - run.arrived} messages did not arrive`);
}

async function main(): Promise<void> {
  const options: LoadOptions = await new Response(Deno.stdin.readable).json();
  const { receivers, stalled = 0, rate } = options;
  const wire = wireOf(options);
  const run = new Run(receivers);
  const sender = await wire.connect(0, "sender");
  const done: Promise<void>[] = [drop(sender)];
  for (let number = 1; number <= receivers; number++) {
    done.push(receive(await wire.connect(number, "receiver"), wire, run));
  }
  for (let number = 1; number <= stalled; number++) {
    await wire.connect(receivers + number, "receiver");
  }
  for (const each of done) each.catch(() => {});
  while (performance.now() - run.lastDeliveryMs < SILENCE_MS) {
    await new Promise((resolve) => setTimeout(resolve, SILENCE_MS / 4));
  }
  await (rate === undefined ? saturate : pace)(run, sender, wire, options);
  console.log(JSON.stringify(run.result()));
  Deno.exit(0);
}

if (import.meta.main) await main();
