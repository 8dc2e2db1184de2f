/**
 * The calendar of an instant: the proleptic Gregorian date, the weekday and the ISO week, by
 * arithmetic on numbers, since strftime needs them for every text it makes.
 *
 * @module
 */

/** Seconds of a day; clocks of this kind know no leap seconds. */
export const DAY_S = 86_400;

/** Days of 400 years, after which dates and weekdays repeat. */
export const CYCLE_DAYS = 146_097;

/** Days from 0000-03-01, where the arithmetic begins, to 1970-01-01. */
const MARCH_0000_DAYS = 719_468;

/** A date. */
export interface CivilDate {
  /** Year; 0 comes before 1, and negative ones before that. */
  readonly year: number;
  /** Month, 1 to 12. */
  readonly month: number;
  /** Day of the month, 1 to 31. */
  readonly day: number;
}

/** A week of ISO 8601 and the year it counts to. */
export interface IsoWeek {
  /** The year that has the week's Thursday. */
  readonly year: number;
  /** Number of the week, 1 to 53. */
  readonly week: number;
}

/**
 * The date of a day. Years begin in March, so that the leap day is the last of a year; the lengths
 * of the months are then a straight line with a slope of 30.6 days.
 *
 * @param days Days since 1970-01-01.
 * @returns The date.
 */
export function civilFromDays(days: number): CivilDate {
  const shifted = days + MARCH_0000_DAYS;
  const cycle = Math.floor(shifted / CYCLE_DAYS);
  const dayOfCycle = shifted - cycle * CYCLE_DAYS;
  const yearOfCycle = (dayOfCycle - (dayOfCycle / 1460 | 0) + (dayOfCycle / 36_524 | 0) -
        (dayOfCycle / 146_096 | 0)) / 365 | 0;
  const dayOfYear = dayOfCycle - (365 * yearOfCycle + (yearOfCycle / 4 | 0) -
    (yearOfCycle / 100 | 0));
  const marchMonth = (5 * dayOfYear + 2) / 153 | 0;
  const day = dayOfYear - ((153 * marchMonth + 2) / 5 | 0) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return { year: yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0), month, day };
}

/**
 * The first day of a year.
 *
 * @param year Any year.
 * @returns Days from 1970-01-01 to January 1 of it.
 */
export function daysOfYear(year: number): number {
  const before = year - 1;
  return 365 * before + Math.floor(before / 4) - Math.floor(before / 100) +
    Math.floor(before / 400) + 1 - (MARCH_0000_DAYS - 305);
}

/** Whether a year has a February 29. */
export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** The weekday of a day counted from 1970-01-01: 0 for Sunday to 6 for Saturday. */
export function weekdayOf(days: number): number {
  return modulo(days + 4, 7);
}

/**
 * The week of ISO 8601: weeks begin on Monday, and the first of a year has its first Thursday.
 *
 * @param year Year of the day.
 * @param yearDay Day of the year, from 0.
 * @param weekday Weekday, 0 for Sunday.
 * @returns The week and its year.
 */
export function isoWeekOf(year: number, yearDay: number, weekday: number): IsoWeek {
  const thursday = yearDay + 4 - (weekday === 0 ? 7 : weekday);
  if (thursday < 0) {
    return { year: year - 1, week: weekAt(thursday + (isLeapYear(year - 1) ? 366 : 365)) };
  }
  const yearDays = isLeapYear(year) ? 366 : 365;
  if (thursday >= yearDays) return { year: year + 1, week: weekAt(thursday - yearDays) };
  return { year, week: weekAt(thursday) };
}

function weekAt(yearDay: number): number {
  return (yearDay / 7 | 0) + 1;
}

/** The remainder from 0 up, never -0. */
function modulo(value: number, divisor: number): number {
  return (value % divisor + divisor) % divisor;
}
