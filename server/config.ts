/**
 * The options of `trivetd serve`, declared once: help, checks and environment variables come from
 * this table.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";
import type { OptionTable, ValuesOf } from "../lib/term/command.ts";
import { formatDuration } from "../lib/term/format.ts";
import { DEFAULT_PORT } from "../lib/link/address.ts";
import { NAME_RULES } from "../lib/netdisk/path.ts";
import { CHAT_SERVE_OPTIONS, toChatOptions } from "./chat_config.ts";
import { CLASSIC_SERVE_OPTIONS, toClassicOptions } from "./classic_config.ts";
import { KEEP_PARTIALS_MS, KEEP_TRASH_MS } from "./care/expiry.ts";
import { defaultDataFolder } from "./data_folder.ts";
import { EXEC_SERVE_OPTIONS, toExecOptions } from "./exec_config.ts";
import { LIMIT_SERVE_OPTIONS, toLimitOptions } from "./limit_config.ts";
import { LOG_FORMATS, LOG_LEVELS } from "./log.ts";
import { DEFAULT_QUOTA_BYTES } from "./netdisk_service.ts";
import { RECORD_SERVE_OPTIONS, toAuditOptions } from "./record_config.ts";
import { hasMembers, type ServeOptions, type ServiceName } from "./serve.ts";
import { TIME_SERVE_OPTIONS, toTimeOptions } from "./time_config.ts";

const PORT_MAX = 65_535;

/** See the module. */
export const SERVE_OPTIONS = {
  data: {
    kind: "path",
    valueName: "DIR",
    env: "TRIVETD_DATA",
    help: "Data folder; made at the first start (default: trivet in the XDG data folder)",
  },
  listen: {
    kind: "string",
    valueName: "HOST",
    env: "TRIVETD_LISTEN",
    repeat: true,
    help: "Address to listen on, or unix:PATH with --plain (default: 127.0.0.1)",
  },
  port: {
    kind: "integer",
    valueName: "PORT",
    env: "TRIVETD_PORT",
    default: String(DEFAULT_PORT),
    min: 0,
    max: PORT_MAX,
    help: "TCP port; 0 takes any free one",
  },
  plain: {
    kind: "boolean",
    env: "TRIVETD_PLAIN",
    help: "Serve without TLS, on loopback and Unix sockets only",
  },
  cert: {
    kind: "path",
    valueName: "FILE",
    env: "TRIVETD_CERT",
    help: "Certificate chain in PEM to use instead of the server's own; needs --key",
  },
  key: {
    kind: "path",
    valueName: "FILE",
    env: "TRIVETD_KEY",
    help: "Private key in PEM for --cert",
  },
  direct: {
    kind: "choice",
    choices: ["on", "off"],
    env: "TRIVETD_DIRECT",
    default: "on",
    help: "Faster transfers: a port of its own, any free one, for each that a client asks for",
  },
  "require-key": {
    kind: "boolean",
    env: "TRIVETD_REQUIRE_KEY",
    help: "Let nobody log in or register without a machine key; see trivetd key",
  },
  registration: {
    kind: "choice",
    choices: ["open", "closed"],
    env: "TRIVETD_REGISTRATION",
    help: "Whether people may make accounts (default: open on loopback, closed elsewhere)",
  },
  "default-quota": {
    kind: "bytes",
    valueName: "SIZE",
    env: "TRIVETD_DEFAULT_QUOTA",
    default: `${DEFAULT_QUOTA_BYTES / 1024 ** 3}G`,
    min: 0,
    help: "Quota of new accounts",
  },
  names: {
    kind: "choice",
    choices: NAME_RULES,
    env: "TRIVETD_NAMES",
    default: "native",
    help:
      "File names: all that this system can store, or only those that Windows and macOS can too",
  },
  ...LIMIT_SERVE_OPTIONS,
  ...CLASSIC_SERVE_OPTIONS,
  "keep-partials": {
    kind: "duration",
    env: "TRIVETD_KEEP_PARTIALS",
    default: formatDuration(KEEP_PARTIALS_MS),
    min: 0,
    help: "Remove partial uploads that were not touched for so long; 0 is never",
  },
  "keep-trash": {
    kind: "duration",
    env: "TRIVETD_KEEP_TRASH",
    default: formatDuration(KEEP_TRASH_MS),
    min: 0,
    help: "Delete what has been in the trash for so long; 0 is never",
  },
  ...CHAT_SERVE_OPTIONS,
  ...TIME_SERVE_OPTIONS,
  ...EXEC_SERVE_OPTIONS,
  "log-level": {
    kind: "choice",
    choices: LOG_LEVELS,
    env: "TRIVETD_LOG_LEVEL",
    default: "info",
    help: "Least level that is logged",
  },
  "log-format": {
    kind: "choice",
    choices: LOG_FORMATS,
    env: "TRIVETD_LOG_FORMAT",
    default: "text",
    help: "Form of the log",
  },
  ...RECORD_SERVE_OPTIONS,
} as const satisfies OptionTable;

/** Values of {@linkcode SERVE_OPTIONS}. */
export type ServeValues = ValuesOf<typeof SERVE_OPTIONS>;

/** What {@linkcode toServeOptions} needs besides the options. */
export interface ServePlan {
  /** The environment, for the default data folder. */
  readonly env: (name: string) => string | undefined;
  /** What is served. */
  readonly services: readonly ServiceName[];
}

/** An address, or an IPv6 one in brackets, with a port behind it. */
const ADDRESS_AND_PORT = /^(?!unix:)(?:[^:]+|\[.*\]):\d+$/;

/**
 * Turns option values into a server's set-up.
 *
 * @param values What the command line and the environment say.
 * @param plan What is served, and where.
 * @throws {TrivetError} `USAGE` when options do not go together.
 */
export function toServeOptions(
  values: ServeValues,
  { env, services }: ServePlan,
): ServeOptions {
  const { cert, key } = values;
  const audit = toAuditOptions(values);
  const exec = toExecOptions(values);
  if ((cert === undefined) !== (key === undefined)) {
    throw new TrivetError("USAGE", "--cert and --key go together");
  }
  if (values.plain && cert !== undefined) {
    throw new TrivetError("USAGE", "--plain and --cert do not go together");
  }
  const withPort = values.listen.find((place) => ADDRESS_AND_PORT.test(place));
  if (withPort !== undefined) {
    throw new TrivetError(
      "USAGE",
      `--listen takes an address alone, not "${withPort}": add --port`,
    );
  }
  const classic = toClassicOptions(values, { hasNetdisk: services.includes("netdisk") });
  if (values["require-key"] && classic !== undefined) {
    throw new TrivetError("USAGE", "--require-key and --classic do not go together");
  }
  return {
    services,
    time: toTimeOptions(values),
    chat: toChatOptions(values),
    ...(hasMembers(services) ? { data: values.data ?? defaultDataFolder(env) } : {}),
    port: values.port,
    plain: values.plain,
    direct: values.direct === "on",
    requireKey: values["require-key"],
    defaultQuotaBytes: values["default-quota"],
    names: values.names,
    ...toLimitOptions(values),
    ...(audit === undefined ? {} : { audit }),
    ...(classic === undefined ? {} : { classic }),
    keepPartialsMs: values["keep-partials"],
    keepTrashMs: values["keep-trash"],
    ...(exec === undefined ? {} : { exec }),
    ...(values.listen.length === 0 ? {} : { listen: values.listen }),
    ...(cert === undefined || key === undefined ? {} : { tls: { certFile: cert, keyFile: key } }),
    ...(values.registration === undefined ? {} : { registration: values.registration }),
  };
}
