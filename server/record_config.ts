/**
 * The options of `trivetd serve` that are about what is written down: log files and the audit log; a
 * part of the table in `config.ts`.
 *
 * @module
 */

import type { OptionTable, ValuesOf } from "../lib/term/command.ts";
import type { AuditOptions } from "./audit.ts";

/** Smallest size at which a file may begin anew, in bytes: some lines must fit. */
export const LOG_FILE_MIN_BYTES = 4096;

/** Most older files of one kind. */
const OLDER_FILES_MAX = 1000;

/** See the module. */
export const RECORD_SERVE_OPTIONS = {
  "log-file": {
    kind: "path",
    valueName: "FILE",
    env: "TRIVETD_LOG_FILE",
    help: "Log into this file instead of stderr",
  },
  "log-file-size": {
    kind: "bytes",
    valueName: "SIZE",
    env: "TRIVETD_LOG_FILE_SIZE",
    default: "10M",
    min: LOG_FILE_MIN_BYTES,
    help: "Size at which the log file and the audit log begin anew",
  },
  "log-files": {
    kind: "integer",
    valueName: "N",
    env: "TRIVETD_LOG_FILES",
    default: "5",
    min: 0,
    max: OLDER_FILES_MAX,
    help: "Older files to keep, of the log file and of the audit log",
  },
  audit: {
    kind: "path",
    valueName: "on|off|FILE",
    env: "TRIVETD_AUDIT",
    default: "on",
    help: "Audit log of logins and changes; on: log/audit.jsonl in the data folder",
  },
} as const satisfies OptionTable;

/** Values of {@linkcode RECORD_SERVE_OPTIONS}. */
export type RecordValues = ValuesOf<typeof RECORD_SERVE_OPTIONS>;

/**
 * Turns option values into the set-up of the audit log.
 *
 * @param values What the command line, the environment and the config file say.
 * @returns Nothing when it is off.
 */
export function toAuditOptions(values: RecordValues): AuditOptions | undefined {
  if (values.audit === "off") return undefined;
  const rotation = { maxBytes: values["log-file-size"], olderFiles: values["log-files"] };
  return values.audit === "on" ? rotation : { ...rotation, path: values.audit };
}
