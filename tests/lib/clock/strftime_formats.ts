/** Random formats and instants for comparing strftime with GNU date, and what is left out. */

import { civilFromDays } from "../../../lib/clock/civil.ts";
import { type Zone, ZONE_SECONDS_MAX } from "../../../lib/clock/zone.ts";

/** Letters that GNU date knows. */
export const SPECIFIERS = [..."aAbBcCdDeFgGhHIjklmMnNpPqrRsStTuUVwWxXyYzZ%"] as const;

/** What else may stand behind `%`: it comes out as it is. */
const UNKNOWN = [..."fiJKLoQv!&.,;?@[]{}~é星😀 "] as const;

/** All flags. */
export const FLAGS = [..."-_0^#+"] as const;

const SECOND_NS = 1_000_000_000n;

/** Seconds of the years that GNU date and the C library both count right: up to 2^31 - 1. */
const FAR_SECONDS = 67_767_976_000_000_000;

/** Seconds of the year 5 800 000. Soon after it glibc's rules of daylight saving time overflow. */
const RULED_SECONDS = 183_000_000_000_000;

/** A difference from GNU date that is meant: listed in docs/time.md and pinned by a test. */
export interface Exclusion {
  readonly pattern: RegExp;
  /** Why Trivet differs. */
  readonly reason: string;
}

