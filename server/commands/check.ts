/**
 * `trivetd check`: compares the database with the disk, and sets right what it can if it is told to.
 *
 * @module
 */

import { checkUserName } from "../../lib/auth/credentials.ts";
import { EXIT, TrivetError } from "../../lib/errors.ts";
import { quoteName } from "../../lib/netdisk/path.ts";
import { defineCommand } from "../../lib/term/command.ts";
import { formatBytes } from "../../lib/term/format.ts";
import { DATA_OPTION } from "./open_data.ts";
import type { CommandContext } from "./context.ts";

/** Findings in the JSON document; the others are counted. */
const FINDINGS_JSON_MAX = 10_000;

/** See the module. */
export const checkCommand = defineCommand({
  name: "check",
  summary: "Compare the database with the files on the disk",
  description:
    "Lists what is wrong: bytes counted wrongly, parts and trash that the database does not know or " +
    "that are missing, homes without an account, links and other foreign things in homes. Ends with " +
    "exit code 6 if anything is wrong and stays so.\n" +
    "Works beside a running server: whatever looks wrong is looked at again a second later. " +
    "--repair needs the server stopped. No file of a home is ever changed or removed.",
  examples: [
    { command: "trivetd check", does: "Look at everything, change nothing" },
    { command: "trivetd check --repair", does: "Set right what can be, while no server runs" },
  ],
  options: {
    ...DATA_OPTION,
    repair: {
      kind: "boolean",
      env: "TRIVETD_REPAIR",
      help: "Set right what can be; no server may run",
    },
    user: {
      kind: "string",
      valueName: "NAME",
      env: "TRIVETD_USER",
      help: "Look at one account only",
    },
  },
  arguments: {},
  run: async (context: CommandContext, { values }) => {
    const { repair, user } = values;
    if (user !== undefined) checkUserName(user);
    const { openCheckedData, openRepairedData } = await import("../care/open.ts");
    const repairable = repair ? await openRepairedData(context, values) : null;
    await using data = repairable ?? await openCheckedData(context, values);
    const { isLive } = data;
    if (user !== undefined && await data.care.account(user) === null) {
      throw new TrivetError("NOT_FOUND", `There is no account ${quoteName(user)}`);
    }
    const { DataCheck, LIVE_PAUSE_MS } = await import("../care/data_check.ts");
    const check = new DataCheck(data, {
      isLive,
      pauseMs: repair ? 0 : LIVE_PAUSE_MS,
      signal: context.signal,
      ...(user === undefined ? {} : { user }),
    });
    const { repairFinding } = await import("../care/repair.ts");
    const findings = [];
    let wrong = 0;
    let repaired = 0;
    for await (const finding of check.findings()) {
      const done = repair && repairable !== null ? await repairFinding(repairable, finding) : null;
      wrong++;
      if (done?.isDone === true) repaired++;
      const note = done === null ? "" : `; ${done.text}`;
      context.output.line(`${finding.kind}  ${finding.where}: ${finding.detail}${note}`);
      if (!context.output.isJson || findings.length >= FINDINGS_JSON_MAX) continue;
      findings.push({
        kind: finding.kind,
        user: finding.user,
        where: finding.where,
        detail: finding.detail,
        counted_bytes: finding.countedBytes ?? null,
        real_bytes: finding.realBytes ?? null,
        counted_files: finding.countedFiles ?? null,
        real_files: finding.realFiles ?? null,
        repaired: done?.isDone ?? false,
        repair: done?.text ?? null,
      });
    }
    const { accounts, files, bytes, unjudged } = check.summary;
    for (const name of unjudged) {
      context.output.warn(`The count of ${quoteName(name)} cannot be judged now`);
    }
    const seen = `accounts: ${accounts}, files: ${files}, ${formatBytes(bytes)}`;
    context.output.line(
      wrong === 0 ? `Nothing is wrong (${seen})` : `${wrong} wrong, ${repaired} repaired (${seen})`,
    );
    context.output.json({
      beside_server: isLive,
      accounts,
      files,
      size_bytes: bytes,
      unjudged: [...unjudged],
      findings,
      wrong,
      repaired,
    });
    return wrong === repaired ? EXIT.OK : EXIT.INTEGRITY;
  },
});
