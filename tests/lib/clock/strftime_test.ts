import { assert, assertEquals, assertThrows } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { MOMENT_SECONDS_MAX, MOMENT_SECONDS_MIN } from "../../../lib/clock/moment.ts";
import {
  FIELD_WIDTH_MAX,
  strftime,
  TEXT_MAX_BYTES,
  TimeFormat,
} from "../../../lib/clock/strftime.ts";
import { fixedZone, type ZoneSpan } from "../../../lib/clock/zone.ts";
import { EXCLUSIONS } from "./strftime_formats.ts";

const permissions = "none";

const SECOND_NS = 1_000_000_000n;
/** 2023-11-14 22:13:20.123456789, a Tuesday. */
const NOVEMBER = 1_700_000_000_123_456_789n;
/** 2024-03-03 04:05:06, a Sunday. */
const MARCH = 1_709_438_706_000_000_000n;

function check(epochNs: bigint, cases: Readonly<Record<string, string>>) {
  for (const [format, text] of Object.entries(cases)) {
    assertEquals(strftime(format, epochNs), text, format);
  }
}

Deno.test("strftime() writes every specifier", { permissions }, () => {
  check(NOVEMBER, {
    "%a %A": "Tue Tuesday",
    "%b %B %h": "Nov November Nov",
    "%c": "Tue Nov 14 22:13:20 2023",
    "%C %d %D": "20 14 11/14/23",
    "%e %F": "14 2023-11-14",
    "%g %G": "23 2023",
    "%H %I": "22 10",
    "%j": "318",
    "%k %l": "22 10",
    "%m %M": "11 13",
    "a%nb": "a\nb",
    "%N": "123456789",
    "%p %P": "PM pm",
    "%q": "4",
    "%r %R": "10:13:20 PM 22:13",
    "%s": "1700000000",
    "%S": "20",
    "a%tb": "a\tb",
    "%T": "22:13:20",
    "%u %w": "2 2",
    "%U %V %W": "46 46 46",
    "%x %X": "11/14/23 22:13:20",
    "%y %Y": "23 2023",
    "%z %:z %::z %:::z": "+0000 +00:00 +00:00:00 +00",
    "%Z": "UTC",
    "100%%": "100%",
  });
  check(MARCH, {
    "%e|%k|%l": " 3| 4| 4",
    "%I %p": "04 AM",
    "%u %w": "7 0",
    "%U %W %V": "09 09 09",
    "%j": "063",
    "%q": "1",
  });
});

Deno.test("strftime() minds flags and widths", { permissions }, () => {
  check(MARCH, {
    "%-d %_d %0e %+d": "3  3 03 03",
    "%_-d %-_d %-0d": "3  3 03",
    "%5d %_5d %-5d %05e": "00003     3 3 00003",
    "%1d": "3",
    "%10a|%-10a|%010a": "       Sun|Sun|0000000Sun",
    "%^a %#a %^B %#Z %^#p %#p": "SUN SUN MARCH utc am am",
    "%^c": "SUN MAR  3 04:05:06 2024",
    "%12T|%012R": "    04:05:06|000000004:05",
    "%-D %_D": "03/03/24 03/03/24",
    "%3n|": "  \n|",
    "%12F %_12F %+12F %-12F": "002024-03-03   2024-03-03 +02024-03-03 2024-03-03",
    "%+Y %+6Y %+3C": "2024 +02024 +20",
    "%8z %_8z %-z %_:z": "+0000000       +0 +0  +0:00",
    "%20s": "00000000001709438706",
  });
  check(NOVEMBER, {
    "%3N %12N %_12N %1N": "123 123456789000 123456789    1",
    "%-N": "123456789",
  });
  check(500_000_000n, { "%-3N|%_3N|%-N": "5|5  |500000000" });
});

Deno.test("strftime() minds E and O where the C library does", { permissions }, () => {
  check(MARCH, {
    "%Ec|%EC|%Ex|%EX|%Ey|%EY": "Sun Mar  3 04:05:06 2024|20|03/03/24|04:05:06|24|2024",
    "%Od|%Oe|%OH|%Ok|%Om|%Oy|%OB": "03| 3|04| 4|03|24|March",
    "%5Od|%-Od|%05Od": "   03|03|00003",
    "%Ed %EF %OY %OA %EN": "%Ed %EF %OY %OA %EN",
    "%Oz %8Oz": "+0000    +0000",
  });
});

