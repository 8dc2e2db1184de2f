/**
 * What was answered lately, to notice an answer that comes back: then the other side is a server too,
 * and the two would go on for ever (CVE-2024-2169).
 *
 * @module
 */

import { equalBytes, withoutLineEnd } from "./datagram_bytes.ts";
import type { DatagramSource } from "./datagram_source.ts";

/** How long an answer is remembered: longer than any datagram is on its way within a network. */
export const LOOP_WINDOW_MS = 1000;

/** Answers to remember; a newer one takes the place of an older one with the same port in these bits. */
export const SENT_REPLIES_MAX = 1024;

interface Sent {
  hostname: string;
  port: number;
  reply: Uint8Array;
  atMs: number;
}

/** See the module. Remembering allocates nothing. */
export class SentReplies {
  readonly #sent: readonly Sent[] = Array.from(
    { length: SENT_REPLIES_MAX },
    () => ({ hostname: "", port: 0, reply: new Uint8Array(0), atMs: -Infinity }),
  );

  /**
   * Remembers an answer.
   *
   * @param source To whom it goes.
   * @param reply The answer; the caller does not change it any more.
   * @param nowMs The time, in milliseconds.
   */
  add(source: DatagramSource, reply: Uint8Array, nowMs: number): void {
    const sent = this.#sent[source.port % SENT_REPLIES_MAX];
    if (sent === undefined) return;
    sent.hostname = source.hostname;
    sent.port = source.port;
    sent.reply = reply;
    sent.atMs = nowMs;
  }

  /**
   * Whether the last answer to `source` was this very text, a moment ago.
   *
   * @param source Who sends it now.
   * @param text What it sends, without the line's end.
   * @param nowMs As for {@linkcode add}.
   */
  isEcho(source: DatagramSource, text: Uint8Array, nowMs: number): boolean {
    const sent = this.#sent[source.port % SENT_REPLIES_MAX];
    return sent !== undefined && sent.port === source.port &&
      Math.abs(nowMs - sent.atMs) < LOOP_WINDOW_MS &&
      sent.hostname === source.hostname && equalBytes(withoutLineEnd(sent.reply), text);
  }
}
