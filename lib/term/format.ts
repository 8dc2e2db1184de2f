/**
 * How amounts and times are written for people: sizes in powers of 1024, rates, durations and the
 * timestamps of a folder listing.
 *
 * @module
 */

const SIZE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Clock times beyond this say nothing to anybody: `99:59:59`. */
const CLOCK_MS_MAX = 100 * HOUR_MS - 1;

/**
 * A number of bytes with an IEC unit.
 *
 * @param bytes Bytes, not negative.
 * @returns Such as `512 B`, `1.5 GiB`, `1023.9 MiB`.
 */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 1023.95 would be rounded to 1024.0: it belongs to the next unit.
  while (unit < SIZE_UNITS.length - 1 && value >= (unit === 0 ? 1024 : 1023.95)) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? Math.floor(value) : value.toFixed(1)} ${SIZE_UNITS[unit]}`;
}

/** A number of bytes per second, such as `98.1 MiB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/**
 * A duration with its two largest units, as the command line takes it.
 *
 * @param duration_ms Milliseconds, not negative.
 * @returns Such as `250ms`, `1.5s`, `42s`, `5m`, `2h30m`, `30d`.
 */
export function formatDuration(duration_ms: number): string {
  if (duration_ms < SECOND_MS) return `${Math.floor(duration_ms)}ms`;
  if (duration_ms < 10 * SECOND_MS) {
    return `${(Math.floor(duration_ms / 100) / 10).toFixed(1).replace(/\.0$/, "")}s`;
  }
  const units = [[DAY_MS, "d"], [HOUR_MS, "h"], [MINUTE_MS, "m"], [SECOND_MS, "s"]] as const;
  const first = units.findIndex(([unit_ms]) => duration_ms >= unit_ms);
  let left_ms = duration_ms;
  let text = "";
  for (const [unit_ms, name] of units.slice(first, first + 2)) {
    const count = Math.floor(left_ms / unit_ms);
    if (count > 0) text += `${count}${name}`;
    left_ms -= count * unit_ms;
  }
  return text;
}

/**
 * A short time as a measurement gives it, with a sign where it is negative.
 *
 * @param span_ms Milliseconds, with or without a fraction.
 * @returns Such as `-12.3 µs`, `1.234 ms`, `1.500000 s`, `2h30m`.
 */
export function formatSpan(span_ms: number): string {
  const size_ms = Math.abs(span_ms);
  const sign = span_ms < 0 ? "-" : "";
  // Rounded to what is shown, 999.96 µs belongs to the next unit.
  if (size_ms < 0.999_95) return `${sign}${(size_ms * 1000).toFixed(1)} µs`;
  if (size_ms < 999.999_5) return `${sign}${size_ms.toFixed(3)} ms`;
  if (size_ms < MINUTE_MS) return `${sign}${(size_ms / SECOND_MS).toFixed(6)} s`;
  return sign + formatDuration(size_ms);
}

/**
 * A time that is left, as a clock shows it.
 *
 * @param duration_ms Milliseconds; part seconds count as whole ones.
 * @returns Such as `0:09`, `12:34`, `1:02:03`, and `--:--` for more than 99 hours.
 */
export function formatClock(duration_ms: number): string {
  if (!(duration_ms >= 0 && duration_ms <= CLOCK_MS_MAX)) return "--:--";
  const seconds = Math.ceil(duration_ms / SECOND_MS);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = `${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/**
 * A local time as `ls --time-style=long-iso` writes it.
 *
 * @param time_ms Milliseconds since 1970 in UTC.
 * @returns Such as `2026-11-21 02:45`, or question marks for what is no date.
 */
export function formatTimestamp(time_ms: number): string {
  const time = new Date(time_ms);
  if (Number.isNaN(time.getTime())) return "????-??-?? ??:??";
  const year = String(time.getFullYear()).padStart(4, "0");
  const date = `${year}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

/**
 * A number of things.
 *
 * @param count How many.
 * @param noun What one of them is called; more have an `s`.
 * @returns Such as `1 file` and `2 files`.
 */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