Deno.test("strftime() leaves what is no conversion as it is", { permissions }, () => {
  check(MARCH, {
    "": "",
    "plain text, 星期, 🕐": "plain text, 星期, 🕐",
    "%f %J %Q %!": "%f %J %Q %!",
    "%": "%",
    "100%": "100%",
    "%5": "   %5",
    "%E": "%E",
    "%+": "%+",
    "%:": "%:",
    "%:d %::::z": "%:d %::::z",
    "%^q %^f": "1 %^F",
    "%5%d": "   %503",
    "%5é|%05Q": "  %5é|0%05Q",
    "%-_0^#+5EOQ": "%-_0^#+5EOQ",
  });
});

Deno.test("strftime() counts years before 1 and after 9999 as GNU date does", {
  permissions,
}, () => {
  check(-62_167_219_201n * SECOND_NS, {
    "%Y %C %y %G %F": "-001 -0 01 -001 -001-12-31",
    "%6Y|%_6Y|%-Y": "-00001|    -1|-1",
    "%c": "Fri Dec 31 23:59:59 -1",
    "%x|%EC|%Ey": "12/31/99|-1|99",
  });
  check(-62_135_596_800n * SECOND_NS, {
    "%Y %F %-F %c": "0001 0001-01-01 1-01-01 Mon Jan  1 00:00:00 1",
  });
  check(253_402_300_800n * SECOND_NS, {
    "%Y %F %+Y %11F": "10000 +10000-01-01 +10000 10000-01-01",
  });
  check(MOMENT_SECONDS_MIN * SECOND_NS, {
    "%F %T %s": "-2147481748-01-01 00:00:00 -67768040609740800",
  });
});

Deno.test("strftime() writes offsets and abbreviations of the zone", { permissions }, () => {
  const monrovia = fixedZone("Africa/Monrovia", -2670, "MMT");
  const written = strftime("%z %:z %::z %:::z %Z %#Z %T", 0n, { zone: monrovia });
  assertEquals(written, "-0044 -00:44 -00:44:30 -00:44:30 MMT mmt 23:15:30");
  // Where nobody had a clock, the IANA database has "-00" (RFC 9636 §3.2).
  const nobody = fixedZone("Antarctica/Palmer", 0, "-00");
  assertEquals(strftime("%z %:z %Z", 0n, { zone: nobody }), "-0000 -00:00 -00");
  const india = strftime("%T %z %:::z %-z %Oz", 0n, { zone: "Asia/Kolkata" });
  assertEquals(india, "05:30:00 +0530 +05:30 +530 +0530");
  assertEquals(strftime("%T %Z", 0n, { zone: "+05:30" }), "05:30:00 +0530");
});

Deno.test("strftime() writes words of a language, and pads them by bytes", { permissions }, () => {
  const options = { zone: "Asia/Shanghai", locale: "zh_CN.UTF-8" };
  assertEquals(strftime("%A %B %p %12A", NOVEMBER, options), "星期三 十一月 上午    星期三");
  assertEquals(strftime("%A %^b", MARCH, { locale: "de" }), "Sonntag MÄR");
});

Deno.test("strftime() refuses a zone and a locale that are none", { permissions }, () => {
  for (const options of [{ zone: "Mars/Olympus" }, { locale: "nonsense!" }]) {
    const error = assertThrows(() => strftime("", 0n, options), TrivetError);
    assertEquals(error.code, "USAGE");
  }
});

Deno.test("strftime() refuses an instant beyond GNU's years", { permissions }, () => {
  for (const seconds of [MOMENT_SECONDS_MAX + 1n, MOMENT_SECONDS_MIN - 1n]) {
    assertThrows(() => strftime("%Y", seconds * SECOND_NS), RangeError, "is too far");
  }
});

Deno.test("strftime() makes fields as wide as the limit", { permissions }, () => {
  const length = (format: string, fieldWidthMax?: number) =>
    strftime(format, MARCH, fieldWidthMax === undefined ? {} : { fieldWidthMax }).length;
  for (const letter of "aCdFNnsTzZQ") {
    assertEquals(length(`%63${letter}`, 64), 63, letter);
    assertEquals(length(`%64${letter}`, 64), 64, letter);
    assertEquals(length(`%65${letter}`, 64), 64, letter);
  }
  assertEquals(length("%99999999999999999999d"), FIELD_WIDTH_MAX);
  assertEquals(length(`%${FIELD_WIDTH_MAX - 1}d`), FIELD_WIDTH_MAX - 1);
});

