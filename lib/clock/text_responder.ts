/**
 * The text service: a datagram with a format of strftime is answered with the time in that format.
 * Whatever comes, an answer is short, and nobody is answered without end.
 *
 * @module
 */

import { withoutLineEnd } from "./datagram_bytes.ts";
import { type DatagramResponder, type DatagramSource, isClientPort } from "./datagram_source.ts";
import type { RateLimit } from "./rate_limit.ts";
import { SentReplies } from "./sent_replies.ts";
import { TextRequests, type TextStyle } from "./text_formats.ts";
import { type WallClock, wallClockNs } from "./wall_clock.ts";

/** Longest datagram that is answered. */
export const TEXT_REQUEST_MAX_BYTES = 512;

const MS_PER_SECOND = 1000;

/** Options of {@linkcode TextResponder}. */
export interface TextResponderOptions extends TextStyle {
  /** Counts what each source gets. */
  readonly limit: RateLimit;
  /** Port of the service. */
  readonly ownPort: number;
  /** The time that is written, in nanoseconds since 1970 (default: this machine's clock). */
  readonly wallNs?: WallClock;
  /** The same clock in milliseconds: the cheapest reading there is, one for each datagram. */
  readonly wallMs?: () => number;
}

/**
 * Answers the datagrams of the text service:
 *
 * - a format, as UTF-8: the time in that format; an empty one: `%Y-%m-%d %X`;
 * - a number of seconds since 1970: that instant as `%Y-%m-%d %H:%M:%S`;
 * - silence for more than 512 bytes, what is not UTF-8, a port below 1024 or our own, what another
 * server has answered.
 *
 * A line's end is left out. No answer is longer than 64 bytes or three times the request.
 */
export class TextResponder implements DatagramResponder {
  readonly #wallNs: WallClock;
  readonly #wallMs: () => number;
  readonly #limit: RateLimit;
  readonly #ownPort: number;
  readonly #requests: TextRequests;
  readonly #sent = new SentReplies();

  /**
   * Makes a responder.
   *
   * @param options Its limit and port, and how it writes.
   * @throws {TrivetError} `USAGE` If there is no such zone or locale.
   */
  constructor(options: TextResponderOptions) {
    this.#wallNs = options.wallNs ?? wallClockNs;
    this.#wallMs = options.wallMs ?? Date.now;
    this.#limit = options.limit;
    this.#ownPort = options.ownPort;
    this.#requests = new TextRequests(options);
    // A wrong zone or locale must not wait for the first request.
    this.#requests.find(new Uint8Array(0));
  }

  /** See the class. */
  respond(request: Uint8Array, source: DatagramSource): Uint8Array | undefined {
    if (request.length > TEXT_REQUEST_MAX_BYTES) return undefined;
    if (!isClientPort(source.port, this.#ownPort)) return undefined;
    const nowMs = this.#wallMs();
    if (this.#limit.check(source.hostname, nowMs) !== "answer") return undefined;
    const found = this.#requests.find(withoutLineEnd(request));
    const reply = found.reply(Math.floor(nowMs / MS_PER_SECOND), this.#wallNs);
    if (reply === undefined) return undefined;
    if (found.isVerbatim && this.#sent.isEcho(source, reply, nowMs)) return undefined;
    this.#sent.add(source, reply, nowMs);
    return reply;
  }
}
