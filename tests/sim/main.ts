/**
 * The simulator as a program: runs a scenario for one seed or for many, and says which seed failed.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a program of its own, which prints what it saw
import { parseArgs } from "@std/cli";
import { SCENARIOS } from "./scenarios.ts";
import type { RunOptions, RunResult } from "./simulation.ts";

const NAMES = Object.entries(SCENARIOS)
  .map(([name, { summary }]) => `                   ${name.padEnd(10)} ${summary}`)
  .join("\n");

const USAGE = `deno task sim [options]
  --scenario NAME  what happens (default all):
${NAMES}
  --seed N         the first seed (default 1)
  --seeds N        how many seeds, one after the other (default 1)
  --messages N     how much there is to do
  --trace          print everything that happens`;

/** Failures after which the rest is left out. */
const FAILURES_MAX = 5;

/** After so many seeds it is said how far it is. */
const TOLD_EVERY = 20;

interface Order {
  readonly names: readonly string[];
  readonly seed: number;
  readonly seeds: number;
  readonly messages: number | undefined;
  readonly isTraced: boolean;
}

function readOrder(args: readonly string[]): Order | undefined {
  const given = parseArgs([...args], {
    string: ["scenario", "seed", "seeds", "messages"],
    boolean: ["trace", "help"],
  });
  const count = (text: string | undefined, fallback: number) =>
    text === undefined ? fallback : /^\d+$/.test(text) ? Number(text) : Number.NaN;
  const names = given.scenario === undefined ? Object.keys(SCENARIOS) : [given.scenario];
  const [seed, seeds] = [count(given.seed, 1), count(given.seeds, 1)];
  const messages = given.messages === undefined ? undefined : count(given.messages, 0);
  const isWrong = given._.length > 0 || names.some((name) => !Object.hasOwn(SCENARIOS, name)) ||
    [seed, seeds, messages ?? 1].some(Number.isNaN);
  if (given.help === true || isWrong) return undefined;
  return { names, seed, seeds, messages, isTraced: given.trace === true };
}

/** Runs one scenario for all seeds; how many failed. */
async function runAll(name: string, { seed, seeds, messages, isTraced }: Order): Promise<number> {
  const results: RunResult[] = [];
  const startedMs = performance.now();
  let failures = 0;
  for (let each = seed; each < seed + seeds && failures < FAILURES_MAX; each++) {
    const options: RunOptions = {
      seed: each,
      ...(messages === undefined ? {} : { messages }),
      ...(isTraced ? { print: (line: string) => console.log(line) } : {}),
    };
    const result = await SCENARIOS[name]?.run(options).catch((error) => {
      failures += 1;
      const amount = messages === undefined ? "" : ` --messages ${messages}`;
      console.log(`${name}: seed ${each} fails: ${Deno.inspect(error)}`);
      console.log(`repeat it: ./denow task sim --scenario ${name} --seed ${each}${amount}`);
    });
    if (result !== undefined) results.push(result);
    if (results.length % TOLD_EVERY === 0 && seeds > TOLD_EVERY) {
      console.error(`${name}: ${results.length} seeds held up to ${each}`);
    }
  }
  tell(name, results, performance.now() - startedMs);
  return failures;
}

function tell(name: string, results: readonly RunResult[], tookMs: number): void {
  const virtualMin = results.reduce((sum, { virtualMs }) => sum + virtualMs, 0) / 60_000;
  const events = results.reduce((sum, { events }) => sum + events, 0);
  console.log(
    `${name}: ${results.length} seeds held, ${virtualMin.toFixed(1)} simulated minutes and ` +
      `${events} events in ${(tookMs / 1000).toFixed(1)} s` +
      (results.length === 1 ? `, digest ${results[0]?.digest}` : ""),
  );
  for (const key of Object.keys(results[0]?.figures ?? {})) {
    const values = results.map(({ figures }) => figures[key] ?? Number.NaN);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const shown = [Math.min(...values), mean, Math.max(...values)].map(rounded);
    const text = values.length === 1
      ? shown[1]
      : `least ${shown[0]}, mean ${shown[1]}, most ${shown[2]}`;
    console.log(`  ${key.padEnd(16)} ${text}`);
  }
}

function rounded(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(4);
}

if (import.meta.main) {
  const order = readOrder(Deno.args);
  if (order === undefined) {
    console.error(USAGE);
    Deno.exit(Deno.args.includes("--help") ? 0 : 2);
  }
  let failures = 0;
  for (const name of order.names) failures += await runAll(name, order);
  Deno.exit(failures === 0 ? 0 : 1);
}
