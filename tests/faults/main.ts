/**
 * The fault suite as a program: random faults on real programs, repeatable by their seed.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a program of its own, which prints what it saw
import { parseArgs } from "@std/cli";
import { writeReport } from "./report.ts";
import { type Outcome, runSuite } from "./run.ts";

const USAGE = `deno task test:faults [options]
  --seed N         decides everything (default: the time)
  --scenarios N    how many tries (default 200; 10000 with --long)
  --only NAME      scenarios whose name has it
  --jobs N         tries at once (default 2)
  --long           those too that take minutes
  --report FILE    writes the table of this run into a page, such as docs/reliability.md`;

const COUNT = 200;
const COUNT_LONG = 10_000;

function tell({ scenario, seed, wrong, story, tookMs }: Outcome): void {
  const state = wrong.length === 0 ? "ok" : "FAILED";
  console.log(`${state} ${scenario.name} (seed ${seed}, ${Math.round(tookMs)} ms)`);
  if (wrong.length === 0) return;
  for (const line of [...wrong, ...story]) console.log(`    ${line.trimEnd()}`);
  const words = `--scenarios 1 --only "${scenario.name}" --seed ${seed}`;
  console.log(`    repeat: ./denow task test:faults ${words}`);
}

if (import.meta.main) {
  const args = parseArgs(Deno.args, {
    string: ["seed", "scenarios", "only", "jobs", "report"],
    boolean: ["long", "help"],
  });
  if (args.help || args._.length > 0) {
    console.log(USAGE);
    Deno.exit(args.help ? 0 : 2);
  }
  const seed = Number(args.seed ?? Date.now() % 1e9);
  const count = Number(args.scenarios ?? (args.long ? COUNT_LONG : COUNT));
  console.log(`seed ${seed}, ${count} scenarios`);
  const startMs = performance.now();
  const result = await runSuite({
    seed,
    count,
    isLong: args.long,
    jobs: Number(args.jobs ?? 2),
    onEnd: tell,
    ...(args.only === undefined ? {} : { only: args.only }),
  });
  const { outcomes, skipped } = result;
  for (const [name, reason] of skipped) console.log(`skipped: ${name}: ${reason}`);
  const failed = outcomes.filter(({ wrong }) => wrong.length > 0).length;
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  console.log(`${outcomes.length - failed} of ${outcomes.length} held, in ${seconds} s`);
  if (args.report !== undefined) await writeReport(args.report, result, { seed });
  Deno.exit(failed === 0 ? 0 : 1);
}
