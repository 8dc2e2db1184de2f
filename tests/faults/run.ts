/**
 * Runs scenarios of the fault suite: which ones and with what seeds follows from one seed.
 *
 * @module
 */

import { SeededRandom } from "../../lib/datagram/seeded_random.ts";
import type { Programs } from "../e2e/testing.ts";
import type { Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios.ts";
import { Trial } from "./trial.ts";

/** What is run. */
export interface SuiteOptions {
  /** Decides all. */
  readonly seed: number;
  /** How many tries. */
  readonly count: number;
  /** Only scenarios whose name has this. */
  readonly only?: string;
  /** Those too that take minutes. */
  readonly isLong?: boolean;
  /** How the programs are started (default: from source). */
  readonly programs?: Programs;
  /** Tries at once. */
  readonly jobs?: number;
  /** Told of each try that ended. */
  readonly onEnd?: (outcome: Outcome) => void;
}

/** How one try ended. */
export interface Outcome {
  readonly scenario: Scenario;
  readonly seed: number;
  /** What does not hold, a sentence for each. */
  readonly wrong: readonly string[];
  /** What happened. */
  readonly story: readonly string[];
  readonly tookMs: number;
}

/** How a suite ended. */
export interface SuiteResult {
  readonly outcomes: readonly Outcome[];
  /** Scenarios that cannot run here, with the reason. */
  readonly skipped: ReadonlyMap<string, string>;
}

const UINT32_RANGE = 2 ** 32;

/** Runs a suite. */
export async function runSuite(options: SuiteOptions): Promise<SuiteResult> {
  const { count, only = "", isLong = false, jobs = 2, onEnd } = options;
  const skipped = new Map<string, string>();
  const scenarios: Scenario[] = [];
  for (const scenario of SCENARIOS) {
    if (!scenario.name.includes(only) || scenario.isLong === true && !isLong) continue;
    const reason = await scenario.skip?.();
    if (reason === undefined) scenarios.push(scenario);
    else skipped.set(scenario.name, reason);
  }
  const order = orderOf(scenarios, options);
  const outcomes: Outcome[] = [];
  const work = async () => {
    for (let next = order.shift(); next !== undefined; next = order.shift()) {
      const outcome = await tryOnce(next.scenario, next.seed, options.programs);
      outcomes.push(outcome);
      onEnd?.(outcome);
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, count) }, work));
  return { outcomes, skipped };
}

/**
 * Every scenario comes before any comes again; with one try the seed is that of the try itself, so that
 * one which failed can be repeated alone.
 */
function orderOf(
  scenarios: readonly Scenario[],
  { seed, count }: SuiteOptions,
): { scenario: Scenario; seed: number }[] {
  const random = new SeededRandom(seed);
  const order: { scenario: Scenario; seed: number }[] = [];
  let round: Scenario[] = [];
  while (order.length < count && scenarios.length > 0) {
    if (round.length === 0) round = [...scenarios];
    const [scenario] = round.splice(random.below(round.length), 1);
    if (scenario === undefined) break;
    order.push({ scenario, seed: count === 1 ? seed : random.uint32() % UINT32_RANGE });
  }
  return order;
}

async function tryOnce(
  scenario: Scenario,
  seed: number,
  programs: Programs | undefined,
): Promise<Outcome> {
  const startMs = performance.now();
  const wrong: string[] = [];
  let story: readonly string[] = [];
  try {
    await using trial = await Trial.create({
      ...scenario.setUp,
      seed,
      ...(programs === undefined ? {} : { programs }),
    });
    story = trial.story;
    await scenario.run(trial);
    wrong.push(...await trial.check());
  } catch (error) {
    wrong.push(`the try itself failed: ${Deno.inspect(error)}`);
  }
  return { scenario, seed, wrong, story, tookMs: performance.now() - startMs };
}
