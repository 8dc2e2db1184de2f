/**
 * One run of a scenario: a clock, chance, a trace and a network of its own, from one seed.
 *
 * @module
 */

import { SeededRandom } from "../../lib/datagram/seeded_random.ts";
import { Network } from "./network.ts";
import { type PrintLine, Trace } from "./trace.ts";
import { VirtualClock } from "./virtual_clock.ts";
import { VirtualGlobals } from "./virtual_globals.ts";

/** What a run is asked for. */
export interface RunOptions {
  /** The same seed does the same. */
  readonly seed: number;
  /** How much there is to do; each scenario has its own default. */
  readonly messages?: number;
  /** Takes each line of the trace. */
  readonly print?: PrintLine;
}

/** What a run did. */
export interface RunResult {
  /** The trace's digest: the same for the same seed and options. */
  readonly digest: string;
  /** How long it took on its own clock. */
  readonly virtualMs: number;
  readonly events: number;
  /** What the scenario measured. */
  readonly figures: Readonly<Record<string, number>>;
}

/** Runs once; throws when something does not hold. */
export type Scenario = (options: RunOptions) => Promise<RunResult>;

/** What a scenario's work is given. */
export interface Simulation {
  readonly clock: VirtualClock;
  readonly network: Network;
  readonly random: SeededRandom;
  readonly options: RunOptions;
}

/** Figures of a scenario, or why it failed. */
type Figures = Readonly<Record<string, number>>;

/**
 * Runs a scenario's work until it is done.
 *
 * @param options Seed and trace.
 * @param limitMs How long it may take on its own clock.
 * @param work What happens; it gives the figures.
 * @throws {Error} What the work threw, or that it was not done in time.
 */
export async function simulate(
  options: RunOptions,
  limitMs: number,
  work: (simulation: Simulation) => Promise<Figures>,
): Promise<RunResult> {
  const clock = new VirtualClock();
  const random = new SeededRandom(options.seed);
  const trace = new Trace(clock, options.print);
  const network = new Network({ clock, random: random.fork(), trace });
  using _globals = new VirtualGlobals(clock, random.fork());
  let outcome: { figures: Figures } | { error: unknown } | undefined;
  const simulation = { clock, network, random: random.fork(), options };
  work(simulation).then(
    (figures) => outcome = { figures },
    (error) => outcome = { error },
  );
  const isDone = await clock.run(() => outcome !== undefined, limitMs);
  if (outcome !== undefined && "error" in outcome) throw outcome.error;
  if (!isDone || outcome === undefined) {
    throw new Error(`Not done after ${Math.round(clock.nowMs)} ms of ${limitMs}`);
  }
  const { figures } = outcome;
  return { digest: trace.digest(), virtualMs: clock.nowMs, events: clock.eventCount, figures };
}
