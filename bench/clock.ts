/**
 * The bench of the clock: answers a second and how long they take, of Trivet's text and SNTP services
 * beside a bare echo in Deno, chronyd and the server of the tutorials, each in a process of its own on
 * this machine's loopback. docs/performance.md says how to read it.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a program of its own, which prints its table
import { parseArgs } from "@std/cli";
import { fileURLToPath } from "node:url";
import { type Contender, startContenders } from "./clock/contenders.ts";
import type { LoadOptions, LoadResult } from "./clock/load.ts";
import { spreadOf, type Target, targetLine } from "./peers/figures.ts";

const USAGE = `deno task bench:clock [options]
  --rounds N     runs of each cell (default 5)
  --seconds S    length of each run under full load (default 0.5)
  --only WORD    contenders whose name has it, and the echo`;

/** Part of the rate of the bare echo that the services must reach. */
const TARGET_RATIO = 0.95;

/** Slowest of a hundred answers at half load, in milliseconds. */
const TARGET_P99_MS = 1;

/**
 * Length of a run at half load. Short, so that the pauses of a virtual machine, which all contenders
 * suffer alike, fall into some of the runs and not into each: the table has the median of the runs.
 */
const PACED_SECONDS = 0.2;

/** What was measured of one contender. */
interface Row {
  readonly contender: Contender;
  /** Answers a second, by round. */
  readonly rates: number[];
  /** At half of the median rate, by round. */
  readonly paced: LoadResult[];
  lost: number;
}

async function load(options: LoadOptions, enter: readonly string[]): Promise<LoadResult> {
  const program = fileURLToPath(new URL("clock/load.ts", import.meta.url));
  const flags = ["run", "--quiet", "--no-prompt", "--allow-ffi"];
  const [first, ...args] = [...enter, Deno.execPath(), ...flags, program, JSON.stringify(options)];
  const command = new Deno.Command(first ?? "", { args, stdin: "null" });
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(`The load failed: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** One run of each in turn, so that all see the machine in the same mood. */
async function round(rows: readonly Row[], seconds: number, isPaced: boolean): Promise<void> {
  for (const row of rows) {
    const { port, payload, enter = [] } = row.contender;
    const half = (spreadOf(row.rates)?.median ?? 0) / 2;
    const options = { port, payload: payload.toHex(), seconds };
    const result = await load(isPaced ? { ...options, rate: half } : options, enter);
    row.lost += result.lost;
    if (isPaced) row.paced.push(result);
    else row.rates.push(result.rate);
  }
}

/** The median of the ratios within the rounds: the machine's own speed drifts from round to round. */
function ratioOf(row: Row, rows: readonly Row[]): number | undefined {
  const bare = rows.find(({ contender }) => contender.name === row.contender.bare);
  if (bare === undefined) return undefined;
  return spreadOf(row.rates.map((rate, i) => rate / (bare.rates[i] ?? NaN)))?.median;
}

function table(rows: readonly Row[]): string {
  const lines = ["| | answers/s, median (min–max) | × echo | p50 µs | p99 µs (min–max) | lost |"];
  lines.push("| --- | ---: | ---: | ---: | ---: | ---: |");
  for (const row of rows) {
    const rate = spreadOf(row.rates);
    const p50 = spreadOf(row.paced.flatMap(({ p50Us }) => p50Us ?? []))?.median;
    const p99 = spreadOf(row.paced.flatMap(({ p99Us }) => p99Us ?? []));
    const [median, min, max] = [rate?.median, rate?.min, rate?.max].map((n) => n?.toFixed(0));
    const ratio = ratioOf(row, rows)?.toFixed(3) ?? "–";
    const cells = [row.contender.name, `${median} (${min}–${max})`, ratio];
    const slow = [p99?.median, p99?.min, p99?.max].map((n) => n?.toFixed(0));
    cells.push(p50?.toFixed(0) ?? "–", `${slow[0]} (${slow[1]}–${slow[2]})`, String(row.lost));
    lines.push(`| ${cells.join(" | ")} |`);
  }
  return lines.join("\n");
}

function targets(rows: readonly Row[]): Target[] {
  return rows.filter(({ contender }) => contender.bare !== undefined).flatMap((row) => {
    const { name } = row.contender;
    const p99 = spreadOf(row.paced.flatMap(({ p99Us }) => p99Us ?? []))?.median;
    return [
      {
        text: `${name} ≥ ${TARGET_RATIO} × bare echo`,
        value: ratioOf(row, rows),
        bound: TARGET_RATIO,
        rule: "at least",
        unit: "",
      },
      {
        text: `${name}: p99 < ${TARGET_P99_MS} ms at half load`,
        value: p99 === undefined ? undefined : p99 / 1000,
        bound: TARGET_P99_MS,
        rule: "below",
        unit: "",
      },
    ];
  });
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["rounds", "seconds", "only"],
    boolean: ["help"],
  });
  const rounds = Number(args.rounds ?? 5);
  const seconds = Number(args.seconds ?? 0.5);
  const isUsable = Number.isInteger(rounds) && rounds > 0 && seconds > 0;
  if (args.help || !isUsable) {
    console.log(USAGE);
    Deno.exit(args.help ? 0 : 2);
  }
  if (Deno.build.os !== "linux" || !Deno.build.target.includes("-gnu")) {
    console.log("skipped: the load calls the C library of Linux");
    return;
  }
  const folder = await Deno.makeTempDir({ prefix: "trivet-bench-" });
  try {
    await using stack = new AsyncDisposableStack();
    const skip = (what: string) => console.log(`skipped: ${what}`);
    const contenders = (await startContenders(stack, folder, skip)).filter(({ name }) =>
      name.includes(args.only ?? "") || name.includes("echo")
    );
    const rows = contenders.map((contender): Row => ({ contender, rates: [], paced: [], lost: 0 }));
    for (let i = 0; i < rounds; i++) await round(rows, seconds, false);
    for (let i = 0; i < rounds; i++) await round(rows, PACED_SECONDS, true);
    console.log(table(rows));
    console.log(targets(rows).map(targetLine).join("\n"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) await main();
