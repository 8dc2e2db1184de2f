/**
 * The load of the clock's bench, a process of its own: keeps a server as busy as it can be, or asks it
 * at a steady rate and times the answers. Prints one line of JSON.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a program of its own
import { UdpBatch } from "./udp_batch.ts";

/** What is asked of the load, as JSON in the first argument. */
export interface LoadOptions {
  readonly port: number;
  /** What each datagram holds, in hex. */
  readonly payload: string;
  readonly seconds: number;
  /** Requests a second; as many as there are answers without it. */
  readonly rate?: number;
}

/** What it found. */
export interface LoadResult {
  /** Answers a second. */
  readonly rate: number;
  /** Questions that were never answered. */
  readonly lost: number;
  /** Part of the questions that are not timed, because the load itself stood still. */
  readonly heldUp?: number;
  /** Time from when a question was due to its answer; only at a steady rate. */
  readonly p50Us?: number;
  /** See `p50Us`. */
  readonly p99Us?: number;
}

/** Questions on their way at once: enough that the server never waits, and far from filling a queue. */
const WINDOW = 64;

/** Not counted at the beginning. */
const WARM_UP_MS = 300;

/** After so long a question counts as lost. */
const LOST_MS = 100;

/** A turn of the load takes some microseconds; after so long somebody else had its processor. */
const HELD_UP_MS = 0.1;

/** Most answers whose times are kept. */
const TIMES_MAX = 2_000_000;

function saturate(socket: UdpBatch, seconds: number): LoadResult {
  const warmMs = performance.now() + WARM_UP_MS;
  const endMs = warmMs + seconds * 1000;
  let [open, answers, lost, startMs] = [0, 0, 0, 0];
  for (let nowMs = performance.now(); nowMs < endMs; nowMs = performance.now()) {
    if (startMs === 0 && nowMs >= warmMs) [startMs, answers, lost] = [nowMs, 0, 0];
    open += socket.send(WINDOW - open);
    const count = socket.receive();
    open -= count;
    answers += count;
    if (count === 0 && !socket.wait(LOST_MS)) {
      lost += open;
      open = 0;
    }
  }
  return { rate: answers * 1000 / (performance.now() - startMs), lost };
}

/**
 * Answers come in the order of the questions, since there is one socket on either side and nothing is
 * lost: no queue ever holds more than the window.
 */
function pace(socket: UdpBatch, seconds: number, rate: number): LoadResult {
  const stepMs = 1000 / rate;
  const warmUp = Math.floor(WARM_UP_MS / stepMs);
  const total = Math.min(warmUp + Math.floor(rate * seconds), TIMES_MAX);
  const all = new Float64Array(total).fill(Infinity);
  const startMs = performance.now();
  let [sent, answered, held] = [0, 0, 0];
  let lastMs = startMs;
  let turnMs = startMs;
  while (answered < total) {
    const nowMs = performance.now();
    const due = Math.min(Math.floor((nowMs - startMs) / stepMs), total);
    // It was this process that stood still: what was due or open meanwhile tells nothing of the server.
    if (nowMs - turnMs > HELD_UP_MS) held = due;
    turnMs = nowMs;
    const room = WINDOW - (sent - answered);
    if (due > sent && room > 0) sent += socket.send(Math.min(due - sent, room));
    const count = socket.receive();
    if (count === 0) {
      if (sent > answered && nowMs - lastMs > LOST_MS) break;
      continue;
    }
    lastMs = performance.now();
    for (let i = 0; i < count && answered < total; i++, answered++) {
      // From when it was due: a server that holds up the questions behind must not hide that.
      all[answered] = answered < held ? NaN : lastMs - startMs - (answered + 1) * stepMs;
    }
  }
  // NaN is sorted behind all numbers.
  const timed = all.subarray(warmUp).sort();
  const times = timed.subarray(0, timed.findLastIndex((ms) => !Number.isNaN(ms)) + 1);
  const at = (part: number) =>
    Math.round((times[Math.floor(times.length * part)] ?? NaN) * 1e4) / 10;
  return {
    rate: answered * 1000 / (lastMs - startMs),
    lost: total - answered,
    heldUp: 1 - times.length / timed.length,
    p50Us: at(0.5),
    p99Us: at(0.99),
  };
}

if (import.meta.main) {
  const options: LoadOptions = JSON.parse(Deno.args[0] ?? "{}");
  using socket = new UdpBatch(options.port, Uint8Array.fromHex(options.payload));
  const { seconds, rate } = options;
  const result = rate === undefined ? saturate(socket, seconds) : pace(socket, seconds, rate);
  console.log(JSON.stringify(result));
}
