/**
 * The rule that a time zone follows from some year on: the `TZ` string of POSIX, which ends every
 * file of the IANA database (RFC 9636 §3.3), such as `CET-1CEST,M3.5.0,M10.5.0/3`.
 *
 * @module
 */

import { civilFromDays, DAY_S, daysOfYear, isLeapYear, weekdayOf } from "./civil.ts";
import type { ZoneSpan } from "./zone.ts";

/** A day of every year, and the local time on it. */
export interface YearDay {
  /** `Jn` that skips February 29, `n` that does not, or `Mm.w.d`. */
  readonly kind: "julian" | "zero" | "weekday";
  /** Day of the year, or the weekday. */
  readonly day: number;
  /** Month, 1 to 12; 0 where the day is one of the year. */
  readonly month: number;
  /** Which of the month's: 1 to 4, or 5 for the last; 0 where the day is one of the year. */
  readonly week: number;
  /** Seconds of local time after midnight, up to a week before or behind it. */
  readonly seconds: number;
}

/** Offset and name of standard or daylight saving time. */
export interface RuleClock {
  /** Seconds that local time is ahead of UTC. */
  readonly offsetSeconds: number;
  /** Such as `CEST`. */
  readonly abbreviation: string;
}

/** What a `TZ` string says. */
export interface ZoneRule {
  /** Standard time. */
  readonly standard: RuleClock;
  /** Daylight saving time, if there is any, and when it begins and ends. */
  readonly daylight?: RuleClock & { readonly begins: YearDay; readonly ends: YearDay };
}

/** A change of the clocks. */
interface Change {
  readonly at: number;
  readonly isDst: boolean;
}

const ABBREVIATION = String.raw`<[A-Za-z0-9+-]{3,30}>|[A-Za-z]{3,30}`;
const TIME = String.raw`[+-]?\d{1,3}(?::\d\d(?::\d\d)?)?`;
const DAY = String.raw`(?:J\d{1,3}|\d{1,3}|M\d{1,2}\.\d\.\d)(?:/${TIME})?`;
const RULE = new RegExp(
  `^(${ABBREVIATION})(${TIME})(?:(${ABBREVIATION})(${TIME})?(?:,(${DAY}),(${DAY}))?)?$`,
);

/** Days before each month of a common year. */
const MONTH_DAYS = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365] as const;

/**
 * Reads a `TZ` string.
 *
 * @param text Such as `EST5EDT,M3.2.0,M11.1.0` or `<+03>-3`.
 * @returns The rule, `undefined` if it is none.
 */
export function parseZoneRule(text: string): ZoneRule | undefined {
  const match = RULE.exec(text);
  if (match === null) return undefined;
  const [, name = "", offset = "0", dstName, dstOffset, begin, end] = match;
  const standard = { offsetSeconds: -secondsOf(offset), abbreviation: bare(name) };
  if (dstName === undefined) return { standard };
  // Without days, POSIX leaves them to the system; these are the ones every system takes.
  const begins = parseYearDay(begin ?? "M3.2.0");
  const ends = parseYearDay(end ?? "M11.1.0");
  if (begins === undefined || ends === undefined) return undefined;
  const offsetSeconds = dstOffset === undefined
    ? standard.offsetSeconds + 3600
    : -secondsOf(dstOffset);
  return { standard, daylight: { offsetSeconds, abbreviation: bare(dstName), begins, ends } };
}

/**
 * The stretch that an instant is in.
 *
 * @param rule A rule.
 * @param epochSeconds Seconds since 1970.
 * @returns The stretch; both ends may be those of the year where nothing changes.
 */
export function spanOfRule(rule: ZoneRule, epochSeconds: number): ZoneSpan {
  const { standard, daylight } = rule;
  if (daylight === undefined) {
    return { ...standard, from: -Infinity, until: Infinity, isDst: false };
  }
  const { year } = civilFromDays(
    Math.floor((epochSeconds + standard.offsetSeconds) / DAY_S),
  );
  // A change near New Year may lie, in UTC, in the year before or after its own.
  const changes: Change[] = [];
  for (const each of [year - 1, year, year + 1]) {
    const begin = changeAt(daylight.begins, each) - standard.offsetSeconds;
    const end = changeAt(daylight.ends, each) - daylight.offsetSeconds;
    changes.push({ at: begin, isDst: true }, { at: end, isDst: false });
  }
  // At the same second the begin counts: that is how a rule says "always daylight saving time".
  changes.sort((a, b) => a.at - b.at || Number(a.isDst) - Number(b.isDst));
  const next = changes.findIndex(({ at }) => at > epochSeconds);
  const before = changes[next - 1];
  const from = before?.at ?? epochSeconds;
  const until = changes[next]?.at ?? epochSeconds + 1;
  const { offsetSeconds, abbreviation } = before?.isDst === true ? daylight : standard;
  return { from, until, offsetSeconds, abbreviation, isDst: before?.isDst === true };
}

function bare(name: string): string {
  return name.startsWith("<") ? name.slice(1, -1) : name;
}

function secondsOf(text: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = text.replace(/^[+-]/, "").split(":").map(Number);
  const all = hours * 3600 + minutes * 60 + seconds;
  return text.startsWith("-") ? -all : all;
}

function parseYearDay(text: string): YearDay | undefined {
  const [day = "", time = "2"] = text.split("/");
  const seconds = secondsOf(time);
  if (day.startsWith("M")) {
    const [month = 0, week = 0, weekday = 0] = day.slice(1).split(".").map(Number);
    if (month < 1 || month > 12 || week < 1 || week > 5 || weekday > 6) return undefined;
    return { kind: "weekday", day: weekday, month, week, seconds };
  }
  const isJulian = day.startsWith("J");
  const number = Number(isJulian ? day.slice(1) : day);
  if (number > 365 || (isJulian && number < 1)) return undefined;
  return { kind: isJulian ? "julian" : "zero", day: number, month: 0, week: 0, seconds };
}

/** The instant of a change as seconds of local time since 1970. */
function changeAt(rule: YearDay, year: number): number {
  return (daysOfYear(year) + yearDayOf(rule, year)) * DAY_S + rule.seconds;
}

function yearDayOf({ kind, day, month, week }: YearDay, year: number): number {
  const leapDay = isLeapYear(year) ? 1 : 0;
  if (kind === "zero") return day;
  // Julian days never count February 29.
  if (kind === "julian") return day - 1 + (day > 59 ? leapDay : 0);
  const first = (MONTH_DAYS[month - 1] ?? 0) + (month > 2 ? leapDay : 0);
  const end = (MONTH_DAYS[month] ?? 0) + (month > 1 ? leapDay : 0);
  const firstWeekday = weekdayOf(daysOfYear(year) + first);
  const found = first + (day - firstWeekday + 7) % 7 + (week - 1) * 7;
  return found >= end ? found - 7 : found;
}
