/**
 * The options that `trivet time` and the commands below it share, declared once.
 *
 * @module
 */

import { NTP_PORT, SNTP_PORT, TIME_PORT } from "../../lib/clock/ports.ts";
import type { OptionTable, ValuesOf } from "../../lib/term/command.ts";
import { formatDuration } from "../../lib/term/format.ts";
import {
  CLOCK_TIMEOUT_MS,
  SYNC_INTERVAL_MS,
  SYNC_SAMPLES,
  SYNC_SAMPLES_MAX,
} from "../clock/limits.ts";

/** How the service is asked. */
const ASKING = {
  timeout: {
    kind: "duration",
    env: "TRIVET_TIMEOUT",
    default: formatDuration(CLOCK_TIMEOUT_MS),
    min: 10,
    max: 3_600_000,
    help: "Time for an answer, with all tries",
  },
} as const satisfies OptionTable;

/** How a time is shown, and which service is asked. */
export const TIME_OPTIONS = {
  tz: {
    kind: "string",
    valueName: "ZONE",
    env: "TRIVET_TZ",
    help: "Show it in a time zone such as Asia/Shanghai (default: the server's)",
  },
  utc: { kind: "boolean", short: "u", env: "TRIVET_UTC", help: "Show it in UTC" },
  locale: {
    kind: "string",
    valueName: "LOCALE",
    env: "TRIVET_LOCALE",
    help: "Language of names, such as zh_CN or de-DE (default: English)",
  },
  "time-port": {
    kind: "integer",
    valueName: "PORT",
    env: "TRIVET_TIME_PORT",
    min: 1,
    max: 65_535,
    default: String(TIME_PORT),
    help: "UDP port of the time service",
  },
  ...ASKING,
} as const satisfies OptionTable;

/** Values of {@linkcode TIME_OPTIONS}. */
export type TimeValues = ValuesOf<typeof TIME_OPTIONS>;

/** Which NTP server is asked, and how often. */
export const SYNC_OPTIONS = {
  samples: {
    kind: "integer",
    valueName: "N",
    env: "TRIVET_SAMPLES",
    min: 1,
    max: SYNC_SAMPLES_MAX,
    default: String(SYNC_SAMPLES),
    help: "How often the server is asked",
  },
  interval: {
    kind: "duration",
    env: "TRIVET_INTERVAL",
    max: 3_600_000,
    default: formatDuration(SYNC_INTERVAL_MS),
    help: "Time between two questions; public servers want 2s",
  },
  "max-offset": {
    kind: "duration",
    env: "TRIVET_MAX_OFFSET",
    min: 1,
    help: "End with exit code 1 when the clock is further off",
  },
  "sntp-port": {
    kind: "integer",
    valueName: "PORT",
    env: "TRIVET_SNTP_PORT",
    min: 1,
    max: 65_535,
    help:
      `UDP port of the server (default: ${SNTP_PORT}; ${NTP_PORT} for a --server on the command line)`,
  },
  ...ASKING,
} as const satisfies OptionTable;

/** Values of {@linkcode SYNC_OPTIONS}. */
export type SyncValues = ValuesOf<typeof SYNC_OPTIONS>;
