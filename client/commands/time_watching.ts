/**
 * The work behind `time watch`.
 *
 * @module
 */

import { wallClockNs } from "../../lib/clock/wall_clock.ts";
import { EXIT, TrivetError } from "../../lib/errors.ts";
import type { ClockClient } from "../clock.ts";
import { isUnavailable } from "../clock/measure.ts";
import { nextTick } from "../clock/next_tick.ts";
import { sleep } from "../retry.ts";
import type { ClientContext } from "./context.ts";
import { openTextClock, type Sources, zoneOptions } from "./time_access.ts";
import type { TimeValues } from "./time_options.ts";
import { writeText } from "./time_show.ts";

const NS_PER_SECOND = 1_000_000_000n;

/** What the server said once. */
interface Answer {
  /** Seconds since 1970 that it was asked about; `null` when its own clock was asked. */
  readonly seconds: number | null;
  /** What it said. */
  readonly text: string;
}

/** Shows the time at regular intervals; 5 is the exit code when no answer came at all. */
export async function watchTime(
  context: ClientContext,
  { format, values, sources }: {
    readonly format: string | undefined;
    readonly values: TimeValues & { readonly every: number; readonly count: number | undefined };
    readonly sources: Sources;
  },
): Promise<number | void> {
  const { output, signal } = context;
  const { count, every: everyMs } = values;
  if (output.isJson && count === undefined) {
    throw new TrivetError("USAGE", "A watch with --json needs --count: it prints one document");
  }
  const options = zoneOptions(values, sources);
  const isOwn = format === undefined && options.zone === undefined && options.locale === undefined;
  // An answer that comes after the next question would stand in the wrong line.
  const timeout = Math.min(values.timeout, everyMs);
  await using clock = await openTextClock(context, { ...values, timeout });
  const ask = isOwn
    ? () => askAboutNow(clock, signal)
    : async () => ({ seconds: null, text: await clock.format(format, { ...options, signal }) });

  const startMs = performance.now();
  const answers: Answer[] = [];
  let [tick, asked, answered] = [0, 0, 0];
  while (true) {
    try {
      const answer = await ask();
      answered += 1;
      writeText(output, answer.text);
      if (output.isJson) answers.push(answer);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      output.warn(error.message);
    }
    asked += 1;
    if (asked === count) break;
    tick = nextTick(tick, everyMs, performance.now() - startMs);
    await sleep(Math.max(0, startMs + tick * everyMs - performance.now()), signal);
  }
  if (answered === 0) return EXIT.UNAVAILABLE;
  output.json({ server: clock.timeServer, answers, lost: asked - answered });
}

/** This machine's time, formatted by the server. */
async function askAboutNow(clock: ClockClient, signal: AbortSignal): Promise<Answer> {
  const seconds = Number(wallClockNs() / NS_PER_SECOND);
  return { seconds, text: await clock.formatInstant(seconds, { signal }) };
}
