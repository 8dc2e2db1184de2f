/**
 * The bench of the chat: one sender, many receivers in one room; deliveries a second and times, of
 * Trivet without and with TLS, ngircd and nats-server, under the same load. docs/performance.md says
 * how to read it.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a program of its own, which prints its table
import { parseArgs } from "@std/cli";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Contender, startPeers, startTrivetChat } from "./chat/contenders.ts";
import type { LoadOptions, LoadResult } from "./chat/load.ts";
import { spreadOf, type Target, targetLine } from "./peers/figures.ts";
import { readProc } from "./peers/processes.ts";
import { findPrograms } from "./peers/trivet.ts";

const USAGE = `deno task bench:chat [options]
  --rounds N       runs of each cell (default 3)
  --seconds S      length of each run (default 1)
  --receivers N    who reads in the room (default 200)
  --idle N         accounts whose memory is measured; 0 leaves it out (default 1000)
  --only WORD      contenders whose name has it
  --programs WHICH auto: dist/ where it was built; source: never dist/ (default auto)`;

/** Messages on their way at once. */
const WINDOWS = [1, 16, 200] as const;

/** How Trivet is measured: the others neither encrypt nor wait for a disk. */
const SETTINGS = [
  { plain: true, durability: "os" },
  { plain: true, durability: "commit" },
  { plain: false, durability: "commit" },
] as const;

const TARGET_P99_MS = 20;
const TARGET_IDLE_KIB = 100;

/** What was measured of one contender. */
interface Row {
  readonly contender: Contender;
  /** By messages on their way, then by round. */
  readonly runs: Map<number, LoadResult[]>;
  /** At half of its rate. */
  readonly half: LoadResult[];
  /** The same with one more receiver that never reads. */
  readonly stalled: LoadResult[];
}

