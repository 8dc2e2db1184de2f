/**
 * `trivet time watch`: shows the time again and again.
 *
 * @module
 */

import { defineCommand, type OptionTable } from "../../lib/term/command.ts";
import type { ClientContext } from "./context.ts";
import { TIME_OPTIONS } from "./time_options.ts";

const WATCH_OPTIONS = {
  every: {
    kind: "duration",
    env: "TRIVET_EVERY",
    min: 100,
    max: 86_400_000,
    default: "10s",
    help: "Time between two lines",
  },
  count: {
    kind: "integer",
    valueName: "N",
    env: "TRIVET_COUNT",
    min: 1,
    help: "End after so many lines",
  },
  ...TIME_OPTIONS,
} as const satisfies OptionTable;

/** See the module. */
export const timeWatchCommand = defineCommand({
  name: "watch",
  summary: "Show the time every ten seconds",
  description:
    "Without FORMAT it sends this machine's own time in seconds since 1970 and shows what the server " +
    "makes of it; with FORMAT, --tz, --utc or --locale it shows the server's clock as trivet time does. " +
    "An answer that does not come is one line on stderr. --json needs --count. The exit code is 5 when no " +
    "answer came at all.",
  examples: [
    { command: "trivet time watch", does: "Show a line every ten seconds until Ctrl-C" },
    {
      command: "trivet time watch %T --every 1s --count 5",
      does: "Show the server's clock five times",
    },
  ],
  options: WATCH_OPTIONS,
  arguments: { format: { help: "As for trivet time", optional: true } },
  run: async (context: ClientContext, { values, sources, arguments: { format } }) => {
    const { watchTime } = await import("./time_watching.ts");
    return await watchTime(context, { format, values, sources });
  },
});
