/**
 * Time zones as the runtime knows them, for systems without files of the IANA database. The offsets
 * are the same; an abbreviation is one of Unicode's where it has one, else the offset.
 *
 * @module
 */

import {
  checkZone,
  numericAbbreviation,
  type Zone,
  ZONE_SECONDS_MAX,
  type ZoneSpan,
  zoneWithoutRules,
} from "./zone.ts";

/** Each English has the abbreviations in use where it is spoken, and hardly any other. */
const LOCALES = ["en-US", "en-GB", "en-CA", "en-AU", "en-IN", "en-ZA", "en-IE"] as const;

/** What is no offset, such as `GMT+1`. */
const LETTERS = /^[A-Z]{3,5}$/;

/** Zones that are kept, since the runtime takes a fraction of a millisecond for each answer. */
const KEPT_MAX = 64;

const kept = new Map<string, Zone>();

/**
 * A time zone with the rules of the runtime.
 *
 * @param name As for {@linkcode checkZone}.
 * @returns The zone.
 * @throws {TrivetError} `USAGE` If there is no such zone.
 */
export function intlZone(name: string): Zone {
  const known = checkZone(name);
  const found = zoneWithoutRules(known) ?? kept.get(known);
  if (found !== undefined) return found;
  const zone = new IntlZone(known);
  if (kept.size >= KEPT_MAX) kept.clear();
  kept.set(known, zone);
  return zone;
}

class IntlZone implements Zone {
  readonly name: string;
  #formats: readonly Intl.DateTimeFormat[] | undefined;
  #standardSeconds: number | undefined;
  #span: ZoneSpan | undefined;

  constructor(name: string) {
    this.name = name;
  }

  at(epochSeconds: number): ZoneSpan {
    const { from = Infinity, until = -Infinity } = this.#span ?? {};
    const isKept = epochSeconds >= from && epochSeconds < until;
    return this.#span = isKept && this.#span || this.#look(epochSeconds);
  }

  #look(epochSeconds: number): ZoneSpan {
    const time = timeAt(epochSeconds, this.name);
    const offsetSeconds = time.offsetNanoseconds / 1e9;
    const next = time.getTimeZoneTransition("next");
    // The one before is looked for from the next second on: this second may be its own.
    const after = Math.min(epochSeconds + 1, ZONE_SECONDS_MAX);
    const previous = timeAt(after, this.name).getTimeZoneTransition("previous");
    const isLocalMean = previous === null && next !== null;
    return {
      from: previous === null ? -Infinity : Math.floor(previous.epochMilliseconds / 1000),
      until: next === null ? Infinity : Math.floor(next.epochMilliseconds / 1000),
      offsetSeconds,
      abbreviation: isLocalMean ? "LMT" : this.#abbreviation(epochSeconds, offsetSeconds),
      isDst: offsetSeconds > this.#standard(),
    };
  }

  #abbreviation(epochSeconds: number, offsetSeconds: number): string {
    const formats = this.#formats ??= LOCALES.map((locale) =>
      new Intl.DateTimeFormat(locale, { timeZone: this.name, timeZoneName: "short" })
    );
    for (const format of formats) {
      const parts = format.formatToParts(epochSeconds * 1000);
      const found = parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
      if (LETTERS.test(found)) return found;
    }
    return numericAbbreviation(offsetSeconds);
  }

  /** The smaller offset of winter and summer, in a year that has both where there still are both. */
  #standard(): number {
    return this.#standardSeconds ??= Math.min(
      ...[1_704_067_200, 1_719_792_000].map((at) => timeAt(at, this.name).offsetNanoseconds / 1e9),
    );
  }
}

function timeAt(epochSeconds: number, zone: string): Temporal.ZonedDateTime {
  return new Temporal.ZonedDateTime(BigInt(epochSeconds) * 1_000_000_000n, zone);
}
