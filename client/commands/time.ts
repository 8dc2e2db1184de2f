/**
 * `trivet time`: shows the server's time.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import type { ClientContext } from "./context.ts";
import { TIME_OPTIONS } from "./time_options.ts";
import { timeStampCommand } from "./time_stamp.ts";
import { timeSyncCommand } from "./time_sync.ts";
import { timeWatchCommand } from "./time_watch.ts";

/** See the module. */
export const timeCommand = defineCommand({
  name: "time",
  summary: "Show the server's time, or measure this clock against it",
  description:
    "No account is needed. The server formats, in its own zone; with --tz, --utc or --locale its clock " +
    "is asked and the time is formatted here, in the zone of this machine where none is named. The " +
    "port of --server is that of the netdisk; the time service has --time-port.",
  examples: [
    { command: "trivet time", does: "Show the server's date and time" },
    { command: "trivet time '%A, %H:%M' --tz Asia/Shanghai --locale zh_CN", does: "In Chinese" },
    { command: "trivet time sync --max-offset 100ms", does: "Fail when this clock is off" },
  ],
  options: TIME_OPTIONS,
  arguments: {
    format: { help: "As for date, such as %H:%M:%S (default: %Y-%m-%d %X)", optional: true },
  },
  subcommands: [timeSyncCommand, timeStampCommand, timeWatchCommand],
  run: async (context: ClientContext, { values, sources, arguments: { format } }) => {
    const { showTime } = await import("./time_show.ts");
    await showTime(context, { format, values, sources });
  },
});
