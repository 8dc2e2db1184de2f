import { assertEquals } from "@std/assert";
import {
  formatBytes,
  formatClock,
  formatDuration,
  formatRate,
  formatSpan,
  formatTimestamp,
} from "../../../lib/term/format.ts";

const KIB = 1024;
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

Deno.test("formatBytes() uses IEC units and never writes 1024.0", { permissions: "none" }, () => {
  const cases: [number, string][] = [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1023.9 * KIB, "1023.9 KiB"],
    [MIB - 1, "1.0 MiB"],
    [1.5 * GIB, "1.5 GiB"],
    [Number.MAX_SAFE_INTEGER, "8.0 PiB"],
    [1024 ** 6, "1024.0 PiB"],
  ];
  for (const [bytes, text] of cases) assertEquals(formatBytes(bytes), text);
});

Deno.test("formatRate() is bytes per second", { permissions: "none" }, () => {
  assertEquals([formatRate(98.1 * MIB), formatRate(0.4)], ["98.1 MiB/s", "0 B/s"]);
});

Deno.test(
  "formatDuration() has two units that the command line takes",
  { permissions: "none" },
  () => {
    const cases: [number, string][] = [
      [0, "0ms"],
      [999, "999ms"],
      [1000, "1s"],
      [1590, "1.5s"],
      [9999, "9.9s"],
      [10_000, "10s"],
      [300_000, "5m"],
      [9_000_000, "2h30m"],
      [9_059_999, "2h30m"],
      [86_400_000 * 30, "30d"],
      [86_400_000 + 1000, "1d"],
    ];
    for (const [duration_ms, text] of cases) assertEquals(formatDuration(duration_ms), text);
  },
);

Deno.test("formatSpan() chooses the unit that a person reads", { permissions: "none" }, () => {
  const cases: [number, string][] = [
    [0, "0.0 µs"],
    [0.0123, "12.3 µs"],
    [-0.0123, "-12.3 µs"],
    [0.999_94, "999.9 µs"],
    [0.999_96, "1.000 ms"],
    [1.2345, "1.234 ms"],
    [-250, "-250.000 ms"],
    [999.999_4, "999.999 ms"],
    [999.999_6, "1.000000 s"],
    [1500, "1.500000 s"],
    [59_999, "59.999000 s"],
    [60_000, "1m"],
    [-9_000_000, "-2h30m"],
  ];
  for (const [span_ms, text] of cases) assertEquals(formatSpan(span_ms), text);
});

Deno.test("formatClock() rounds up and gives up above 99 hours", { permissions: "none" }, () => {
  const cases: [number, string][] = [
    [0, "0:00"],
    [1, "0:01"],
    [9000, "0:09"],
    [754_000, "12:34"],
    [3_723_000, "1:02:03"],
    [359_999_000, "99:59:59"],
    [360_000_000, "--:--"],
    [Infinity, "--:--"],
    [NaN, "--:--"],
    [-1, "--:--"],
  ];
  for (const [duration_ms, text] of cases) assertEquals(formatClock(duration_ms), text);
});

Deno.test("formatTimestamp() is local time as ls writes it", { permissions: "none" }, () => {
  assertEquals(formatTimestamp(new Date(2026, 10, 21, 2, 45, 59).getTime()), "2026-11-21 02:45");
  assertEquals(formatTimestamp(new Date(2026, 0, 1, 23, 5).getTime()), "2026-01-01 23:05");
  assertEquals(formatTimestamp(NaN), "????-??-?? ??:??");
});
