/**
 * The commands of `trivetd`.
 *
 * @module
 */

import { defineProgram } from "../lib/term/command.ts";
import { VERSION } from "../lib/version.ts";
import { auditGroup } from "./commands/audit.ts";
import { configGroup } from "./commands/config.ts";
import { checkCommand } from "./commands/check.ts";
import { inviteCommand } from "./commands/invite.ts";
import { scrubCommand } from "./commands/scrub.ts";
import { execGroup } from "./commands/exec.ts";
import { keyCommand } from "./commands/key.ts";
import { serveCommand } from "./commands/serve.ts";
import { SERVE_OPTIONS } from "./config.ts";
import { sessionCommand } from "./commands/session.ts";
import { userCommand } from "./commands/user.ts";

/** See the module. */
export const TRIVETD = defineProgram({
  name: "trivetd",
  version: VERSION,
  summary: "Trivet's server: a netdisk and a clock for your own network",
  examples: [{ command: "trivetd serve", does: "Serve this machine on port 9000" }],
  globalOptions: {
    config: {
      kind: "path",
      valueName: "FILE",
      env: "TRIVETD_CONFIG",
      help: "Config file in TOML: one key for each option of serve, named as the option",
    },
    "no-input": { kind: "boolean", env: "TRIVETD_NO_INPUT", help: "Never ask anything" },
    json: { kind: "boolean", env: "TRIVETD_JSON", help: "Print results as one JSON document" },
    quiet: { kind: "boolean", short: "q", env: "TRIVETD_QUIET", help: "Print errors only" },
    "no-color": { kind: "boolean", env: "TRIVETD_NO_COLOR", help: "Print without colours" },
  },
  configKeys: SERVE_OPTIONS,
  commands: [
    serveCommand,
    userCommand,
    inviteCommand,
    sessionCommand,
    keyCommand,
    checkCommand,
    scrubCommand,
    execGroup,
    auditGroup,
    configGroup,
  ],
});
