/**
 * The words of dates: those of the C locale, and those of other languages from the runtime's
 * Unicode data, with the order in which a language writes dates and times.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";

/** The words of a locale, and its formats in the letters of strftime. */
export interface TimeNames {
  /** BCP 47 tag for case changes, `undefined` for the C locale. */
  readonly tag?: string;
  /** `%A`, from Sunday. */
  readonly weekdays: readonly string[];
  /** `%a`, from Sunday. */
  readonly weekdaysShort: readonly string[];
  /** `%B`: as in a date, where many languages have another form. */
  readonly months: readonly string[];
  /** `%OB`: as it stands alone. */
  readonly monthsAlone: readonly string[];
  /** `%b`, `%h` and `%Ob`. */
  readonly monthsShort: readonly string[];
  /** `%p`: before and after noon. */
  readonly dayPeriods: readonly [string, string];
  /** What `%c` stands for. */
  readonly dateTime: string;
  /** What `%x` stands for. */
  readonly date: string;
  /** What `%X` stands for. */
  readonly time: string;
  /** What `%r` stands for. */
  readonly time12: string;
}

const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;

const WEEKDAYS = [
  "Sunday",
  "Monday",
  "Tuesday",
  "Wednesday",
  "Thursday",
  "Friday",
  "Saturday",
] as const;

/** The C locale (POSIX, "LC_TIME Category in the POSIX Locale"). */
export const C_NAMES: TimeNames = {
  weekdays: WEEKDAYS,
  weekdaysShort: WEEKDAYS.map((name) => name.slice(0, 3)),
  months: MONTHS,
  monthsAlone: MONTHS,
  monthsShort: MONTHS.map((name) => name.slice(0, 3)),
  dayPeriods: ["AM", "PM"],
  // The C library writes the years of these its own way, as %EY and %Ey do.
  dateTime: "%a %b %e %H:%M:%S %EY",
  date: "%m/%d/%Ey",
  time: "%H:%M:%S",
  time12: "%I:%M:%S %p",
};

/** Locales whose words are kept: servers and clients use one or two. */
const KEPT_MAX = 64;

const kept = new Map<string, TimeNames>();

const DAY_MS = 86_400_000;
/** A Sunday, January 1. */
const SUNDAY_MS = Date.UTC(2023, 0, 1);
/** March 5, 09:07:08: numbers of one digit show where a language wants two. */
const SAMPLE_MS = Date.UTC(2023, 2, 5, 9, 7, 8);

const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit" } as const;

/**
 * Checks the name of a locale.
 *
 * @param locale BCP 47 tag such as `zh-CN`, or POSIX name such as `zh_CN.UTF-8` or `C`.
 * @returns The tag, or `C`.
 * @throws {TrivetError} `USAGE` If the runtime has no words of this locale.
 */
export function checkLocale(locale: string): string {
  const [name = "", modifier] = locale.replace(/\.[^@]*/, "").split("@");
  if (name === "C" || name === "POSIX") return "C";
  const [language = "", ...rest] = name.split(/[_-]/);
  // The modifiers of the C library that mean something here are scripts.
  const script = modifier === "latin" ? ["Latn"] : modifier === "cyrillic" ? ["Cyrl"] : [];
  try {
    const tag = [language, ...script, ...rest].join("-");
    const [found] = Intl.DateTimeFormat.supportedLocalesOf(tag);
    if (found !== undefined) return found;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw new TrivetError("USAGE", `Cannot use locale "${locale}": there is none of this name`);
}

/**
 * The words of a locale.
 *
 * @param locale As for {@linkcode checkLocale}; the C locale without it.
 * @returns The words.
 * @throws {TrivetError} `USAGE` If the runtime has no words of this locale.
 */
export function timeNames(locale = "C"): TimeNames {
  const found = kept.get(locale);
  if (found !== undefined) return found;
  const tag = checkLocale(locale);
  const names = tag === "C" ? C_NAMES : namesOf(tag);
  if (kept.size >= KEPT_MAX) kept.clear();
  kept.set(locale, names);
  return names;
}

function namesOf(tag: string): TimeNames {
  const days = WEEKDAYS.map((_, i) => SUNDAY_MS + i * DAY_MS);
  const months = MONTHS.map((_, i) => Date.UTC(2023, i, 5));
  const monthsAlone = months.map(texts(tag, { month: "long" }));
  const inDate = months.map((time) => {
    const parts = partsOf(tag, { month: "long", day: "numeric" }, time);
    return parts.find(({ type }) => type === "month")?.value ?? "";
  });
  const dayPeriod = (hour: number) => {
    const parts = partsOf(tag, { hour: "numeric", hour12: true }, SUNDAY_MS + hour * 3_600_000);
    return parts.find(({ type }) => type === "dayPeriod")?.value ?? "";
  };
  return {
    tag,
    weekdays: days.map(texts(tag, { weekday: "long" })),
    weekdaysShort: days.map(texts(tag, { weekday: "short" })),
    // Some languages write a number in dates, which is no name.
    months: inDate.map((name, i) => /^\d*$/.test(name) ? monthsAlone[i] ?? "" : name),
    monthsAlone,
    monthsShort: months.map(texts(tag, { month: "short" })),
    dayPeriods: [dayPeriod(9), dayPeriod(21)],
    dateTime: formatOf(tag, {
      weekday: "short",
      year: "numeric",
      month: "short",
      day: "2-digit",
      ...CLOCK,
    }),
    date: formatOf(tag, { year: "numeric", month: "2-digit", day: "2-digit" }),
    time: formatOf(tag, CLOCK),
    time12: formatOf(tag, { ...CLOCK, hour12: true }),
  };
}

function dateFormat(tag: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const fixed = { calendar: "gregory", numberingSystem: "latn", timeZone: "UTC" };
  return new Intl.DateTimeFormat(tag, { ...options, ...fixed });
}

function texts(tag: string, options: Intl.DateTimeFormatOptions): (time: number) => string {
  const format = dateFormat(tag, options);
  return (time) => plain(format.format(time));
}

function partsOf(
  tag: string,
  options: Intl.DateTimeFormatOptions,
  time: number,
): Intl.DateTimeFormatPart[] {
  const parts = dateFormat(tag, options).formatToParts(time);
  return parts.map(({ type, value }) => ({ type, value: plain(value) }));
}

/** Unicode's data has spaces that do not break; people search and compare with plain ones. */
function plain(text: string): string {
  return text.replace(/[\u00a0\u202f]/g, " ");
}

/** How a language writes a date or time, as a format of strftime. */
function formatOf(tag: string, options: Intl.DateTimeFormatOptions): string {
  const parts = partsOf(tag, options, SAMPLE_MS);
  const is12 = parts.some(({ type }) => type === "dayPeriod");
  return parts.map(({ type, value }) => {
    const flag = value.length === 1 ? "-" : "";
    if (type === "year") return "%EY";
    if (type === "month") return /^\d+$/.test(value) ? `%${flag}m` : "%b";
    if (type === "day") return `%${flag}d`;
    if (type === "weekday") return "%a";
    if (type === "hour") return `%${flag}${is12 ? "I" : "H"}`;
    if (type === "minute") return "%M";
    if (type === "second") return "%S";
    if (type === "dayPeriod") return "%p";
    return value.replaceAll("%", "%%");
  }).join("");
}