Deno.test("strftime() cuts at the limit, between two characters", { permissions }, () => {
  const cut = (format: string, lengthMaxBytes: number) =>
    strftime(format, MARCH, { lengthMaxBytes });
  assertEquals([cut("%Y-%m", 7), cut("%Y-%m", 6)], ["2024-03", "2024-0"]);
  assertEquals(["星期", "星", "星", "星", ""], [6, 5, 4, 3, 2].map((max) => cut("星期", max)));
  assertEquals(["🕐", ""], [4, 3].map((max) => cut("🕐", max)));
  assertEquals(["é", ""], [2, 1].map((max) => cut("é", max)));
  assertEquals(cut("%Y", 0), "");
  assertEquals(strftime("%1000d".repeat(100), MARCH).length, TEXT_MAX_BYTES);
});

Deno.test("TimeFormat.format() writes one instant after the other", { permissions }, () => {
  const format = new TimeFormat("%F %T %Z", { zone: "Europe/Paris" });
  assertEquals(format.format(NOVEMBER), "2023-11-14 23:13:20 CET");
  assertEquals(format.format(MARCH + 10_000_000n * SECOND_NS), "2024-06-26 23:51:46 CEST");
  assertEquals(format.format(NOVEMBER), "2023-11-14 23:13:20 CET");
});

Deno.test("TimeFormat.hasFraction says whether the text changes within a second", {
  permissions,
}, () => {
  const formats = ["%T", "%T.%N", "%3N", "%%N", "%ON", "%EN", "%s", "%c"];
  const expected = [false, true, true, false, true, false, false, false];
  assertEquals(formats.map((format) => new TimeFormat(format).hasFraction), expected);
});

/** The same text as in docs/time.md, "Differences from GNU date". */
const DIFFERENCES: Readonly<Record<string, string>> = {
  "%1025d": "3".padStart(FIELD_WIDTH_MAX, "0"),
  "%O:z": "+00:00",
  "%5Oq": " %5Oq",
  "%#Eb": "%#Eb",
};

Deno.test("strftime() differs from GNU date where it is meant to", { permissions }, () => {
  for (const [format, text] of Object.entries(DIFFERENCES)) {
    assertEquals(strftime(format, MARCH), text, format);
    assert(EXCLUSIONS.some(({ pattern }) => pattern.test(format)), format);
  }
  for (const { pattern, reason } of EXCLUSIONS) {
    assert(Object.keys(DIFFERENCES).some((format) => pattern.test(format)), reason);
  }
  // GNU date writes 01 in the last days of a year such as -100.
  const year99 = Date.UTC(-100, 11, 31) / 1000;
  assertEquals(strftime("%F %G %g", BigInt(year99) * SECOND_NS), "-100-12-31 -099 99");
  // GNU date computes %s from what clocks show, also when they show it twice.
  const spans: ZoneSpan[] = [0, 1].map((i) => ({
    from: i === 0 ? -Infinity : 0,
    until: i === 0 ? 0 : Infinity,
    offsetSeconds: i === 0 ? 3600 : 0,
    abbreviation: "TST",
    isDst: false,
  }));
  const twice = { name: "Test", at: (time: number) => spans[time < 0 ? 0 : 1] ?? fail() };
  assertEquals(strftime("%T %s", -60n * SECOND_NS, { zone: twice }), "00:59:00 -60");
  assertEquals(strftime("%T %s", 3540n * SECOND_NS, { zone: twice }), "00:59:00 3540");
  // The C library counts no daylight saving time after year 5 881 580, and no year above 2^31 - 1.
  const far = 47_824_529_341_976_352n * SECOND_NS;
  assertEquals(strftime("%F %z", far, { zone: "Europe/Paris" }), "+1515500974-07-12 +0200");
  assertEquals(strftime("%EY", MOMENT_SECONDS_MAX * SECOND_NS), "2147485547");
});

function fail(): never {
  throw new Error("there is no such stretch");
}