async function load(options: LoadOptions): Promise<LoadResult> {
  const program = fileURLToPath(new URL("chat/load.ts", import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--allow-net", program],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(options)));
  await writer.close();
  const { success, stdout } = await child.output();
  if (!success) throw new Error("The load failed");
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Each window of each contender in turn, so that all see the machine in the same mood. */
async function measure(
  rows: readonly Row[],
  { receivers, seconds }: { readonly receivers: number; readonly seconds: number },
): Promise<void> {
  for (const window of WINDOWS) {
    for (const { contender, runs } of rows) {
      const result = await load({ ...contender.access, receivers, seconds, window });
      runs.set(window, [...runs.get(window) ?? [], result]);
    }
  }
  for (const row of rows) {
    const full = row.runs.get(WINDOWS[1])?.at(-1)?.rate ?? 0;
    const paced = { ...row.contender.access, receivers, seconds, window: 1 };
    const rate = full / receivers / 2;
    row.half.push(await load({ ...paced, rate }));
    if (row.contender.access.protocol !== "trivet") continue;
    row.stalled.push(await load({ ...paced, rate, stalled: 1 }));
  }
}

const median = (values: readonly number[]) => spreadOf(values)?.median;

function table(rows: readonly Row[]): string {
  const lines = [
    `| k deliveries/s | ${WINDOWS.join(" | ")} | to the last, 1 at a time | p99 at half load |`,
    `| --- |${WINDOWS.map(() => " ---: |").join("")} ---: | ---: |`,
  ];
  for (const { contender, runs, half } of rows) {
    const rates = WINDOWS.map((window) => {
      const spread = spreadOf((runs.get(window) ?? []).map(({ rate }) => rate / 1000));
      const [middle, min, max] = [spread?.median, spread?.min, spread?.max]
        .map((n) => n?.toFixed(0) ?? "–");
      return `${middle} (${min}–${max})`;
    });
    const last = median((runs.get(1) ?? []).map(({ p50Ms }) => p50Ms))?.toFixed(2);
    const p99 = median(half.map(({ p99Ms }) => p99Ms))?.toFixed(1);
    lines.push(`| ${contender.name} | ${rates.join(" | ")} | ${last} ms | ${p99} ms |`);
  }
  return lines.join("\n");
}

/** The median of the ratios within the rounds: the machine's own speed drifts from round to round. */
function ratio(
  rows: readonly Row[],
  names: readonly [string, string],
  of: (row: Row) => readonly number[],
): number | undefined {
  const [ours, theirs] = names.map((name) => rows.find((row) => row.contender.name === name));
  if (ours === undefined || theirs === undefined) return undefined;
  const other = of(theirs);
  return median(of(ours).map((value, i) => value / (other[i] ?? NaN)));
}

function targets(rows: readonly Row[]): Target[] {
  const lines: Target[] = [];
  const add = (ours: string, theirs: string, bound: number, windows: readonly number[]) => {
    for (const window of windows) {
      lines.push({
        text: `${window} on their way: ${ours} ≥ ${bound} × ${theirs}`,
        value: ratio(
          rows,
          [ours, theirs],
          ({ runs }) => (runs.get(window) ?? []).map((r) => r.rate),
        ),
        bound,
        rule: "at least",
        unit: "",
      });
    }
  };
  for (const plain of ["trivetd --plain, os", "trivetd --plain"]) {
    add(plain, "ngircd", 1, WINDOWS);
    add(plain, "nats-server", 1, [1, 16]);
  }
  add("trivetd", "ngircd", 0.5, WINDOWS);
  add("trivetd", "nats-server", 0.5, WINDOWS);
  for (const plain of ["trivetd --plain, os", "trivetd --plain"]) {
    lines.push({
      text: `time to the last receiver, one message at a time: nats-server ÷ ${plain} ≥ 1`,
      value: ratio(
        rows,
        ["nats-server", plain],
        ({ runs }) => (runs.get(1) ?? []).map(({ p50Ms }) => p50Ms),
      ),
      bound: 1,
      rule: "at least",
      unit: "",
    });
  }
  for (const { contender, half, stalled } of rows) {
    if (contender.access.protocol !== "trivet") continue;
    const p99 = { bound: TARGET_P99_MS, rule: "below", unit: " ms" } as const;
    const text = `${contender.name}: p99 at half load`;
    lines.push({ text, value: median(half.map(({ p99Ms }) => p99Ms)), ...p99 });
    const value = median(stalled.map(({ p99Ms }) => p99Ms));
    lines.push({ text: `${text}, beside a reader that stalls`, value, ...p99 });
  }
  return lines;
}

/** What one account that is connected and says nothing costs the server. */
async function idleTarget(contender: Contender, count: number): Promise<Target> {
  const resident = async () => {
    const status = await readProc(`/proc/${contender.daemon.pid}/status`);
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status ?? "")?.[1] ?? NaN);
  };
  const before = await resident();
  const program = fileURLToPath(new URL("chat/idle.ts", import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--allow-net", program],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const options = { ...contender.access, receivers: count, window: 1, seconds: 0 };
  await writer.write(new TextEncoder().encode(JSON.stringify(options) + "\n"));
  const reader = child.stdout.getReader();
  await reader.read();
  const value = (await resident() - before) / count;
  await writer.close();
  await child.status;
  await reader.cancel();
  const text = `${contender.name}: memory of each of ${count} idle users < ${TARGET_IDLE_KIB} KiB`;
  return { text, value, bound: TARGET_IDLE_KIB, rule: "below", unit: " KiB" };
}

async function main(): Promise<void> {
  const args = parseArgs([...Deno.args], {
    string: ["rounds", "seconds", "receivers", "idle", "only", "programs"],
    boolean: ["help"],
  });
  const rounds = Number(args.rounds ?? 3);
  const seconds = Number(args.seconds ?? 1);
  const receivers = Number(args.receivers ?? 200);
  const idle = Number(args.idle ?? 1000);
  if (args.help || !(rounds > 0 && seconds > 0 && receivers > 0 && idle >= 0)) {
    console.log(USAGE);
    Deno.exit(args.help ? 0 : 2);
  }
  const folder = await Deno.makeTempDir({ prefix: "trivet-bench-" });
  try {
    await using stack = new AsyncDisposableStack();
    const programs = await findPrograms(args.programs === "source" ? "source" : "auto");
    const contenders: Contender[] = [];
    const isWanted = ({ name }: Contender) => name.includes(args.only ?? "");
    for (const setting of SETTINGS) {
      // Who sends, who reads, and who does not.
      const data = join(folder, `trivetd${contenders.length}`);
      const options = { data, accounts: receivers + 2, ...setting };
      contenders.push(await startTrivetChat(stack, programs, options));
    }
    contenders.push(...await startPeers(stack, folder, (what) => console.log(`skipped: ${what}`)));
    const rows = contenders.filter(isWanted).map((contender): Row => (
      { contender, runs: new Map(), half: [], stalled: [] }
    ));
    for (let round = 0; round < rounds; round++) await measure(rows, { receivers, seconds });
    console.log(table(rows));
    const lines = targets(rows);
    if (idle > 0) {
      const setting = { plain: false, durability: "commit" } as const;
      const options = { data: join(folder, "idle"), accounts: idle + 1, ...setting };
      lines.push(await idleTarget(await startTrivetChat(stack, programs, options), idle));
    }
    console.log(lines.map(targetLine).join("\n"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) await main();
