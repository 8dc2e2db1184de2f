/**
 * `trivet share`: logs in once for many commands.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import type { ClientContext } from "./context.ts";

/** Shortest time to share for, in milliseconds. */
const FOR_MIN_MS = 1000;

/** Longest one: a week. */
const FOR_MAX_MS = 7 * 24 * 60 * 60 * 1000;

/** See the module. */
export const shareCommand = defineCommand({
  name: "share",
  summary: "Keep a connection for the commands of trivet exec",
  description:
    "While it runs, trivet exec of the same account and server uses its connections and need not " +
    "connect and log in. It keeps a Unix socket in a folder that only you can enter. Ends with " +
    "Ctrl-C, or after the time of --for and the commands that run then.",
  examples: [
    { command: "trivet share --for 10m &", does: "Share for ten minutes, in the background" },
    { command: "trivet exec deploy v1.2.3", does: "Run a command over it" },
  ],
  options: {
    for: {
      kind: "duration",
      env: "TRIVET_SHARE_FOR",
      min: FOR_MIN_MS,
      max: FOR_MAX_MS,
      help: "End after this time (default: never)",
    },
  },
  arguments: {},
  run: async (context: ClientContext, { values }) => {
    const { shareConnection } = await import("./share_run.ts");
    await shareConnection(context, { forMs: values.for });
  },
});
