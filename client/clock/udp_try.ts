/**
 * One datagram to a UDP service, from a port of its own, and the wait for its answer.
 *
 * @module
 */

import { wallClockNs } from "../../lib/clock/wall_clock.ts";
import { TrivetError } from "../../lib/errors.ts";
import { isLoopback } from "../../lib/link/address.ts";
import { canonicalAddress } from "./resolve.ts";

/** A service on this machine that said nothing for so long may not be there at all. */
const LOCAL_SILENCE_MS = 100;

/** Longer replies are cut: no service here sends them. */
const REPLY_MAX_BYTES = 4096;

/** A reply and the instants around it. */
export interface UdpReply {
  /** What came; valid until the question is answered. */
  readonly bytes: Uint8Array;
  /** When the request left, by this machine's clock, in nanoseconds since 1970. */
  readonly sentNs: bigint;
  /** When the reply came: later by what the monotonic clock says, so a step of the clock is harmless. */
  readonly receivedNs: bigint;
}

/** What a reply turned out to be: the answer, or something to ignore and why. */
export type Reading<T> = { readonly value: T } | { readonly ignored: string };

/** One datagram, and what reads the replies to it. */
export interface Question<T> {
  /** The datagram. */
  readonly request: Uint8Array;
  /** Reads a reply; what it throws ends the asking. */
  read(reply: UdpReply): Reading<T>;
}

/** What became of one datagram. */
export type Outcome<T> =
  | { readonly kind: "answer"; readonly value: T }
  | { readonly kind: "silence" }
  | { readonly kind: "refused"; readonly error: unknown };

/** Replies that were none. */
export class Ignored {
  /** How many. */
  count = 0;
  /** Why the last one was none. */
  last = "";

  /** Notes one. */
  add(reason: string): void {
    this.count += 1;
    this.last = reason;
  }
}

/** Where one datagram goes, and how long its answer may take. */
export interface OneTry {
  /** IP address, as {@linkcode canonicalAddress} writes it. */
  readonly address: string;
  /** UDP port. */
  readonly port: number;
  /** Time for the answer, in milliseconds. */
  readonly waitMs: number;
}

/**
 * Sends one datagram and waits for its answer.
 *
 * @param question The datagram, and what reads replies.
 * @param to Where it goes.
 * @param options Where ignored replies are noted, and what gives up.
 * @returns The answer, or why there is none.
 * @throws The signal's reason, or what the question throws.
 */
export async function askOnce<T>(
  question: Question<T>,
  to: OneTry,
  { ignored, signal }: { readonly ignored: Ignored; readonly signal: AbortSignal },
): Promise<Outcome<T>> {
  signal.throwIfAborted();
  let socket: Deno.DatagramConn;
  try {
    const hostname = to.address.includes(":") ? "::" : "0.0.0.0";
    socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  } catch (error) {
    return { kind: "refused", error };
  }
  using waiting = new Waiting(socket, to, signal);
  try {
    // First the monotonic clock: whatever passes between the two makes the delay longer, never shorter.
    const sentMs = performance.now();
    const sentNs = wallClockNs();
    await socket.send(question.request, {
      transport: "udp",
      hostname: to.address,
      port: to.port,
    });
    const buffer = new Uint8Array(REPLY_MAX_BYTES);
    while (true) {
      const [bytes, from] = await socket.receive(buffer);
      const receivedNs = sentNs + BigInt(Math.ceil((performance.now() - sentMs) * 1e6));
      if (!isFrom(from, to)) {
        ignored.add("it came from another address");
        continue;
      }
      const reading = question.read({ bytes, sentNs, receivedNs });
      if ("value" in reading) return { kind: "answer", value: reading.value };
      ignored.add(reading.ignored);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TrivetError) throw error;
    if (waiting.isOver) return { kind: "silence" };
    return { kind: "refused", error: waiting.refusal ?? error };
  }
}

/** Closes a socket when its time is up, when the caller gives up, or when nobody can answer. */
class Waiting implements Disposable {
  /** Whether the time was up. */
  isOver = false;
  /** Why nobody can answer, once that is known. */
  refusal: Error | undefined;
  readonly #socket: Deno.DatagramConn;
  readonly #signal: AbortSignal;
  readonly #timers: ReturnType<typeof setTimeout>[];
  readonly #onAbort = () => this.#close();
  #isClosed = false;

  constructor(socket: Deno.DatagramConn, to: OneTry, signal: AbortSignal) {
    this.#socket = socket;
    this.#signal = signal;
    signal.addEventListener("abort", this.#onAbort, { once: true });
    this.#timers = [
      setTimeout(() => {
        this.isOver = true;
        this.#close();
      }, to.waitMs),
    ];
    if (isLoopback(to.address)) {
      this.#timers.push(setTimeout(() => this.#lookForListener(to), LOCAL_SILENCE_MS));
    }
  }

  /**
   * Deno does not tell when the system reports a closed UDP port (ICMP port unreachable). On this machine
   * a port that can be taken is one that nobody listens on.
   */
  #lookForListener({ address, port }: OneTry): void {
    // Windows lends a taken port, but it reports a closed one itself.
    if (Deno.build.os === "windows") return;
    try {
      Deno.listenDatagram({ transport: "udp", hostname: address, port }).close();
    } catch {
      return;
    }
    this.refusal = new Deno.errors.ConnectionRefused(`UDP port ${port} is closed`);
    this.#close();
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#close();
  }
}

function isFrom(from: Deno.Addr, to: OneTry): boolean {
  return from.transport === "udp" && from.port === to.port &&
    canonicalAddress(from.hostname) === to.address;
}
