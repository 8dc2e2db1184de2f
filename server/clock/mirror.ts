/**
 * Asks the NTP daemon of this machine now and then, for as long as the SNTP service runs.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { type MirrorReading, NtpMirror } from "../../lib/clock/ntp_mirror.ts";
import { NTP_PACKET_BYTES } from "../../lib/clock/ntp_packet.ts";
import type { NtpReference } from "../../lib/clock/ntp_reference.ts";
import { NTP_PORT } from "../../lib/clock/ports.ts";
import { wallClockNs } from "../../lib/clock/wall_clock.ts";
import { TrivetError } from "../../lib/errors.ts";
import { isLoopback, parseAddress, type TcpAddress } from "../../lib/link/address.ts";

/** How long a daemon on this machine may take. */
export const MIRROR_TIMEOUT_MS = 1000;

const log = getLogger(["trivet", "server", "clock"]);

/** Told where the time comes from: `undefined` when nobody knows. */
export type ReferenceListener = (reference: NtpReference | undefined) => void;

/** Options of {@linkcode Mirror}. */
export interface MirrorOptions {
  /** How long the daemon may take, in milliseconds (default: 1000). */
  readonly timeoutMs?: number;
  /** Waits between two questions, or less when the signal fires (default: the real clock). */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Reads the address of the daemon.
 *
 * @param text `host` or `host:port`; port 123 without one.
 * @throws {TrivetError} `USAGE` when it is not on this machine: another machine keeps another clock.
 */
export function parseMirror(text: string): TcpAddress {
  const address = parseAddress(text, NTP_PORT);
  if (address.transport !== "tcp" || !isLoopback(address.host)) {
    throw new TrivetError(
      "USAGE",
      `Cannot mirror "${text}": only the NTP server of this machine keeps this clock; ` +
        "write 127.0.0.1 or ::1",
    );
  }
  return address.host === "localhost" ? { ...address, host: "127.0.0.1" } : address;
}

/** See the module. */
export class Mirror implements AsyncDisposable {
  readonly #address: TcpAddress;
  readonly #listener: ReferenceListener;
  readonly #mirror = new NtpMirror();
  readonly #ended = new AbortController();
  readonly #timeoutMs: number;
  readonly #pause: (ms: number, signal: AbortSignal) => Promise<void>;
  #running: Promise<void> = Promise.resolve();
  /** What was told last: the kind of news that is worth a line in the log. */
  #last = "";

  /** Asks nothing yet. */
  constructor(address: TcpAddress, listener: ReferenceListener, options: MirrorOptions = {}) {
    this.#address = address;
    this.#listener = listener;
    this.#timeoutMs = options.timeoutMs ?? MIRROR_TIMEOUT_MS;
    this.#pause = options.pause ?? sleep;
  }

  /** Asks once, so that the first reply of the service is right already, and goes on by itself. */
  async start(): Promise<void> {
    await this.#ask();
    this.#running = this.#run();
  }

  /** Asks no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      await this.#pause(this.#mirror.pollS * 1000, signal);
      if (!signal.aborted) await this.#ask();
    }
  }

  async #ask(): Promise<void> {
    const reading = await this.#exchange();
    if (this.#ended.signal.aborted) return;
    if (reading?.kind === "reference") {
      const { stratum } = reading.reference;
      this.#listener(reading.reference);
      this.#report(`stratum ${stratum}`, "its clock is taken over");
    } else if (reading?.kind === "refused") {
      this.#listener(undefined);
      this.#report("refused", reading.reason);
    } else if (!this.#mirror.missed(performance.now())) {
      this.#listener(undefined);
      this.#report("silent", "it does not answer; does it allow 127.0.0.1?");
    }
  }

  #report(news: string, reason: string): void {
    if (this.#last === news) return;
    this.#last = news;
    const { host, port } = this.#address;
    const level = news.startsWith("stratum") ? "info" : "warning";
    log[level]("NTP server {host}:{port}: {reason} ({news})", { host, port, reason, news });
  }

  /** One question; `undefined` when there is no reply in time. */
  async #exchange(): Promise<MirrorReading | undefined> {
    const { host: hostname, port } = this.#address;
    const anyPort = hostname.includes(":") ? "::1" : "127.0.0.1";
    let socket: Deno.DatagramConn | undefined;
    const close = () => {
      socket?.close();
      socket = undefined;
    };
    const timer = setTimeout(close, this.#timeoutMs);
    this.#ended.signal.addEventListener("abort", close);
    try {
      socket = Deno.listenDatagram({ transport: "udp", hostname: anyPort, port: 0 });
      await socket.send(this.#mirror.ask(), { transport: "udp", hostname, port });
      const buffer = new Uint8Array(2 * NTP_PACKET_BYTES);
      while (socket !== undefined) {
        const [bytes, source] = await socket.receive(buffer);
        const moment = { epochNs: wallClockNs(), monotonicMs: performance.now() };
        if (source.transport !== "udp" || source.port !== port) continue;
        const reading = this.#mirror.read(bytes, moment);
        if (reading.kind !== "ignored") return reading;
      }
      return undefined;
    } catch {
      // Closed because of the time, or the system refuses: there is no reply either way.
      return undefined;
    } finally {
      clearTimeout(timer);
      this.#ended.signal.removeEventListener("abort", close);
      close();
    }
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = () => {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
    resolve();
  };
  const timer = setTimeout(end, ms);
  signal.addEventListener("abort", end);
  if (signal.aborted) end();
  return promise;
}
