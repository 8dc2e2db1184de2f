/**
 * The side-by-side bench: moves a file up and down with Trivet's client and server over TLS, with scp
 * and with an rsync daemon, in turn and on this machine's loopback alone. Prints tables and the targets,
 * and keeps every run in `bench/results/`. docs/performance.md says how to read it.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a program of its own, which prints its tables
import { parseArgs } from "@std/cli";
import { join } from "node:path";
import { parseBytes } from "../lib/term/values.ts";
import { Ballast } from "./peers/ballast.ts";
import type { Contender, Direction } from "./peers/contender.ts";
import { ratioOf, type Run, tables, type Target, targetLine } from "./peers/figures.ts";
import { firstDataMs, TARGET_FIRST_DATA_MS } from "./peers/first_data_run.ts";
import { run } from "./peers/processes.ts";
import { rsyncVersion, startRsync } from "./peers/rsync.ts";
import { sshVersion, startSsh } from "./peers/ssh.ts";
import {
  findPrograms,
  type Programs,
  startTrivetd,
  TrivetClient,
  trivetContenders,
} from "./peers/trivet.ts";

const USAGE = `deno task bench [options]
  --size SIZE      bytes of the file (default 2G)
  --rounds N       runs of each cell (default 5)
  --scenarios LIST some of fresh,over,nowhere (default: all)
  --folder DIR     where files go; needs about ten times SIZE (default: the system's temporary folder)
  --programs WHICH auto: dist/ where it was built; source: never dist/ (default auto)`;

const TARGET_MEMORY_MIB = 200;
const MIB = 1024 * 1024;
const SCENARIOS = new Map([
  ["fresh", "To files that are not there yet"],
  ["over", "Over files that are there already"],
  ["nowhere", "Down, without writing (`trivet cat` and `ssh cat` to /dev/null)"],
]);

interface Options {
  readonly sizeBytes: number;
  readonly rounds: number;
  readonly scenarios: readonly string[];
  readonly folder: string | undefined;
  readonly programs: "auto" | "source";
}

function readOptions(args: readonly string[]): Options {
  const { size, rounds, scenarios, folder, programs, help } = parseArgs([...args], {
    string: ["size", "rounds", "scenarios", "folder", "programs"],
    boolean: ["help"],
  });
  const sizeBytes = parseBytes(size ?? "2G");
  const roundCount = Number(rounds ?? 5);
  const chosen = scenarios?.split(",") ?? [...SCENARIOS.keys()];
  const isUsable = chosen.every((name) => SCENARIOS.has(name)) && sizeBytes !== undefined &&
    sizeBytes > 0 && Number.isInteger(roundCount) &&
    roundCount > 0 && (programs === undefined || programs === "auto" || programs === "source");
  if (help || !isUsable) {
    console.log(USAGE);
    Deno.exit(help ? 0 : 2);
  }
  return { sizeBytes, rounds: roundCount, scenarios: chosen, folder, programs: programs ?? "auto" };
}

/** Fills a file with noise, which nothing can compress. */
async function makeSource(path: string, sizeBytes: number): Promise<void> {
  using file = await Deno.open(path, { create: true, write: true });
  const piece = new Uint8Array(MIB);
  for (let left = sizeBytes; left > 0; left -= piece.length) {
    for (let at = 0; at < MIB; at += 65_536) {
      crypto.getRandomValues(piece.subarray(at, at + 65_536));
    }
    file.writeSync(left < MIB ? piece.subarray(0, left) : piece);
  }
}

/** One transfer, timed; what earlier ones left to be written to the disk is written before. */
async function transfer(
  contender: Contender,
  direction: Direction,
  paths: { source: string; target: string; name: string },
): Promise<Pick<Run, "wallMs" | "cpuSeconds"> | undefined> {
  const local = direction === "up" ? paths.source : paths.target;
  const command = contender.command(direction, local, paths.name);
  if (command === undefined) return undefined;
  await run({ argv: ["sync"] });
  const before = await contender.daemon.cpuSeconds();
  const { wallMs, cpuSeconds } = await run(command);
  await contender.daemon.settle();
  const after = await contender.daemon.cpuSeconds();
  const isKnown = cpuSeconds !== undefined && before !== undefined && after !== undefined;
  return { wallMs, cpuSeconds: isKnown ? cpuSeconds + after - before : undefined };
}

