/**
 * The commands of `trivetd`.
 *
 * @module
 */

import { defineProgram } from "../lib/term/command.ts";
import { VERSION } from "../lib/version.ts";
import { inviteCommand } from "./commands/invite.ts";
import { serveCommand } from "./commands/serve.ts";
import { userCommand } from "./commands/user.ts";

/** See the module. */
export const TRIVETD = defineProgram({
  name: "trivetd",
  version: VERSION,
  summary: "Trivet's server: a netdisk and a clock for your own network",
  examples: [{ command: "trivetd serve", does: "Serve this machine on port 9000" }],
  globalOptions: {
    json: { kind: "boolean", env: "TRIVETD_JSON", help: "Print results as one JSON document" },
    quiet: { kind: "boolean", short: "q", env: "TRIVETD_QUIET", help: "Print errors only" },
    "no-color": { kind: "boolean", env: "TRIVETD_NO_COLOR", help: "Print without colours" },
  },
  commands: [serveCommand, inviteCommand, userCommand],
});
