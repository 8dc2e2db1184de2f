/**
 * The time service from a program's side: what time it is there, in any format, and how far this
 * machine's clock is from that. No account is needed, and no clock is ever set.
 *
 * @module
 */

import { SNTP_PORT, TIME_PORT } from "../lib/clock/ports.ts";
import { parseSeconds } from "../lib/clock/seconds.ts";
import { TimeFormat } from "../lib/clock/strftime.ts";
import { DEFAULT_FORMAT, INSTANT_FORMAT } from "../lib/clock/text_formats.ts";
import { openZone } from "../lib/clock/zone_files.ts";
import { TrivetError } from "../lib/errors.ts";
import { CLOCK_TIMEOUT_MS } from "./clock/limits.ts";
import { type ClockSync, measureClock, type SyncOptions } from "./clock/measure.ts";
import { clockQuestion, textQuestion } from "./clock/text_question.ts";
import { UdpPeer } from "./clock/udp_peer.ts";
import type { Question } from "./clock/udp_try.ts";

/** Options of {@linkcode ClockClient}. */
export interface ClockClientOptions {
  /** Name or IP address of the server. */
  readonly host: string;
  /** UDP port of the text service (default: 9000). */
  readonly timePort?: number;
  /** UDP port of the SNTP service (default: 9123; NTP servers have 123). */
  readonly sntpPort?: number;
  /** Time for one question with all its tries, in milliseconds (default: 5000). */
  readonly timeoutMs?: number;
}

/** Options of a call. */
export interface ClockCallOptions {
  /** Gives up. */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode ClockClient.format}. */
export interface ClockFormatOptions extends ClockCallOptions {
  /** Time zone, such as `Asia/Shanghai` (default: the server's, or with a locale this machine's). */
  readonly zone?: string;
  /** Language of names, such as `zh-CN` or `zh_CN.UTF-8` (default: English, as the C locale has it). */
  readonly locale?: string;
}

/**
 * Asks a server for the time.
 *
 * @example
 * ```ts ignore
 * import { ClockClient } from "@trivet/trivet";
 *
 * await using clock = new ClockClient({ host: "disk.lan" });
 * console.log(await clock.format("%A, %H:%M", { zone: "Asia/Shanghai", locale: "zh-CN" }));
 * const { offsetMs, errorMs } = await clock.sync();
 * console.log(`This clock is ${-offsetMs} ms ahead, plus or minus ${errorMs} ms`);
 * ```
 */
export class ClockClient implements AsyncDisposable {
  /** Where the text service is, as `host:port`. */
  readonly timeServer: string;
  /** Where the SNTP service is, as `host:port`. */
  readonly sntpServer: string;
  readonly #time: UdpPeer;
  readonly #sntp: UdpPeer;
  readonly #timeoutMs: number;
  readonly #closing = new AbortController();
  readonly #pending = new Set<Promise<unknown>>();

  /**
   * Sends nothing yet.
   *
   * @param options The server.
   */
  constructor(options: ClockClientOptions) {
    this.#time = new UdpPeer(options.host, options.timePort ?? TIME_PORT);
    this.#sntp = new UdpPeer(options.host, options.sntpPort ?? SNTP_PORT);
    this.#timeoutMs = options.timeoutMs ?? CLOCK_TIMEOUT_MS;
    this.timeServer = this.#time.name;
    this.sntpServer = this.#sntp.name;
  }

  /**
   * Asks for the server's clock, as it was when the server answered.
   *
   * @returns The instant.
   * @throws {TrivetError} `UNREACHABLE` or `TIMEOUT`.
   */
  async now(options: ClockCallOptions = {}): Promise<Temporal.Instant> {
    return new Temporal.Instant(await this.#ask(clockQuestion, options));
  }

  /**
   * Asks what time it is. Without a zone and a locale the server formats, in its own zone; with either,
   * its clock is asked and the time is formatted here.
   *
   * @param format As for `strftime`; at most 512 bytes when the server formats.
   * @param options Zone and locale.
   * @returns The text.
   * @throws {TrivetError} `USAGE` for a format that is too long or a mere number, an unknown zone or
   * locale; `UNREACHABLE` or `TIMEOUT`.
   */
  async format(format: string = DEFAULT_FORMAT, options: ClockFormatOptions = {}): Promise<string> {
    const local = formatterOf(format, options);
    if (local !== undefined) return local.format(await this.#ask(clockQuestion, options));
    if (parseSeconds(format) !== undefined) {
      throw new TrivetError(
        "USAGE",
        `The server takes the format "${format}" for seconds since 1970; ask for that instant instead`,
      );
    }
    return await this.#ask(() => textQuestion(format), options);
  }

  /**
   * Asks what an instant is as a date and a time, in the server's zone; with a zone or a locale it is
   * formatted here and nobody is asked.
   *
   * @param seconds Seconds since 1970, as a number or as text with up to nine decimals.
   * @param options Zone and locale.
   * @returns Such as `2026-11-21 02:45:00`.
   * @throws {TrivetError} `USAGE` for what is no number, an unknown zone or locale; `UNREACHABLE` or
   * `TIMEOUT`.
   */
  async formatInstant(
    seconds: number | string,
    options: ClockFormatOptions = {},
  ): Promise<string> {
    const text = String(seconds).trim();
    const epochNs = parseSeconds(text);
    if (epochNs === undefined) {
      throw new TrivetError("USAGE", `Cannot read "${text}" as seconds since 1970`);
    }
    const local = formatterOf(INSTANT_FORMAT, options);
    if (local !== undefined) return local.format(epochNs);
    return await this.#ask(() => textQuestion(text), options);
  }

  /**
   * Measures how far this machine's clock is from that of an NTP server, and how wrong that can be.
   * Nothing is set.
   *
   * @param options How often to ask.
   * @returns What the exchange with the shortest delay says.
   * @throws {TrivetError} `UNREACHABLE` or `TIMEOUT`; `SERVER_BUSY` when the server has no time to give
   * or was asked too often; `PERMISSION_DENIED` when it refuses this client.
   */
  async sync(options: SyncOptions & ClockCallOptions = {}): Promise<ClockSync> {
    return await this.#run(
      (signal) => measureClock(this.#sntp, { ...options, timeoutMs: this.#timeoutMs, signal }),
      options,
    );
  }

  /** Gives up what is still asked. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new TrivetError("INTERRUPTED", "The clock client was closed"));
    await Promise.allSettled(this.#pending);
  }

  async #ask<T>(makeQuestion: () => Question<T>, options: ClockCallOptions): Promise<T> {
    return await this.#run(
      (signal) => this.#time.ask(makeQuestion, { timeoutMs: this.#timeoutMs, signal }),
      options,
    );
  }

  async #run<T>(
    work: (signal: AbortSignal) => Promise<T>,
    { signal }: ClockCallOptions,
  ): Promise<T> {
    const closing = this.#closing.signal;
    const running = work(signal === undefined ? closing : AbortSignal.any([closing, signal]));
    this.#pending.add(running);
    try {
      return await running;
    } finally {
      this.#pending.delete(running);
    }
  }
}

/** What formats here, if a zone or a locale is asked for; an unknown one is refused before anybody is asked. */
function formatterOf(
  format: string,
  { zone, locale }: ClockFormatOptions,
): TimeFormat | undefined {
  if (zone === undefined && locale === undefined) return undefined;
  const here = openZone(zone);
  return new TimeFormat(format, locale === undefined ? { zone: here } : { zone: here, locale });
}
