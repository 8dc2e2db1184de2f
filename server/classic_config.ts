/**
 * The options of `trivetd serve` that are about the classic netdisk protocol; a part of the table in
 * `config.ts`.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";
import { formatDuration } from "../lib/term/format.ts";
import type { OptionTable, ValuesOf } from "../lib/term/command.ts";
import type { ClassicOptions } from "./classic/service.ts";
import { LOGIN_TIMEOUT_MS } from "./connection.ts";

const PORT_MAX = 65_535;

/** See the module. */
export const CLASSIC_SERVE_OPTIONS = {
  classic: {
    kind: "integer",
    valueName: "PORT",
    env: "TRIVETD_CLASSIC",
    min: 0,
    max: PORT_MAX,
    help: "TCP port of the tutorials' netdisk protocol, without encryption (default: off)",
  },
  "classic-listen": {
    kind: "string",
    valueName: "HOST",
    env: "TRIVETD_CLASSIC_LISTEN",
    repeat: true,
    help: "Address to listen on for --classic (default: 127.0.0.1)",
  },
  "classic-login-timeout": {
    kind: "duration",
    valueName: "TIME",
    env: "TRIVETD_CLASSIC_LOGIN_TIMEOUT",
    default: formatDuration(LOGIN_TIMEOUT_MS),
    min: 1000,
    max: 3_600_000,
    help: "Time from connecting over --classic to being logged in; more for people who type",
  },
} as const satisfies OptionTable;

/** What {@linkcode toClassicOptions} needs besides the options. */
export interface ClassicPlan {
  /** Whether the netdisk is served at all. */
  readonly hasNetdisk: boolean;
}

/**
 * Turns option values into the set-up of the classic protocol.
 *
 * @param values What the command line and the environment say.
 * @param plan What is served.
 * @returns The set-up, or undefined when it is off.
 * @throws {TrivetError} `USAGE` when options do not go together.
 */
export function toClassicOptions(
  values: ValuesOf<typeof CLASSIC_SERVE_OPTIONS>,
  { hasNetdisk }: ClassicPlan,
): ClassicOptions | undefined {
  const { classic: port } = values;
  const hosts = values["classic-listen"];
  if (port === undefined) {
    if (hosts.length === 0) return undefined;
    throw new TrivetError("USAGE", "--classic-listen needs --classic");
  }
  if (!hasNetdisk) throw new TrivetError("USAGE", "--classic needs the netdisk");
  const loginTimeoutMs = values["classic-login-timeout"];
  return { port, loginTimeoutMs, ...(hosts.length === 0 ? {} : { hosts }) };
}
