/**
 * `trivetd scrub`: reads stored files again and names those that the disk has damaged.
 *
 * @module
 */

import { EXIT } from "../../lib/errors.ts";
import { defineCommand } from "../../lib/term/command.ts";
import { formatBytes } from "../../lib/term/format.ts";
import type { CommandContext } from "./context.ts";
import { DATA_OPTION } from "./open_data.ts";

/** See the module. */
export const scrubCommand = defineCommand({
  name: "scrub",
  summary: "Read stored files again and compare them with what they were",
  description:
    "Records the SHA-256 of each file at first sight, and anew when its size or time has changed. " +
    "A file whose content has changed while size and time stayed is damaged: it is listed, and the " +
    "exit code is 6. Nothing is changed. Works beside a running server.\n" +
    "A round that was interrupted goes on with the next run.",
  examples: [
    { command: "trivetd scrub --rate 50M", does: "Leave the disk some time for others" },
  ],
  options: {
    ...DATA_OPTION,
    rate: {
      kind: "rate",
      valueName: "RATE",
      env: "TRIVETD_RATE",
      min: 1,
      help: "Most bytes read in a second, such as 50M (default: no limit)",
    },
    restart: {
      kind: "boolean",
      env: "TRIVETD_RESTART",
      help: "Begin a new round, also when the last one has not ended",
    },
  },
  arguments: {},
  run: async (context: CommandContext, { values }) => {
    const { rate, restart } = values;
    const { openScrubbedData } = await import("../care/open.ts");
    const { Scrub } = await import("../care/scrub.ts");
    await using data = await openScrubbedData(context, values);
    const { output, signal } = context;
    const scrub = new Scrub(data, {
      restart,
      signal,
      ...(rate === undefined ? {} : { rate }),
    });
    const damage = [];
    try {
      for await (const found of scrub.run()) {
        output.line(`${found.kind}  ${found.where}: ${found.detail}`);
        damage.push(found);
      }
    } catch (error) {
      // A wait that was ended says so in words of its own.
      signal.throwIfAborted();
      throw error;
    }
    const { recorded, verified, skipped, changed, bytes } = scrub.summary;
    output.line(
      `${damage.length} damaged or unreadable, ${verified} as they were, ${recorded} recorded` +
        `${skipped > 0 ? `, ${skipped} read by an earlier run` : ""}` +
        `${changed > 0 ? `, ${changed} changed meanwhile` : ""}; ${formatBytes(bytes)} read`,
    );
    output.json({
      round: scrub.round?.number ?? null,
      resumed: scrub.round?.isResumed ?? false,
      damage,
      ...{ verified, recorded, skipped, changed, read_bytes: bytes },
    });
    return damage.length === 0 ? EXIT.OK : EXIT.INTEGRITY;
  },
});
