import { assertEquals } from "@std/assert";
import {
  civilFromDays,
  CYCLE_DAYS,
  daysOfYear,
  isLeapYear,
  isoWeekOf,
  weekdayOf,
} from "../../../lib/clock/civil.ts";

const permissions = "none";

Deno.test("civilFromDays() counts every day of 800 years and more as a calendar does", {
  permissions,
}, () => {
  let [year, month, day] = [-401, 1, 1];
  const last = daysOfYear(402);
  for (let days = daysOfYear(-401); days < last; days++) {
    assertEquals(civilFromDays(days), { year, month, day });
    const lengths = [31, isLeapYear(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    day += 1;
    if (day > (lengths[month - 1] ?? 0)) [month, day] = [month + 1, 1];
    if (month > 12) [year, month] = [year + 1, 1];
  }
});

Deno.test("civilFromDays(), daysOfYear() and weekdayOf() agree with Temporal far away", {
  permissions,
}, () => {
  const epoch = Temporal.PlainDate.from("1970-01-01");
  for (let days = -99_999_999; days < 99_999_999; days += 1_234_567) {
    const date = epoch.add({ days });
    assertEquals(civilFromDays(days), { year: date.year, month: date.month, day: date.day });
    assertEquals(weekdayOf(days), date.dayOfWeek % 7);
    assertEquals(days - daysOfYear(date.year) + 1, date.dayOfYear);
  }
});

Deno.test("weekdayOf() is never -0", { permissions }, () => {
  for (let days = -20; days < 20; days++) assertEquals(Object.is(weekdayOf(days), -0), false);
});

Deno.test("isLeapYear() follows the rule of 400 years, before year 0 too", { permissions }, () => {
  const years = [2000, 2024, 0, -4, -400, 1900, 2023, -1, -100, -300];
  assertEquals(years.map(isLeapYear), [...Array(5).fill(true), ...Array(5).fill(false)]);
});

Deno.test("isoWeekOf() agrees with Temporal around every New Year of a cycle", {
  permissions,
}, () => {
  for (let year = 1800; year < 2201; year++) {
    for (let offset = -5; offset <= 5; offset++) {
      const date = new Temporal.PlainDate(year, 1, 1).add({ days: offset });
      assertEquals(isoWeekOf(date.year, date.dayOfYear - 1, date.dayOfWeek % 7), {
        year: date.yearOfWeek,
        week: date.weekOfYear,
      });
    }
  }
  assertEquals(CYCLE_DAYS % 7, 0);
});
