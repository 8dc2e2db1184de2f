/**
 * The server's log: one line an event, as text for people or JSON for machines. Modules take their
 * logger from `@logtape/logtape`; here the program says where the lines go.
 *
 * @module
 */

import { configureSync, jsonLinesFormatter, type LogLevel, type LogRecord } from "@logtape/logtape";
import { safeText } from "../lib/term/text.ts";

/** Levels of `--log-level`. */
export const LOG_LEVELS = ["debug", "info", "warning", "error"] as const;

/** Formats of `--log-format`. */
export const LOG_FORMATS = ["text", "json"] as const;

/** How the log is written. */
export interface LogOptions {
  /** The least level that is written. */
  readonly level: typeof LOG_LEVELS[number];
  /** The form of a line. */
  readonly format: typeof LOG_FORMATS[number];
  /** Takes each line, ended with `\n`. */
  readonly write: (line: string) => void;
}

/** Starts the log of this process. */
export function startLog(options: LogOptions): void {
  const format = options.format === "json" ? jsonLinesFormatter : formatText;
  configureSync({
    sinks: { lines: (record) => options.write(format(record)) },
    loggers: [
      { category: "trivet", lowestLevel: options.level satisfies LogLevel, sinks: ["lines"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["lines"] },
    ],
    reset: true,
  });
}

/** `2026-11-21T02:45:00.000Z info message`; what came from a peer cannot break the line. */
function formatText(record: LogRecord): string {
  const time = new Date(record.timestamp).toISOString();
  const message = record.message.map((part) => typeof part === "string" ? part : String(part));
  return `${time} ${record.level} ${safeText(message.join(""))}\n`;
}
