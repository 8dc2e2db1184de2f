/**
 * The options that `put` and `get` share, declared once.
 *
 * @module
 */

import type { OptionTable } from "../../lib/term/command.ts";

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
} as const satisfies OptionTable;
