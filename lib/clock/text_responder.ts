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
import { StampClock } from "./stamp_clock.ts";
import { TextRequests, type TextStyle } from "./text_formats.ts";

/** Longest datagram that is answered. */
export const TEXT_REQUEST_MAX_BYTES = 512;

/** Options of {@linkcode TextResponder}. */
export interface TextResponderOptions extends TextStyle {
  /** Counts what each source gets. */
  readonly limit: RateLimit;
  /** Port of the service. */
  readonly ownPort: number;
  /** The time (default: this machine's clock). */
  readonly clock?: StampClock;
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
  readonly #clock: StampClock;
  readonly #limit: RateLimit;
  readonly #ownPort: number;
  readonly #requests: TextRequests;
  readonly #sent = new SentReplies();
  readonly #epochNs: () => bigint;

  /**
   * Makes a responder.
   *
   * @param options Its limit and port, and how it writes.
   * @throws {TrivetError} `USAGE` If there is no such zone or locale.
   */
  constructor(options: TextResponderOptions) {
    const { clock = new StampClock(), limit, ownPort } = options;
    this.#clock = clock;
    this.#epochNs = () => clock.epochNs;
    this.#limit = limit;
    this.#ownPort = ownPort;
    this.#requests = new TextRequests(options);
    // A wrong zone or locale must not wait for the first request.
    this.#requests.find(new Uint8Array(0));
  }

  /** See the class. */
  respond(request: Uint8Array, source: DatagramSource): Uint8Array | undefined {
    if (request.length > TEXT_REQUEST_MAX_BYTES) return undefined;
    if (!isClientPort(source.port, this.#ownPort)) return undefined;
    const clock = this.#clock;
    clock.arrive();
    if (this.#limit.check(source.hostname, clock.monotonicMs) !== "answer") return undefined;
    const found = this.#requests.find(withoutLineEnd(request));
    const reply = found.reply(clock.seconds, this.#epochNs);
    if (reply === undefined) return undefined;
    if (found.isVerbatim && this.#sent.isEcho(source, reply, clock.monotonicMs)) return undefined;
    this.#sent.add(source, reply, clock.monotonicMs);
    return reply;
  }
}
