/**
 * `trivet time sync`: measures this machine's clock against an NTP server.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import type { ClientContext } from "./context.ts";
import { SYNC_OPTIONS } from "./time_options.ts";

/** See the module. */
export const timeSyncCommand = defineCommand({
  name: "sync",
  summary: "Measure this machine's clock; it is never set",
  description:
    "Asks the SNTP service of the Trivet server, or any NTP server that --server names on the command " +
    "line, several times and shows what the exchange with the shortest delay says. The offset is that " +
    "of the server's clock: with + this clock is behind. However unequal the ways there and back are, the " +
    "offset is wrong by the error at most.",
  examples: [
    { command: "trivet time sync", does: "Measure against the Trivet server" },
    {
      command: "trivet time sync --server pool.ntp.org --interval 2s",
      does: "Against a public one",
    },
    { command: "trivet time sync --max-offset 100ms", does: "End with exit code 1 when it is off" },
  ],
  options: SYNC_OPTIONS,
  arguments: {},
  run: async (context: ClientContext, { values, sources }) => {
    const { syncTime } = await import("./time_measuring.ts");
    return await syncTime(context, { values, sources });
  },
});
