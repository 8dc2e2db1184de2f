import { assertEquals, assertThrows } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { C_NAMES, checkLocale, timeNames } from "../../../lib/clock/time_names.ts";

const permissions = "none";

Deno.test("checkLocale() takes BCP 47 and POSIX names", { permissions }, () => {
  const cases = {
    "zh-CN": "zh-CN",
    "zh_CN.UTF-8": "zh-CN",
    "de_DE.ISO-8859-1@euro": "de-DE",
    "sr_RS@latin": "sr-Latn-RS",
    "fr": "fr",
    "C": "C",
    "C.UTF-8": "C",
    "POSIX": "C",
  };
  for (const [name, tag] of Object.entries(cases)) assertEquals(checkLocale(name), tag, name);
});

Deno.test("checkLocale() refuses everything else", { permissions }, () => {
  for (const name of ["", "xx-YY", "nonsense!", "../C", "de_", "x".repeat(1000), "c"]) {
    const error = assertThrows(() => checkLocale(name), TrivetError, "Cannot use locale");
    assertEquals(error.code, "USAGE", name);
  }
});

Deno.test("timeNames() is the C locale without a name, and keeps what it made", {
  permissions,
}, () => {
  assertEquals(timeNames(), C_NAMES);
  assertEquals(timeNames("POSIX"), C_NAMES);
  assertEquals(timeNames("de-DE") === timeNames("de-DE"), true);
});

Deno.test("timeNames() has the words of a language, from Sunday and from January", {
  permissions,
}, () => {
  const chinese = timeNames("zh-CN");
  assertEquals(chinese.weekdays[6], "星期六");
  assertEquals([chinese.months[10], chinese.monthsShort[10]], ["十一月", "11月"]);
  assertEquals(chinese.dayPeriods, ["上午", "下午"]);
  const german = timeNames("de_DE.UTF-8");
  assertEquals([german.weekdays[0], german.weekdaysShort[6]], ["Sonntag", "Sa"]);
  assertEquals([german.months[2], german.monthsShort[2]], ["März", "Mär"]);
  const polish = timeNames("pl");
  assertEquals([polish.months[0], polish.monthsAlone[0]], ["stycznia", "styczeń"]);
  // Japanese has numbers in dates and with them a sign for the month.
  assertEquals(timeNames("ja").months[0], "1月");
  // Names are counted by the Gregorian calendar in Latin digits, whatever the region uses.
  assertEquals(timeNames("fa-IR").months[0], "ژانویه");
});

Deno.test("timeNames() writes a language's order as a format", { permissions }, () => {
  const cases = {
    "de-DE": ["%d.%m.%EY", "%H:%M:%S", "%I:%M:%S %p"],
    "en-US": ["%m/%d/%EY", "%I:%M:%S %p", "%I:%M:%S %p"],
    "zh-CN": ["%EY/%m/%d", "%H:%M:%S", "%p%I:%M:%S"],
  };
  for (const [tag, formats] of Object.entries(cases)) {
    const { date, time, time12 } = timeNames(tag);
    assertEquals([date, time, time12], formats, tag);
  }
  assertEquals(timeNames("zh-CN").dateTime, "%EY年%-m月%d日%a %H:%M:%S");
});
