/**
 * An instant as the clocks and calendars of a zone show it: what strftime's fields are made of.
 *
 * @module
 */

import { civilFromDays, CYCLE_DAYS, DAY_S, daysOfYear, weekdayOf } from "./civil.ts";
import { type Zone, ZONE_SECONDS_MAX, type ZoneSpan } from "./zone.ts";

const SECOND_NS = 1_000_000_000n;
const CYCLE_S = CYCLE_DAYS * DAY_S;

/** First second that can be shown: the year is GNU's lowest, -2 147 481 748. */
export const MOMENT_SECONDS_MIN = -67_768_040_609_740_800n;

/** Last second that can be shown: the year is GNU's highest, 2 147 485 547. */
export const MOMENT_SECONDS_MAX = 67_768_036_191_676_799n;

/** The stretch before the first instant, which is in none. */
const NO_SPAN: ZoneSpan = {
  from: Infinity,
  until: -Infinity,
  offsetSeconds: 0,
  abbreviation: "UTC",
  isDst: false,
};

/** The fields of an instant. One object is moved from instant to instant, so nothing is allocated. */
export class Moment {
  /** Year; 0 comes before 1, and negative ones before that. */
  year = 1970;
  /** Month, 1 to 12. */
  month = 1;
  /** Day of the month, 1 to 31. */
  day = 1;
  /** Hour, 0 to 23. */
  hour = 0;
  /** Minute, 0 to 59. */
  minute = 0;
  /** Second, 0 to 59. */
  second = 0;
  /** Nanoseconds of the second. */
  nanoseconds = 0;
  /** Weekday, 0 for Sunday to 6. */
  weekday = 4;
  /** Day of the year, 0 to 365. */
  yearDay = 0;
  /** Whole seconds since 1970, rounded down. */
  epochSeconds = 0n;

  readonly #zone: Zone;
  #span = NO_SPAN;

  /** Stands at 1970 in UTC until it is moved. */
  constructor(zone: Zone) {
    this.#zone = zone;
  }

  /** Seconds that local time is ahead of UTC. */
  get offsetSeconds(): number {
    return this.#span.offsetSeconds;
  }

  /** Abbreviation of the zone. */
  get abbreviation(): string {
    return this.#span.abbreviation;
  }

  /**
   * Sets every field.
   *
   * @param epochNs Nanoseconds since 1970.
   * @throws {RangeError} If the instant is before {@linkcode MOMENT_SECONDS_MIN} or after
   * {@linkcode MOMENT_SECONDS_MAX}.
   */
  move(epochNs: bigint): void {
    let seconds = epochNs / SECOND_NS;
    let nanoseconds = Number(epochNs - seconds * SECOND_NS);
    if (nanoseconds < 0) {
      nanoseconds += 1e9;
      seconds -= 1n;
    }
    if (seconds < MOMENT_SECONDS_MIN || seconds > MOMENT_SECONDS_MAX) {
      throw new RangeError(`Cannot show instant: ${seconds} s from 1970 is too far`);
    }
    const cycles = cyclesBeyond(seconds);
    const near = Number(cycles === 0 ? seconds : seconds - BigInt(cycles) * BigInt(CYCLE_S));
    if (near < this.#span.from || near >= this.#span.until) this.#span = this.#zone.at(near);
    this.#setFields(near + this.#span.offsetSeconds);
    this.year += cycles * 400;
    this.nanoseconds = nanoseconds;
    this.epochSeconds = seconds;
  }

  #setFields(localSeconds: number): void {
    const days = Math.floor(localSeconds / DAY_S);
    const rest = localSeconds - days * DAY_S;
    const { year, month, day } = civilFromDays(days);
    this.year = year;
    this.month = month;
    this.day = day;
    this.hour = rest / 3600 | 0;
    this.minute = (rest / 60 | 0) % 60;
    this.second = rest % 60;
    this.weekday = weekdayOf(days);
    this.yearDay = days - daysOfYear(year);
  }
}

/**
 * How many times 400 years an instant has to be moved to be near enough for {@linkcode Zone.at}.
 * The calendar, the weekdays and the rules of zones are the same there.
 */
function cyclesBeyond(seconds: bigint): number {
  const far = Number(seconds);
  if (far > ZONE_SECONDS_MAX) return Math.ceil((far - ZONE_SECONDS_MAX) / CYCLE_S);
  if (far < -ZONE_SECONDS_MAX) return Math.floor((far + ZONE_SECONDS_MAX) / CYCLE_S);
  return 0;
}