class Bench {
  readonly #options: Options;
  readonly #folder: string;
  readonly #source: string;
  readonly #ballast: Ballast;
  readonly runs: Run[] = [];

  constructor(options: Options, folder: string) {
    this.#options = options;
    this.#folder = folder;
    this.#source = join(folder, "source");
    this.#ballast = new Ballast(join(folder, "ballast"));
  }

  async prepare(): Promise<void> {
    await makeSource(this.#source, this.#options.sizeBytes);
  }

  /** One round of everything; who goes first changes from round to round. */
  async round(number: number, contenders: readonly Contender[]): Promise<void> {
    const first = number % contenders.length;
    const turns = [...contenders.slice(first), ...contenders.slice(0, first)];
    const { scenarios } = this.#options;
    for (const scenario of ["fresh", "over"].filter((name) => scenarios.includes(name))) {
      for (const direction of ["up", "down"] as const) {
        for (const contender of turns) await this.#one(scenario, direction, contender, number);
      }
    }
    if (scenarios.includes("nowhere")) {
      for (const contender of turns) await this.#one("nowhere", "nowhere", contender, number);
    }
    for (const contender of contenders) {
      await remove(join(contender.folder, "file"));
      await remove(this.#target(contender));
    }
  }

  async #one(
    scenario: string,
    direction: Direction,
    contender: Contender,
    round: number,
  ): Promise<void> {
    const target = this.#target(contender);
    // Contenders that share a server share its files: what a fresh one needs is made or removed first.
    const stored = join(contender.folder, "file");
    if (scenario === "fresh" && direction === "up") await remove(stored);
    if (scenario === "fresh" && direction === "down") await remove(target);
    await this.#ballast.fill(direction === "up" ? this.#source : stored);
    const cost = await transfer(contender, direction, {
      source: this.#source,
      target,
      name: "file",
    });
    if (cost === undefined) return;
    if (round === 0 && direction !== "nowhere") {
      await run({ argv: ["cmp", this.#source, direction === "up" ? stored : target] });
    }
    const bytes = this.#options.sizeBytes;
    const done = { scenario, direction, contender: contender.name, round, bytes, ...cost };
    this.runs.push(done);
    console.error(
      `round ${round + 1} ${scenario} ${direction}: ${contender.name} ` +
        `${(bytes / 1e3 / cost.wallMs).toFixed(0)} MB/s`,
    );
  }

  #target(contender: Contender): string {
    return join(this.#folder, `down ${contender.name}`);
  }
}

async function remove(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** The promises about speed, with what each pair does about the disk. */
function speedTargets(runs: readonly Run[]): Target[] {
  const targets: Target[] = [];
  const compare = (direction: Direction, bound: number, names: [string, string], note: string) => {
    const [ours, theirs] = names;
    const scenario = direction === "nowhere" ? "nowhere" : "fresh";
    const of = (contender: string) => ({ scenario, direction, contender });
    const value = ratioOf(runs, of(ours), of(theirs));
    const text = `${direction}: ${ours} ≥ ${bound} × ${theirs} (${note})`;
    targets.push({ text, value, bound, rule: "at least", unit: "" });
  };
  const ways = ["up", "down"] as const;
  // Like with like comes first.
  for (const way of ways) {
    compare(way, 2, ["trivet --durability os", "scp"], "neither waits for the disk");
    compare(way, 0.8, ["trivet --durability os", "rsync -W"], "neither waits for the disk");
  }
  for (const way of ways) {
    compare(way, 0.8, ["trivet", "rsync -W --fsync"], "both wait for the disk");
  }
  for (const way of ways) {
    const note = "the defaults, of which only trivet's waits for the disk";
    compare(way, 2, ["trivet", "scp"], note);
    compare(way, 0.8, ["trivet", "rsync -W"], note);
  }
  compare("nowhere", 2, ["trivet", "scp"], "trivet cat and ssh cat, no disk");
  return targets;
}

/** Measures when the first DATA frame leaves, and with TLS when the server has written it. */
async function firstDataTargets(
  programs: Programs,
  folder: string,
  rounds: number,
): Promise<Target[]> {
  const targets: Target[] = [];
  for (const plain of [true, false]) {
    const value = await firstDataMs(programs, folder, { plain, rounds }).catch((error) => {
      // Hours of transfers must not be lost for this one.
      console.error(error);
      return undefined;
    });
    const seen = plain ? "without TLS, seen by its frame" : "with TLS, written by the server";
    const text = `first DATA < ${TARGET_FIRST_DATA_MS} ms after the command's start (${seen})`;
    targets.push({ text, value, bound: TARGET_FIRST_DATA_MS, rule: "below", unit: " ms" });
  }
  return targets;
}

async function main(): Promise<void> {
  const options = readOptions(Deno.args);
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({
    prefix: "trivet-bench-",
    ...(options.folder === undefined ? {} : { dir: options.folder }),
  });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  // Ctrl-C ends the run between two transfers, so that what was started is ended too.
  let isStopped = false;
  Deno.addSignalListener("SIGINT", () => isStopped = true);

  const programs = await findPrograms(options.programs);
  const server = await startTrivetd(stack, programs, join(folder, "data"), { plain: false });
  const client = await TrivetClient.login(programs, join(folder, "home"), server);
  const contenders = trivetContenders(client, server);
  for (const peer of [await startSsh(stack, folder), await startRsync(stack, folder)]) {
    if (typeof peer === "string") console.error(`skipped: ${peer}`);
    else contenders.push(...[peer].flat());
  }
  const bench = new Bench(options, folder);
  await bench.prepare();
  for (let round = 0; round < options.rounds && !isStopped; round++) {
    await bench.round(round, contenders);
  }
  const peakBytes = await server.daemon.peakMemoryBytes();
  const targets = [
    ...speedTargets(bench.runs),
    {
      text: `server memory < ${TARGET_MEMORY_MIB} MiB at its peak (VmHWM)`,
      value: peakBytes === undefined ? undefined : peakBytes / MIB,
      bound: TARGET_MEMORY_MIB,
      rule: "below",
      unit: " MiB",
    } satisfies Target,
    ...await firstDataTargets(programs, folder, options.rounds),
  ];
  const machine = {
    date: new Date().toISOString(),
    programs: programs.origin,
    deno: Deno.version.deno,
    ssh: await sshVersion(),
    rsync: await rsyncVersion(),
    system: `${Deno.build.os} ${Deno.osRelease()} ${Deno.build.arch}`,
    processors: navigator.hardwareConcurrency,
    sizeBytes: options.sizeBytes,
    rounds: options.rounds,
  };
  console.log(Object.entries(machine).map(([key, value]) => `${key} ${value}`).join(", "));
  console.log("Median (minimum–maximum); CPU is client and server together.");
  const shown = [...SCENARIOS].filter(([name]) => options.scenarios.includes(name));
  console.log(tables(bench.runs, new Map(shown)));
  console.log(`\n${targets.map(targetLine).join("\n")}`);
  await keep({ machine, targets, runs: bench.runs });
}

async function keep(
  result: { machine: { date: string } } & Record<string, unknown>,
): Promise<void> {
  const folder = new URL("results/", import.meta.url);
  await Deno.mkdir(folder, { recursive: true });
  const file = new URL(`peers-${result.machine.date.replaceAll(":", "")}.json`, folder);
  await Deno.writeTextFile(file, JSON.stringify(result, null, 2) + "\n");
}

if (import.meta.main) await main();
