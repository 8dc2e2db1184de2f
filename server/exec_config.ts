/**
 * The options of `trivetd serve` that are about remote commands; a part of the table in `config.ts`.
 *
 * @module
 */

import type { OptionTable, ValuesOf } from "../lib/term/command.ts";
import type { ExecOptions } from "./exec/service.ts";

/** See the module. */
export const EXEC_SERVE_OPTIONS = {
  commands: {
    kind: "path",
    valueName: "FILE",
    env: "TRIVETD_COMMANDS",
    help: "Commands file in TOML, for serve exec: what may be run, by whom, within which limits",
  },
} as const satisfies OptionTable;

/**
 * Turns option values into the set-up of remote commands.
 *
 * @param values What the command line, the environment and the config file say.
 * @returns Nothing without a commands file.
 */
export function toExecOptions(
  { commands }: ValuesOf<typeof EXEC_SERVE_OPTIONS>,
): ExecOptions | undefined {
  return commands === undefined ? undefined : { commands };
}
