/**
 * What strftime asks of a time zone: the offset and its abbreviation at an instant, and for how long
 * they hold. Where the rules come from, files of the system or the runtime, is another matter.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";

/** A stretch of time in which the clocks of a zone are not turned. */
export interface ZoneSpan {
  /** First second of it, since 1970; `-Infinity` when nothing is known before. */
  readonly from: number;
  /** First second after it; `Infinity` when nothing is known to come. */
  readonly until: number;
  /** Seconds that local time is ahead of UTC. */
  readonly offsetSeconds: number;
  /** Such as `CET`, `CEST`, `+03`, `LMT`. */
  readonly abbreviation: string;
  /** Whether it is daylight saving time. */
  readonly isDst: boolean;
}

/** A time zone. */
export interface Zone {
  /** Its name in the IANA database, or an offset such as `+05:30`. */
  readonly name: string;
  /**
   * The stretch that an instant is in.
   *
   * @param epochSeconds Seconds since 1970, whole, at most {@linkcode ZONE_SECONDS_MAX} from it.
   */
  at(epochSeconds: number): ZoneSpan;
}

/** Instants of `Temporal` reach this far from 1970, and zones are asked for no others. */
export const ZONE_SECONDS_MAX = 8_640_000_000_000;

const OFFSET = /^([+-])(\d\d):(\d\d)$/;
/** Names of the IANA database have only these; it keeps any other from ever becoming a path. */
const NAME = /^[A-Za-z0-9_+-]{1,40}(?:\/[A-Za-z0-9_+-]{1,40}){0,3}$/;

/** A zone whose clocks are never turned. */
export function fixedZone(name: string, offsetSeconds: number, abbreviation: string): Zone {
  const span = { from: -Infinity, until: Infinity, offsetSeconds, abbreviation, isDst: false };
  return { name, at: () => span };
}

/** Coordinated Universal Time. */
export const UTC: Zone = fixedZone("UTC", 0, "UTC");

/**
 * Checks the name of a time zone.
 *
 * @param name Name of the IANA database in any case, or an offset such as `+05:30`.
 * @returns The name as the database writes it.
 * @throws {TrivetError} `USAGE` If there is no such zone.
 */
export function checkZone(name: string): string {
  try {
    const known = new Temporal.ZonedDateTime(0n, name).timeZoneId;
    if (OFFSET.test(known) || NAME.test(known)) return known === "utc" ? "UTC" : known;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw new TrivetError("USAGE", `Cannot use time zone "${name}": there is none of this name`);
}

/**
 * The zone of a name that needs no rules: UTC and offsets.
 *
 * @param name What {@linkcode checkZone} returned.
 * @returns The zone, `undefined` if it has rules.
 */
export function zoneWithoutRules(name: string): Zone | undefined {
  if (name === "UTC") return UTC;
  const offset = OFFSET.exec(name);
  if (offset === null) return undefined;
  const seconds = (Number(offset[2]) * 60 + Number(offset[3])) * 60;
  const offsetSeconds = offset[1] === "-" ? -seconds : seconds;
  return fixedZone(name, offsetSeconds, numericAbbreviation(offsetSeconds));
}

/** An offset as the IANA database writes it where no letters are in use: `+03`, `-0330`. */
export function numericAbbreviation(offsetSeconds: number): string {
  const minutes = Math.floor(Math.abs(offsetSeconds) / 60);
  const two = (value: number) => String(value).padStart(2, "0");
  const rest = minutes % 60 === 0 ? "" : two(minutes % 60);
  return `${offsetSeconds < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}${rest}`;
}
