/**
 * `trivet sync`: makes a folder of the server like a local one, or the other way round.
 *
 * @module
 */

import { defineCommand, type OptionTable } from "../../lib/term/command.ts";
import { LINK_MODES } from "../tree/link_modes.ts";
import { type ClientContext, remotePath } from "./context.ts";
import { TRANSFER_OPTIONS } from "./transfer_options.ts";

/** Options of `sync`. */
export const SYNC_OPTIONS = {
  pull: {
    kind: "boolean",
    env: "TRIVET_PULL",
    help: "Make the local folder like the server's, not the other way round",
  },
  delete: {
    kind: "boolean",
    env: "TRIVET_DELETE",
    help: "Delete what the source does not have",
  },
  checksum: {
    kind: "boolean",
    short: "c",
    env: "TRIVET_CHECKSUM",
    help: "Compare contents, not sizes and times",
  },
  durability: TRANSFER_OPTIONS.durability,
  exclude: TRANSFER_OPTIONS.exclude,
  jobs: TRANSFER_OPTIONS.jobs,
  "dry-run": TRANSFER_OPTIONS["dry-run"],
  links: {
    kind: "choice",
    choices: LINK_MODES,
    default: "skip",
    env: "TRIVET_LINKS",
    help: "Symbolic links in the local folder: leave out, or take for what they lead to",
  },
} as const satisfies OptionTable;

/** See the module. */
export const syncCommand = defineCommand({
  name: "sync",
  summary: "Make a folder of the server like a local one, or back with --pull",
  description:
    "One way: files that differ in size, time or the executable bit are transferred, and nothing is " +
    "deleted unless --delete says so. What is deleted on the server goes into the trash; what --pull " +
    "--delete deletes here is gone.",
  examples: [
    { command: "trivet sync photos /photos", does: "Send what is new or has changed" },
    { command: "trivet sync photos /photos --delete -n", does: "Say what would be done" },
    { command: "trivet sync photos /photos --pull", does: "Bring the local folder up to date" },
  ],
  options: SYNC_OPTIONS,
  arguments: {
    local: { help: "The local folder", completes: "local-folder" },
    remote: { help: "The folder on the server", completes: "remote-folder" },
  },
  run: async (context: ClientContext, { values, arguments: { local, remote } }) => {
    const { syncFolders } = await import("./sync_folders.ts");
    return await syncFolders(context, { local, remote: remotePath(context, remote), values });
  },
});
