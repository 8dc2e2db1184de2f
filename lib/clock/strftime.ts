/**
 * strftime as GNU date has it: every specifier, flag, width and modifier, for any instant, time zone
 * and language. A format from a stranger cannot make it fail, slow or large.
 *
 * @module
 */

import { Moment } from "./moment.ts";
import { parseFormat } from "./strftime_parse.ts";
import { compileParts } from "./strftime_piece.ts";
import type { Piece } from "./strftime_number.ts";
import { timeNames } from "./time_names.ts";
import { UTC, type Zone } from "./zone.ts";
import { intlZone } from "./zone_intl.ts";

/** Widest field when nobody says otherwise; wider ones are made as wide as this. */
export const FIELD_WIDTH_MAX = 1024;

/** Longest text when nobody says otherwise, in bytes of UTF-8. */
export const TEXT_MAX_BYTES: number = 64 * 1024;

/** Options of {@linkcode TimeFormat} and {@linkcode strftime}. */
export interface StrftimeOptions {
  /**
   * Time zone, UTC without it. A name takes the rules of the runtime; `openZone()` makes a zone with
   * the abbreviations of this system.
   */
  readonly zone?: string | Zone;
  /** Language of names: `zh-CN` or `zh_CN.UTF-8`; the C locale without it. */
  readonly locale?: string;
  /** Widest field; wider ones are made as wide as this. {@linkcode FIELD_WIDTH_MAX} by default. */
  readonly fieldWidthMax?: number;
  /**
   * Longest text in bytes of UTF-8; longer ones are cut between two characters.
   * {@linkcode TEXT_MAX_BYTES} by default.
   */
  readonly lengthMaxBytes?: number;
}

/** A format, ready to be applied to many instants. */
export class TimeFormat {
  readonly #pieces: readonly (string | Piece)[];
  readonly #moment: Moment;
  readonly #lengthMaxBytes: number;
  /** Whether the text can change within a second: whether there is a `%N`. */
  readonly hasFraction: boolean;

  /**
   * Reads a format. Every text is one: what is no conversion comes out as it is.
   *
   * @param format Text with conversions such as `%Y-%m-%d`.
   * @param options Zone, language, limits.
   * @throws {TrivetError} `USAGE` If there is no such zone or locale.
   */
  constructor(format: string, options: StrftimeOptions = {}) {
    const { zone = UTC, fieldWidthMax = FIELD_WIDTH_MAX } = options;
    const parts = parseFormat(format);
    this.#lengthMaxBytes = options.lengthMaxBytes ?? TEXT_MAX_BYTES;
    this.#pieces = compileParts(parts, { names: timeNames(options.locale), fieldWidthMax });
    this.#moment = new Moment(typeof zone === "string" ? intlZone(zone) : zone);
    this.hasFraction = parts.some((part) => typeof part !== "string" && part.specifier === "N");
  }

  /**
   * Writes an instant.
   *
   * @param epochNs Nanoseconds since 1970.
   * @returns The text.
   * @throws {RangeError} If the instant is outside of the years -2 147 481 748 to 2 147 485 547.
   */
  format(epochNs: bigint): string {
    this.#moment.move(epochNs);
    let text = "";
    for (const piece of this.#pieces) {
      text += typeof piece === "string" ? piece : piece(this.#moment);
      if (text.length > this.#lengthMaxBytes) break;
    }
    return cutToBytes(text, this.#lengthMaxBytes);
  }
}

/**
 * Writes an instant once. For many instants, or many texts a second, keep a {@linkcode TimeFormat}.
 *
 * @param format Text with conversions such as `%Y-%m-%d`.
 * @param epochNs Nanoseconds since 1970.
 * @param options Zone, language, limits.
 * @returns The text.
 * @throws {TrivetError} `USAGE` If there is no such zone or locale.
 * @throws {RangeError} If the instant is outside of the years -2 147 481 748 to 2 147 485 547.
 *
 * @example A date in China
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { strftime } from "./strftime.ts";
 *
 * const text = strftime("%F %A", 1_700_000_000_000_000_000n, {
 *   zone: "Asia/Shanghai",
 *   locale: "zh-CN",
 * });
 * assertEquals(text, "2023-11-15 星期三");
 * ```
 */
export function strftime(format: string, epochNs: bigint, options: StrftimeOptions = {}): string {
  return new TimeFormat(format, options).format(epochNs);
}

/** As many whole characters of a text as fit into some bytes of UTF-8. */
function cutToBytes(text: string, max: number): string {
  // No unit of UTF-16 takes more than three bytes.
  if (text.length * 3 <= max) return text;
  let bytes = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.codePointAt(at) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
    if (bytes > max) return text.slice(0, at);
    if (code > 0xffff) at++;
  }
  return text;
}
