/**
 * The work behind `time sync`.
 *
 * @module
 */

import { EXIT } from "../../lib/errors.ts";
import { renderTable } from "../../lib/term/table.ts";
import { formatDuration, formatSpan } from "../../lib/term/format.ts";
import type { ClockSync } from "../clock/measure.ts";
import type { ClientContext } from "./context.ts";
import { openNtpClock, type Sources } from "./time_access.ts";
import type { SyncValues } from "./time_options.ts";

/** Measures the clock and shows the result; 1 is the exit code when it is further off than allowed. */
export async function syncTime(
  context: ClientContext,
  { values, sources }: { readonly values: SyncValues; readonly sources: Sources },
): Promise<number | void> {
  const { output, signal } = context;
  const { samples, interval: intervalMs } = values;
  const maxOffsetMs = values["max-offset"];
  await using clock = await openNtpClock(context, values, sources);
  const result = await clock.sync({ samples, intervalMs, signal });
  const { stopped } = result;
  if (stopped !== undefined) output.warn(`Fewer samples than asked for: ${stopped.message}`);
  for (const line of renderTable([{}, {}], rowsOf(result, samples))) output.line(line);
  const isWithin = maxOffsetMs === undefined || Math.abs(result.offsetMs) <= maxOffsetMs;
  output.json(documentOf(result, maxOffsetMs, isWithin));
  output.note("The clock of this machine was measured, not set");
  if (isWithin) return;
  output.warn(
    `The clock is off by ${formatSpan(Math.abs(result.offsetMs))}, ` +
      `--max-offset is ${formatDuration(maxOffsetMs)}`,
  );
  return EXIT.FAILED;
}

function rowsOf(result: ClockSync, samples: number): string[][] {
  const { offsetMs } = result;
  const side = offsetMs === 0 ? "" : `; this clock is ${offsetMs > 0 ? "behind" : "ahead"}`;
  return [
    ["server", result.server],
    ["offset", `${offsetMs > 0 ? "+" : ""}${formatSpan(offsetMs)}${side}`],
    ["error", `at most ${formatSpan(result.errorMs)} against the server's clock`],
    ["", `at most ${formatSpan(result.trueErrorMs)} against true time, by the server's account`],
    ["delay", formatSpan(result.delayMs)],
    ["stratum", `${result.stratum}, from ${result.referenceId}`],
    ["leap second", result.leap],
    ["samples", `${result.samples} of ${samples}`],
  ];
}

function documentOf(
  result: ClockSync,
  maxOffsetMs: number | undefined,
  isWithin: boolean,
): Record<string, string | number | boolean | null> {
  return {
    server: result.server,
    offset_ms: result.offsetMs,
    error_ms: result.errorMs,
    delay_ms: result.delayMs,
    true_error_ms: result.trueErrorMs,
    stratum: result.stratum,
    reference_id: result.referenceId,
    leap: result.leap,
    samples: result.samples,
    max_offset_ms: maxOffsetMs ?? null,
    within_max_offset: isWithin,
  };
}
