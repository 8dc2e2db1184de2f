/**
 * The work behind `time` and `time stamp`.
 *
 * @module
 */

import { ANSWERS_PER_SECOND } from "../../lib/clock/rate_limit.ts";
import { parseSeconds } from "../../lib/clock/seconds.ts";
import { DEFAULT_FORMAT } from "../../lib/clock/text_formats.ts";
import { TrivetError } from "../../lib/errors.ts";
import type { Output } from "../../lib/term/output.ts";
import { sleep } from "../retry.ts";
import { TokenBucket } from "../../lib/transfer/token_bucket.ts";
import type { ClientContext } from "./context.ts";
import { readLines } from "./read_lines.ts";
import { openTextClock, type Sources, zoneOptions } from "./time_access.ts";
import type { TimeValues } from "./time_options.ts";

/** A little slower than the service answers one client in the long run, so that it drops nothing. */
const QUESTIONS_PER_SECOND = 0.9 * ANSWERS_PER_SECOND;

/** As many at once as it answers, with some to spare. */
const BURST_MS = 1500;

/** A number that was given, and how an error calls its place. */
interface GivenSeconds {
  readonly text: string;
  readonly place: string;
}

/** Shows the server's time. */
export async function showTime(
  context: ClientContext,
  { format = DEFAULT_FORMAT, values, sources }: {
    readonly format: string | undefined;
    readonly values: TimeValues;
    readonly sources: Sources;
  },
): Promise<void> {
  const { output, signal } = context;
  const options = zoneOptions(values, sources);
  await using clock = await openTextClock(context, values);
  const text = await clock.format(format, { ...options, signal });
  writeText(output, text);
  output.json({
    server: clock.timeServer,
    format,
    zone: options.zone ?? null,
    locale: options.locale ?? null,
    text,
  });
}

/** Shows what numbers of seconds are, from the arguments or from stdin. */
export async function showStamps(
  context: ClientContext,
  { seconds, values, sources }: {
    readonly seconds: readonly string[];
    readonly values: TimeValues;
    readonly sources: Sources;
  },
): Promise<void> {
  const { output, signal } = context;
  const options = zoneOptions(values, sources);
  const given = seconds.length > 0 ? fromArguments(seconds) : fromStdin(context);
  await using clock = await openTextClock(context, values);
  const isAsked = options.zone === undefined && options.locale === undefined;
  const pace = new TokenBucket(QUESTIONS_PER_SECOND, { burstMs: BURST_MS });
  const stamps: { readonly seconds: string; readonly text: string }[] = [];
  for await (const { text: number, place } of given) {
    checkSeconds(number, place);
    const waitMs = isAsked ? pace.take(1, performance.now()) : 0;
    if (waitMs >= 1) await sleep(waitMs, signal);
    const text = await clock.formatInstant(number, { ...options, signal });
    output.line(text);
    if (output.isJson) stamps.push({ seconds: number, text });
  }
  output.json({ stamps });
}

/** Writes a text that may have lines, as a format can ask for with %n. */
export function writeText(output: Output, text: string): void {
  for (const line of text.split("\n")) output.line(line);
}

/** All are checked before the first is shown. */
function* fromArguments(seconds: readonly string[]): Generator<GivenSeconds> {
  const given = seconds.map((text, index) => ({ text, place: `Argument ${index + 1}` }));
  for (const { text, place } of given) checkSeconds(text, place);
  yield* given;
}

async function* fromStdin({ stdin, signal }: ClientContext): AsyncGenerator<GivenSeconds> {
  if (stdin.isTerminal()) {
    throw new TrivetError("USAGE", "No seconds to show: name some, or write them to stdin");
  }
  let line = 0;
  for await (const text of readLines(stdin, signal)) {
    line += 1;
    yield { text: text.trim(), place: `Line ${line} of stdin` };
  }
}

function checkSeconds(text: string, place: string): void {
  if (parseSeconds(text) !== undefined) return;
  throw new TrivetError("USAGE", `${place} is no number of seconds since 1970: "${text}"`);
}
