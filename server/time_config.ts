/**
 * The options of `trivetd serve` that are about the time services; a part of the table in `config.ts`.
 *
 * @module
 */

import { SNTP_PORT, TIME_PORT } from "../lib/clock/ports.ts";
import { ANSWERS_BURST, ANSWERS_PER_SECOND } from "../lib/clock/rate_limit.ts";
import type { OptionTable, ValuesOf } from "../lib/term/command.ts";
import type { TimeOptions } from "./clock/service.ts";

const PORT_MAX = 65_535;
const RATE_MAX = 1_000_000_000;

/** See the module. */
export const TIME_SERVE_OPTIONS = {
  "time-port": {
    kind: "integer",
    valueName: "PORT",
    env: "TRIVETD_TIME_PORT",
    default: String(TIME_PORT),
    min: 0,
    max: PORT_MAX,
    help: "UDP port of the text time service; 0 takes any free one",
  },
  "sntp-port": {
    kind: "integer",
    valueName: "PORT",
    env: "TRIVETD_SNTP_PORT",
    default: String(SNTP_PORT),
    min: 0,
    max: PORT_MAX,
    help: "UDP port of SNTP; 123 is NTP's own and often needs privileges",
  },
  "daytime-port": {
    kind: "integer",
    valueName: "PORT",
    env: "TRIVETD_DAYTIME_PORT",
    min: 0,
    max: PORT_MAX,
    help: "TCP and UDP port of DAYTIME, RFC 867; its own is 13 (default: off)",
  },
  "rfc868-port": {
    kind: "integer",
    valueName: "PORT",
    env: "TRIVETD_RFC868_PORT",
    min: 0,
    max: PORT_MAX,
    help: "TCP and UDP port of TIME, RFC 868; its own is 37 (default: off)",
  },
  tz: {
    kind: "string",
    valueName: "ZONE",
    env: "TRIVETD_TZ",
    help: "Time zone of the time services, such as Asia/Shanghai (default: this machine's)",
  },
  locale: {
    kind: "string",
    valueName: "LOCALE",
    env: "TRIVETD_LOCALE",
    help: "Language of the text time service, such as zh_CN (default: C, which is English)",
  },
  "time-rate": {
    kind: "integer",
    valueName: "N",
    env: "TRIVETD_TIME_RATE",
    default: String(ANSWERS_PER_SECOND),
    min: 0,
    max: RATE_MAX,
    help: "Answers a second from each time service to one source; 0 is no limit",
  },
  "time-burst": {
    kind: "integer",
    valueName: "N",
    env: "TRIVETD_TIME_BURST",
    default: String(ANSWERS_BURST),
    min: 1,
    max: RATE_MAX,
    help: "Answers from each time service to one source at once",
  },
  "kiss-of-death": {
    kind: "boolean",
    env: "TRIVETD_KISS_OF_DEATH",
    help: "Tell SNTP clients that ask too often to ask less",
  },
  "ntp-mirror": {
    kind: "string",
    valueName: "HOST",
    env: "TRIVETD_NTP_MIRROR",
    help: "NTP server of this machine, such as 127.0.0.1, whose stratum SNTP takes over",
  },
} as const satisfies OptionTable;

/**
 * Turns option values into the set-up of the time services.
 *
 * @param values What the command line and the environment say.
 */
export function toTimeOptions(values: ValuesOf<typeof TIME_SERVE_OPTIONS>): TimeOptions {
  const { tz, locale } = values;
  const daytimePort = values["daytime-port"];
  const rfc868Port = values["rfc868-port"];
  const ntpMirror = values["ntp-mirror"];
  return {
    timePort: values["time-port"],
    sntpPort: values["sntp-port"],
    answersPerSecond: values["time-rate"],
    answersBurst: values["time-burst"],
    kissOfDeath: values["kiss-of-death"],
    ...(daytimePort === undefined ? {} : { daytimePort }),
    ...(rfc868Port === undefined ? {} : { rfc868Port }),
    ...(tz === undefined ? {} : { zone: tz }),
    ...(locale === undefined ? {} : { locale }),
    ...(ntpMirror === undefined ? {} : { ntpMirror }),
  };
}
