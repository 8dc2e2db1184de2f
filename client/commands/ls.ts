/**
 * `trivet ls`: lists folders.
 *
 * @module
 */

import { defineCommand } from "../../lib/term/command.ts";
import { type ClientContext, remotePath, remotePattern } from "./context.ts";

/** See the module. */
export const lsCommand = defineCommand({
  name: "ls",
  summary: "List folders",
  description:
    "Names that begin with a dot are left out without --all. A path may be a pattern, in quotes: * " +
    "and ? in a name, [a-z], {a,b}, and ** for any folders; a backslash makes such a sign a plain one.",
  examples: [
    { command: "trivet ls -l photos", does: "List a folder with sizes in bytes and times" },
    { command: "trivet ls -lhS '**/*.iso'", does: "List all ISO files, the largest first" },
  ],
  options: {
    long: {
      kind: "boolean",
      short: "l",
      env: "TRIVET_LONG",
      help: "Show type, permissions, size in bytes and time too",
    },
    all: {
      kind: "boolean",
      short: "a",
      env: "TRIVET_ALL",
      help: "Show names that begin with a dot too",
    },
    human: {
      kind: "boolean",
      short: "h",
      env: "TRIVET_HUMAN",
      help: "Show sizes as 1.5 GiB, with --long",
    },
    recursive: {
      kind: "boolean",
      short: "R",
      env: "TRIVET_LS_RECURSIVE",
      help: "List the folders below too",
    },
    "by-size": {
      kind: "boolean",
      short: "S",
      env: "TRIVET_BY_SIZE",
      help: "Show the largest first",
    },
    "by-time": {
      kind: "boolean",
      short: "t",
      env: "TRIVET_BY_TIME",
      help: "Show the newest first",
    },
    reverse: {
      kind: "boolean",
      short: "r",
      env: "TRIVET_REVERSE",
      help: "Show what would be first last",
    },
  },
  arguments: {
    path: {
      help: "Folders, files or patterns (default: the root)",
      optional: true,
      variadic: true,
      completes: "remote",
    },
  },
  run: async (context: ClientContext, invocation) => {
    const { listPaths } = await import("./listing.ts");
    const asked = invocation.arguments.path;
    const paths = asked.length === 0
      ? [remotePath(context, "")]
      : asked.map((path) => remotePattern(context, path));
    await listPaths(context, paths, invocation.values);
  },
});
