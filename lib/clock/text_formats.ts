/**
 * Requests of the text service that were seen lately, read once: what each asks for, and its answer as
 * long as that holds. A request that comes again in the same second costs a comparison of bytes.
 *
 * @module
 */

import { equalBytes, withoutLineEnd } from "./datagram_bytes.ts";
import { parseSeconds } from "./seconds.ts";
import { TimeFormat } from "./strftime.ts";
import type { WallClock } from "./wall_clock.ts";
import type { Zone } from "./zone.ts";

/** Widest field that the service writes. */
export const SERVICE_WIDTH_MAX = 64;

/** Shortest limit of a reply; from a third of this on, the limit is three times the request. */
export const REPLY_MIN_MAX_BYTES = 64;

/** A reply is at most this many times as long as its request, as RFC 9000 §8 has it. */
export const REPLY_FACTOR = 3;

/** Requests to remember. */
export const FORMATS_MAX = 1024;

/** What an empty datagram stands for. */
export const DEFAULT_FORMAT = "%Y-%m-%d %X";

/** How an instant is written. */
export const INSTANT_FORMAT = "%Y-%m-%d %H:%M:%S";

/** The form of {@linkcode INSTANT_FORMAT}; whoever sends it is a server that answers. */
const INSTANT = /^[+-]?\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d$/;

const NS_PER_MS = 1_000_000n;
const MS_PER_SECOND = 1000;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The language and place of the answers. */
export interface TextStyle {
  /** Time zone; UTC without it. */
  readonly zone?: Zone | string;
  /** Language of names; the C locale without it. */
  readonly locale?: string;
}

/**
 * The longest reply to a request.
 *
 * @param requestBytes Length of the request.
 */
export function replyMaxBytes(requestBytes: number): number {
  return Math.max(REPLY_MIN_MAX_BYTES, REPLY_FACTOR * requestBytes);
}

/** A request that was read. */
export class TextRequest {
  /** Its bytes. */
  readonly bytes: Uint8Array;
  /** Second of the answer; NaN when it holds for no other call, Infinity when it holds for ever. */
  #second = NaN;
  #reply: Uint8Array | undefined;
  #isVerbatim = false;
  readonly #text: string;
  readonly #format: TimeFormat | undefined;
  readonly #style: TextStyle;

  /**
   * Reads a request.
   *
   * @param bytes The datagram without the line's end; not kept.
   * @param style Language and place.
   */
  constructor(bytes: Uint8Array, style: TextStyle) {
    this.bytes = bytes.slice();
    this.#style = style;
    const text = decodeText(bytes);
    this.#text = text ?? "";
    const instantNs = text === undefined ? undefined : parseSeconds(text);
    const isSilent = text === undefined || INSTANT.test(text);
    if (isSilent || this.#answerInstant(instantNs)) {
      this.#second = Infinity;
    } else {
      this.#format = this.#open(text === "" ? DEFAULT_FORMAT : text);
    }
  }

  /** Whether the last answer is the request itself, because no conversion is in it. */
  get isVerbatim(): boolean {
    return this.#isVerbatim;
  }

  /**
   * The answer.
   *
   * @param second Seconds since 1970, whole.
   * @param wallNs The clock, asked only when the last answer does not hold any more.
   * @returns Never changed later; `undefined` for silence.
   */
  reply(second: number, wallNs: WallClock): Uint8Array | undefined {
    if (this.#second === second || this.#second === Infinity) return this.#reply;
    const format = this.#format;
    if (format === undefined) return undefined;
    const epochNs = wallNs();
    this.#answer(format.format(epochNs), epochNs);
    this.#second = format.hasFraction ? NaN : secondOf(epochNs);
    return this.#reply;
  }

  /** Whether the request is an instant that can be written, which is then the answer. */
  #answerInstant(instantNs: bigint | undefined): boolean {
    if (instantNs === undefined) return false;
    try {
      this.#reply = encoder.encode(this.#open(INSTANT_FORMAT).format(instantNs));
      return true;
    } catch (error) {
      // Beyond the calendar it is a text like any other.
      if (error instanceof RangeError) return false;
      throw error;
    }
  }

  #answer(text: string, epochNs: bigint): void {
    this.#isVerbatim = text === this.#text;
    const safe = this.#isVerbatim || this.#endsLoops(text, epochNs)
      ? text
      : this.#open(INSTANT_FORMAT).format(epochNs);
    this.#reply = encoder.encode(safe);
  }

  /**
   * Whether another server, should it get this answer for a request, would answer with something that
   * this one leaves unanswered: a time in the form of an instant, or the very same text. Nothing at all
   * is what DAYTIME and TIME answer.
   */
  #endsLoops(text: string, epochNs: bigint): boolean {
    const request = decodeText(withoutLineEnd(encoder.encode(text))) ?? "";
    if (!request.includes("%")) return request !== "";
    return this.#open(request).format(epochNs) === request;
  }

  #open(format: string): TimeFormat {
    return new TimeFormat(format, {
      ...this.#style,
      fieldWidthMax: SERVICE_WIDTH_MAX,
      lengthMaxBytes: replyMaxBytes(this.bytes.length),
    });
  }
}

function secondOf(epochNs: bigint): number {
  return Math.floor(Number(epochNs / NS_PER_MS) / MS_PER_SECOND);
}

function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Requests by their bytes. One with the same hash takes another's place, so there are never more. */
export class TextRequests {
  readonly #kept: (TextRequest | undefined)[] = new Array(FORMATS_MAX).fill(undefined);
  /** Most ask for the same. */
  #last: TextRequest | undefined;
  readonly #style: TextStyle;

  /**
   * Makes an empty table.
   *
   * @param style Language and place of the answers.
   */
  constructor(style: TextStyle) {
    this.#style = style;
  }

  /** Number of requests that are remembered. */
  get size(): number {
    return this.#kept.reduce((sum, request) => sum + (request === undefined ? 0 : 1), 0);
  }

  /**
   * Finds a request, or reads it.
   *
   * @param bytes The datagram without the line's end; not kept.
   */
  find(bytes: Uint8Array): TextRequest {
    const last = this.#last;
    if (last !== undefined && equalBytes(last.bytes, bytes)) return last;
    return this.#last = this.#look(bytes);
  }

  #look(bytes: Uint8Array): TextRequest {
    // FNV-1a, 32 bits (draft-eastlake-fnv).
    let hash = 0x811c9dc5;
    for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
    const at = (hash ^ hash >>> 16) & (FORMATS_MAX - 1);
    const kept = this.#kept[at];
    if (kept !== undefined && equalBytes(kept.bytes, bytes)) return kept;
    return this.#kept[at] = new TextRequest(bytes, this.#style);
  }
}
