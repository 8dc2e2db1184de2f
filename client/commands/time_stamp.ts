/**
 * `trivet time stamp`: shows what instants are as dates and times.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import type { ClientContext } from "./context.ts";
import { TIME_OPTIONS } from "./time_options.ts";

/** See the module. */
export const timeStampCommand = defineCommand({
  name: "stamp",
  summary: "Show seconds since 1970 as dates and times",
  description:
    "Without arguments the numbers come from stdin, one in each line. The server formats, in its own " +
    "zone; with --tz, --utc or --locale they are formatted here and no server is needed. Numbers before " +
    '1970 stand behind "--".',
  examples: [
    { command: "trivet time stamp 0 1700000000.5", does: "Show two instants" },
    { command: "trivet time stamp --utc -- -1", does: "Show the last second of 1969" },
    { command: "cut -f1 log | trivet time stamp", does: "Show the instants of a file" },
  ],
  options: TIME_OPTIONS,
  arguments: {
    seconds: {
      help: "Seconds since 1970, with or without decimals",
      optional: true,
      variadic: true,
    },
  },
  run: async (context: ClientContext, { values, sources, arguments: { seconds } }) => {
    const { showStamps } = await import("./time_show.ts");
    await showStamps(context, { seconds, values, sources });
  },
});
