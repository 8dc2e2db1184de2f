/**
 * The options that `put` and `get` share, declared once.
 *
 * @module
 */

import type { OptionTable, ValuesOf } from "../../lib/term/command.ts";
import { JOBS_DEFAULT, JOBS_MAX } from "../tree/jobs.ts";

/** See the module. */
export const TRANSFER_OPTIONS = {
  resume: {
    kind: "choice",
    choices: ["auto", "always", "never"],
    default: "auto",
    env: "TRIVET_RESUME",
    help: "Go on with a partial transfer: ask on a terminal, else do; fail without one; begin anew",
  },
  overwrite: {
    kind: "choice",
    choices: ["replace", "skip", "fail", "rename"],
    default: "replace",
    env: "TRIVET_OVERWRITE",
    help: 'What to do when the name is taken; rename chooses "name (2).ext"',
  },
  durability: {
    kind: "choice",
    choices: ["commit", "os"],
    default: "commit",
    env: "TRIVET_DURABILITY",
    help: "When the file counts as stored: once the disk holds it, or once the system does",
  },
  recursive: {
    kind: "boolean",
    short: "r",
    env: "TRIVET_RECURSIVE",
    help: "Transfer folders with all in them",
  },
  exclude: {
    kind: "string",
    valueName: "GLOB",
    env: "TRIVET_EXCLUDE",
    repeat: true,
    help: "Leave out names like this, or paths below the folder if it has a slash",
  },
  jobs: {
    kind: "integer",
    short: "j",
    valueName: "N",
    env: "TRIVET_JOBS",
    default: String(JOBS_DEFAULT),
    min: 1,
    max: JOBS_MAX,
    help: "Large files at a time",
  },
  "dry-run": {
    kind: "boolean",
    short: "n",
    env: "TRIVET_DRY_RUN",
    help: "Only say what would be transferred",
  },
} as const satisfies OptionTable;

/** Values of {@linkcode TRANSFER_OPTIONS}. */
export type TransferValues = ValuesOf<typeof TRANSFER_OPTIONS>;
