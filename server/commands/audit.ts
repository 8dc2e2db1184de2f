/**
 * `trivetd audit verify`: whether lines of the audit log were removed or changed.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { type CommandGroup, defineCommand } from "../../lib/term/command.ts";
import { formatCount } from "../../lib/term/format.ts";
import { ownAuditPath } from "../audit.ts";
import { verifyAudit } from "../audit_verify.ts";
import { defaultDataFolder } from "../data_folder.ts";
import type { CommandContext } from "./context.ts";
import { DATA_OPTION } from "./open_data.ts";

const verifyCommand = defineCommand({
  name: "verify",
  summary: "Check that no line of the audit log was removed or changed",
  description:
    "Each line has the digest of the one before it, across the older files too. That lines are " +
    "missing at the end shows only with a digest that was noted before: pass it with --last.",
  examples: [
    { command: "trivetd audit verify", does: "Check the log in the data folder" },
    {
      command: "trivetd audit verify --last 3f1c...e2",
      does: "Check that the line which was the last one then is still there",
    },
  ],
  options: {
    ...DATA_OPTION,
    last: {
      kind: "string",
      valueName: "DIGEST",
      env: "TRIVETD_AUDIT_LAST",
      help: "Digest of a line that must be there",
    },
  },
  arguments: {
    file: { help: "The audit log; that of the data folder without it", optional: true },
  },
  run: async ({ output, env }: CommandContext, { values, arguments: { file } }) => {
    const { last } = values;
    if (last !== undefined && !/^[0-9a-f]{64}$/.test(last)) {
      throw new TrivetError("USAGE", "Option --last needs a digest: 64 of 0-9 and a-f");
    }
    const path = file ?? ownAuditPath(values.data ?? defaultDataFolder(env));
    const found = await verifyAudit(path, last);
    output.line(
      `${formatCount(found.lines, "line")} in ${formatCount(found.files.length, "file")}, unbroken`,
    );
    output.line(
      `  first        ${found.firstTime ?? "none"}${found.isCut ? ", older ones are gone" : ""}`,
    );
    output.line(`  last         ${found.lastTime ?? "none"}`);
    output.line(`  digest       ${found.lastDigest ?? "none"}`);
    if (found.unchainedLines > 0) {
      output.warn(`The first ${found.unchainedLines} lines are from before there was a chain`);
    }
    if (found.tornLines > 0) output.warn(`${found.tornLines} lines broke off`);
    output.json({
      files: found.files,
      lines: found.lines,
      unchained_lines: found.unchainedLines,
      torn_lines: found.tornLines,
      is_cut: found.isCut,
      first_time: found.firstTime,
      last_time: found.lastTime,
      last_digest: found.lastDigest,
    });
  },
});

/** See the module. */
export const auditGroup: CommandGroup<CommandContext> = {
  name: "audit",
  summary: "Check the audit log",
  subcommands: [verifyCommand],
};
