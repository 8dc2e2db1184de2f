/**
 * The side-by-side bench: moves files up and down with Trivet's client and server and with other
 * programs, in turn and on this machine's loopback alone. Prints tables and the targets, and keeps every
 * run in `bench/results/`. docs/performance.md says how to read it.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a program of its own, which prints its tables
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import type { Contender } from "./peers/contender.ts";
import { tables, type Target, targetLine } from "./peers/figures.ts";
import { isInsideLink, runInsideLink } from "./peers/link.ts";
import { nginxVersion, startNginx } from "./peers/nginx.ts";
import { type Options, readOptions, SCENARIOS, USAGE } from "./peers/options.ts";
import { Bench } from "./peers/rounds.ts";
import { rsyncVersion, startRsync } from "./peers/rsync.ts";
import { sshVersion, startSsh } from "./peers/ssh.ts";
import { firstDataTargets, speedTargets } from "./peers/targets.ts";
import {
  findPrograms,
  type Programs,
  startPlainTrivet,
  startTrivetd,
  TrivetClient,
  trivetContenders,
  type TrivetServer,
} from "./peers/trivet.ts";
import { startTutorial } from "./peers/tutorial.ts";
import { startVsftpd, vsftpdVersion } from "./peers/vsftpd.ts";

const TARGET_MEMORY_MIB = 200;
const MIB = 1024 * 1024;

const PEERS = [startSsh, startRsync, startNginx, startVsftpd, startTutorial];

/** Where everything runs. */
interface Place {
  readonly stack: AsyncDisposableStack;
  readonly folder: string;
  readonly programs: Programs;
  readonly server: TrivetServer;
}

/** Starts all contenders that were asked for, and says which are not there. */
async function startContenders(
  { stack, folder, programs, server }: Place,
  wanted: readonly string[] | undefined,
): Promise<Contender[]> {
  const client = await TrivetClient.login(programs, join(folder, "home"), server);
  const all = trivetContenders(client, server);
  all.push(await startPlainTrivet(stack, programs, folder));
  for (const start of PEERS) {
    const peers = await start(stack, folder);
    if (typeof peers === "string") console.error(`skipped: ${peers}`);
    else all.push(...peers);
  }
  const missing = wanted?.filter((name) => !all.some((contender) => contender.name === name)) ?? [];
  for (const name of missing) console.error(`skipped: ${name}: no contender has this name`);
  return wanted === undefined ? all : all.filter(({ name }) => wanted.includes(name));
}

async function describe(options: Options, programs: Programs) {
  return {
    date: new Date().toISOString(),
    programs: programs.origin,
    deno: Deno.version.deno,
    ssh: await sshVersion(),
    rsync: await rsyncVersion(),
    nginx: await nginxVersion(),
    vsftpd: await vsftpdVersion(),
    system: `${Deno.build.os} ${Deno.osRelease()} ${Deno.build.arch}`,
    processors: navigator.hardwareConcurrency,
    sizeBytes: options.sizeBytes,
    rounds: options.rounds,
    link: options.link ?? "loopback",
  };
}

async function main(): Promise<void> {
  const options = readOptions(Deno.args);
  if (options === undefined) {
    console.log(USAGE);
    Deno.exit(Deno.args.includes("--help") ? 0 : 2);
  }
  if (options.link !== undefined && !isInsideLink()) {
    const ended = await runInsideLink(options.link, fileURLToPath(import.meta.url));
    if (typeof ended === "number") Deno.exit(ended);
    console.error(`skipped: ${ended}`);
    return;
  }
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({
    prefix: "trivet-bench-",
    ...(options.folder === undefined ? {} : { dir: options.folder }),
  });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  // Ctrl-C ends the run between two rounds, so that what was started is ended too.
  let isStopped = false;
  Deno.addSignalListener("SIGINT", () => isStopped = true);

  const programs = await findPrograms(options.programs);
  const server = await startTrivetd(stack, programs, join(folder, "data"), { plain: false });
  const place = { stack, folder, programs, server };
  const contenders = await startContenders(place, options.contenders);
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
  const machine = await describe(options, programs);
  console.log(Object.entries(machine).map(([key, value]) => `${key} ${value}`).join(", "));
  console.log("Median (minimum–maximum). CPU is client and server together; memory is client +");
  console.log("server, the most that was seen in the first round.");
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
