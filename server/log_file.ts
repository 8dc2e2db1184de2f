/**
 * The log in a file instead of on stderr.
 *
 * @module
 */

import type { RecordValues } from "./record_config.ts";
import { RotatingFile } from "./rotating_file.ts";

/** Takes lines of the log. */
export interface LogWriter extends Disposable {
  /** Takes a line, ended with `\n`. Never throws. */
  write(line: string): void;
}

/**
 * Opens what the log is written to.
 *
 * @param values What the command line, the environment and the config file say.
 * @param toStderr Takes the lines where there is no file, and those that the file cannot take.
 * @throws {TrivetError} `FAILED` when the file cannot be opened.
 */
export function openLogWriter(
  values: Pick<RecordValues, "log-file" | "log-file-size" | "log-files">,
  toStderr: (line: string) => void,
): LogWriter {
  const path = values["log-file"];
  if (path === undefined) return { write: toStderr, [Symbol.dispose]: () => {} };
  const file = RotatingFile.open(path, {
    maxBytes: values["log-file-size"],
    olderFiles: values["log-files"],
  });
  return {
    write: (line) => {
      try {
        file.write(line);
      } catch {
        toStderr(line);
      }
    },
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}
