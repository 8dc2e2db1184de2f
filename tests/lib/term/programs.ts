/**
 * A small program for the tests of the command table.
 *
 * @module
 */

import { defineCommand, defineProgram } from "../../../lib/term/command.ts";

/** What the commands of the test program report to. */
export interface Log {
  readonly entries: unknown[];
}

const put = defineCommand({
  name: "put",
  summary: "Upload a file",
  description: "What is there already is verified and not sent again.",
  options: {
    recursive: { kind: "boolean", short: "r", help: "Upload folders" },
    "limit-rate": {
      kind: "rate",
      short: "l",
      min: 1024,
      env: "DEMO_LIMIT_RATE",
      help: "Send no faster than this",
    },
    overwrite: {
      kind: "choice",
      choices: ["replace", "skip", "fail"],
      default: "replace",
      valueName: "POLICY",
      help: "What to do with a file that exists",
    },
    offset: { kind: "integer", min: -10, max: 10, help: "Where to begin" },
    exclude: { kind: "string", repeat: true, env: "DEMO_EXCLUDE", help: "Leave out such names" },
    trace: { kind: "boolean", hidden: true, help: "Say more" },
  },
  arguments: {
    local: { help: "File to upload, - for stdin" },
    remote: { help: "Where to", optional: true },
  },
  examples: [{ command: "demo put big.iso", does: "Upload big.iso" }],
  run(log: Log, { values, arguments: { local, remote } }) {
    // The types follow from the table: this would not compile otherwise.
    const rate: number | undefined = values["limit-rate"];
    const policy: "replace" | "skip" | "fail" = values.overwrite;
    const isRecursive: boolean = values.recursive;
    const exclude: readonly string[] = values.exclude;
    log.entries.push({ rate, policy, isRecursive, exclude, local: local.length, remote });
    return Promise.resolve();
  },
});

const serve = defineCommand({
  name: "serve",
  summary: "Serve",
  options: {},
  arguments: {
    services: {
      help: "Services to start",
      optional: true,
      variadic: true,
      choices: ["netdisk", "chat"],
    },
  },
  run: (_log: Log) => Promise.resolve(),
});

const addUser = defineCommand({
  name: "add",
  summary: "Add a user",
  options: { admin: { kind: "boolean", help: "May administer" } },
  arguments: { names: { help: "Names of the users", variadic: true } },
  run: (_log: Log) => Promise.resolve(4),
});

/** The test program. */
export const DEMO = defineProgram({
  name: "demo",
  version: "1.2.3",
  summary: "Shows how a table becomes a program",
  globalOptions: {
    json: { kind: "boolean", env: "DEMO_JSON", help: "Print one JSON document" },
    quiet: { kind: "boolean", short: "q", help: "Say nothing that is not needed" },
    server: { kind: "string", short: "s", env: "DEMO_SERVER", help: "Server to talk to" },
    port: {
      kind: "integer",
      short: "p",
      min: 0,
      max: 65535,
      default: "9000",
      env: "DEMO_PORT",
      help: "Port of the server",
    },
  },
  commands: [
    put,
    serve,
    { name: "user", summary: "Administer users", subcommands: [addUser] },
  ],
});

const show = defineCommand({
  name: "show",
  summary: "Show an instant",
  options: {
    zone: { kind: "string", short: "z", help: "Zone" },
    every: { kind: "duration", help: "How often" },
  },
  arguments: { instants: { help: "Instants", optional: true, variadic: true } },
  run: (_log: Log) => Promise.resolve(),
});

/** A program whose command `time` runs by itself and has others below it. */
export const CLOCK = defineProgram({
  name: "clock",
  version: "1.2.3",
  summary: "Shows a command with commands below it",
  globalOptions: { json: { kind: "boolean", help: "Print one JSON document" } },
  commands: [
    defineCommand({
      name: "time",
      summary: "Show the time",
      description: "The format is as for date.",
      options: {
        zone: { kind: "string", short: "z", help: "Zone" },
        utc: { kind: "boolean", short: "u", help: "In UTC" },
        tag: { kind: "string", repeat: true, help: "Tags" },
      },
      arguments: { format: { help: "Format", optional: true } },
      subcommands: [
        show,
        {
          name: "zones",
          summary: "Administer zones",
          subcommands: [{ ...show, name: "list" }],
        },
      ],
      run: (log: Log, { values, arguments: { format } }) => {
        // The types follow from the table beside subcommands too.
        const zone: string | undefined = values.zone;
        const isUtc: boolean = values.utc;
        log.entries.push({ zone, isUtc, format });
        return Promise.resolve();
      },
    }),
    defineCommand({
      name: "trash",
      summary: "Show the trash",
      options: {},
      arguments: {},
      subcommands: [{ ...show, name: "empty" }],
      run: (_log: Log) => Promise.resolve(),
    }),
  ],
});