/** What the comparison leaves out. */
export const EXCLUSIONS: readonly Exclusion[] = [
  {
    pattern: /%[-_0^#+]*[1-9]\d{3,}/,
    reason: "Fields wider than a limit are made as wide as the limit",
  },
  {
    pattern: /%[-_0^#+]*\d*O:+z/,
    reason: "GNU date drops the z of %O:z where the offset is not negative",
  },
  {
    pattern: /%[-_0^#+\d]+Oq/,
    reason: "GNU date drops the flags and the width of %Oq, which is no conversion",
  },
  {
    pattern: /%[-_0^+]*#[-_0^#+]*\d*E[bBh]/,
    reason: "GNU date writes %#Eb, which is no conversion, in upper case",
  },
];

/**
 * Whether clocks show an instant's time twice, both times as standard or both as daylight saving time.
 * GNU date makes %s from what clocks show, and takes one of the two: such instants are left out of
 * formats with %s.
 */
export function isShownTwice(epochNs: bigint, zone: Zone): boolean {
  const seconds = Number(epochNs / SECOND_NS);
  if (Math.abs(seconds) > ZONE_SECONDS_MAX - 86_400) return false;
  const here = zone.at(seconds);
  const before = here.from > -Infinity ? zone.at(here.from - 1) : here;
  const after = here.until < Infinity ? zone.at(here.until) : here;
  const isSecond = before.isDst === here.isDst &&
    seconds - 1 - here.from < before.offsetSeconds - here.offsetSeconds;
  const isFirst = after.isDst === here.isDst &&
    here.until - seconds <= here.offsetSeconds - after.offsetSeconds;
  return isFirst || isSecond;
}

/**
 * Whether an instant is in the last days of a year such as -100, whose last days are in a week of -99.
 * GNU date writes 01 for the %g of that instead of 99: such instants are left out of formats with %g.
 */
export function isEndOfCenturyBefore0(epochNs: bigint): boolean {
  const { year, month, day } = civilFromDays(
    Math.floor(Number(epochNs / SECOND_NS) / 86_400),
  );
  // A day more on both sides, for the zones.
  return year < 0 && year % 100 === 0 && month === 12 && day >= 28 ||
    year <= 0 && year % 100 === 1 - 100 && month === 1 && day === 1;
}

/** Random numbers from 0 to 1 that a seed repeats (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = state + 0x6d2b79f5 | 0;
    let mixed = Math.imul(state ^ state >>> 15, state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  };
}

/** Makes random formats, each of many conversions. */
export class FormatSource {
  readonly #random: () => number;
  /** What was made: letters with modifiers, `%Od`, and with each flag or width, `_ d`, `12 d`. */
  readonly made = new Set<string>();

  /** Draws from a source of random numbers. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** One of a list. */
  pick<T>(list: readonly T[]): T {
    const picked = list[Math.floor(this.#random() * list.length)];
    if (picked === undefined) throw new RangeError("Cannot pick from an empty list");
    return picked;
  }

  /** A whole number from `low` to `high`. */
  between(low: number, high: number): number {
    return low + Math.floor(this.#random() * (high - low + 1));
  }

  /** Texts that make a format when joined: conversions with literal text between them. */
  format(conversions: number): string[] {
    const parts: string[] = [];
    while (parts.length < conversions) {
      const text = this.#chance(0.06) ? this.#noise() : this.#conversion();
      const literal = this.pick(["|", " ", "", ", ", "年", "Ö-", "🕐"]);
      // Noise may go on with what the part before it began.
      const joined = (parts.at(-1) ?? "") + text;
      if (EXCLUSIONS.some(({ pattern }) => pattern.test(joined))) continue;
      parts.push(text + literal);
    }
    // A percent sign at the end is a conversion without a letter.
    return this.#chance(0.1) ? [...parts, this.pick(["%", "%5", "%_", "%E", "%:"])] : parts;
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  #conversion(): string {
    const flags = Array.from(
      { length: this.pick([0, 0, 0, 0, 1, 1, 1, 2, 3]) },
      () => this.pick(FLAGS),
    );
    const width = this.#width();
    const modifier = this.pick(["", "", "", "E", "O"]);
    const letter = this.#chance(0.04) ? this.pick(UNKNOWN) : this.pick(SPECIFIERS);
    const colons = letter === "z" ? this.pick(["", "", ":", "::", ":::", "::::"]) : "";
    for (const each of [...flags, width]) this.made.add(`${each} ${letter}`);
    this.made.add(`%${modifier}${colons}${letter}`);
    return `%${flags.join("")}${width}${modifier}${colons}${letter}`;
  }

  #width(): string {
    if (this.#chance(0.6)) return "";
    if (this.#chance(0.8)) return String(this.between(1, 12));
    return String(this.#chance(0.8) ? this.between(13, 40) : this.between(41, 400));
  }

  /** Text that is nearly a conversion. */
  #noise(): string {
    const letters = [..."%%%-_0^#+EO:123dYzNé"];
    return Array.from({ length: this.between(1, 7) }, () => this.pick(letters)).join("");
  }

  /** Instants in nanoseconds since 1970, near and far, and around the changes of a zone's clocks. */
  instants(count: number, zone: Zone): bigint[] {
    return Array.from({ length: count }, () => this.#instant(zone));
  }

  #instant(zone: Zone): bigint {
    const seconds = this.#seconds(zone);
    const ns = this.pick([0, 5e8, 1, 999_999_999, 120_000_000, this.between(0, 999_999_999)]);
    return BigInt(seconds) * SECOND_NS + BigInt(ns);
  }

  #seconds(zone: Zone): number {
    const near = () => this.between(-4e9, 8e9);
    switch (this.between(0, 7)) {
      case 0:
        return this.between(1.5e9, 1.9e9);
      case 1:
      case 2:
        return near();
      case 3: {
        const { from, until } = zone.at(near());
        const change = this.pick([from, until]);
        return Math.abs(change) === Infinity ? near() : change + this.pick([-1, 0, 1]);
      }
      case 4: {
        // Around New Year, where the weeks of three countings begin and end.
        const year = this.between(-9999, 9999);
        return Date.UTC(2000, 0, 1) / 1000 + Math.floor((year - 2000) * 365.2425) * 86_400 +
          this.between(-6 * 86_400, 6 * 86_400);
      }
      case 5:
        return this.between(-377_705_116_800, 253_402_300_799);
      case 6:
        return this.between(-8.64e12, 8.64e12);
      default: {
        const hasRules = zone.at(ZONE_SECONDS_MAX - 1).until < Infinity;
        return this.between(-FAR_SECONDS, hasRules ? RULED_SECONDS : FAR_SECONDS);
      }
    }
  }
}
