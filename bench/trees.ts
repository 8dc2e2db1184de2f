/**
 * The bench of many small files: moves a folder up and down with Trivet over TLS, with scp -r and with
 * an rsync daemon, in turn and on this machine's loopback alone. Every transfer goes to a name that was
 * not there before and nothing is deleted until the end, since a file system may take long to give the
 * inodes of deleted files away again. docs/performance.md says how to read it.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a program of its own, which prints its tables
import { parseArgs } from "@std/cli";
import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { Ballast } from "./peers/ballast.ts";
import type { Contender } from "./peers/contender.ts";
import { ratioOf, type Run, spreadOf, tables, type Target, targetLine } from "./peers/figures.ts";
import { run } from "./peers/processes.ts";
import { startRsync } from "./peers/rsync.ts";
import { startSsh } from "./peers/ssh.ts";
import { findPrograms, startTrivetd, TrivetClient, trivetContenders } from "./peers/trivet.ts";

const USAGE = `deno task bench:trees [options]
  --files N        files of 4 KiB, a hundred to a folder (default 10000)
  --rounds N       runs of each cell (default 5)
  --folder DIR     where files go (default: the system's temporary folder)
  --programs WHICH auto: dist/ where it was built; source: never dist/ (default auto)`;

const FILE_BYTES = 4096;
const FOLDER_FILES = 100;
const SCENARIO = "tree";

/** The peers that are compared. */
const PEERS = ["scp", "rsync -W", "rsync -W --fsync"];

/** How long a second sync of an unchanged tree may take. */
const TARGET_SYNC_MS = 2000;

/** Makes the tree: noise, and times that lie back. */
async function makeTree(folder: string, files: number): Promise<void> {
  const content = new Uint8Array(FILE_BYTES);
  for (let number = 0; number < files; number++) {
    const below = join(folder, `d${Math.floor(number / FOLDER_FILES)}`);
    if (number % FOLDER_FILES === 0) await Deno.mkdir(below, { recursive: true });
    crypto.getRandomValues(content);
    const path = join(below, `f${number}`);
    Deno.writeFileSync(path, content);
    Deno.utimeSync(path, 1_600_000_000 + number, 1_600_000_000 + number);
  }
}

/** What a tree holds, for comparing two of them. */
async function contentOf(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { name } of Deno.readDir(folder)) {
    for await (const file of Deno.readDir(join(folder, name))) {
      const path = join(folder, name, file.name);
      const { mtime } = await Deno.stat(path);
      const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
      found.set(`${name}/${file.name}`, `${new Uint8Array(digest).toHex()} ${mtime?.getTime()}`);
    }
  }
  return found;
}

interface Bench {
  readonly folder: string;
  readonly source: string;
  readonly bytes: number;
  readonly ballast: Ballast;
  readonly runs: Run[];
}

async function one(
  bench: Bench,
  direction: "up" | "down",
  contender: Contender,
  round: number,
): Promise<void> {
  const { folder, source, bytes, ballast, runs } = bench;
  const remote = `tree-${contender.name.replaceAll(/\W+/g, "-")}-${round}`;
  const local = direction === "up" ? source : join(folder, `down-${remote}`);
  const command = contender.tree(direction, local, remote);
  if (command === undefined) return;
  await ballast.fill(join(source, "d0", "f0"));
  await run({ argv: ["sync"] });
  const before = await contender.daemon.cpuSeconds();
  const { wallMs, cpuSeconds } = await run(command);
  await contender.daemon.settle();
  const after = await contender.daemon.cpuSeconds();
  const isKnown = cpuSeconds !== undefined && before !== undefined && after !== undefined;
  runs.push({
    scenario: SCENARIO,
    direction,
    contender: contender.name,
    round,
    bytes,
    wallMs,
    cpuSeconds: isKnown ? cpuSeconds + after - before : undefined,
  });
  console.error(`round ${round + 1} ${direction}: ${contender.name} ${wallMs.toFixed(0)} ms`);
  if (round > 0) return;
  const there = direction === "up" ? join(contender.folder, remote) : local;
  assertEquals(await contentOf(there), await contentOf(source), `${contender.name} ${direction}`);
}

/** The promises about speed. */
function speedTargets(runs: readonly Run[]): Target[] {
  const pairs = [
    ["trivet --durability os", "rsync -W", "neither waits for the disk"],
    ["trivet --durability os", "scp", "neither waits for the disk"],
    ["trivet", "rsync -W --fsync", "both wait for the disk"],
    ["trivet", "scp", "the defaults, of which only trivet's waits for the disk"],
  ] as const;
  return pairs.flatMap(([ours, theirs, note]) =>
    (["up", "down"] as const).map((direction) => {
      const of = (contender: string) => ({ scenario: SCENARIO, direction, contender });
      const value = ratioOf(runs, of(ours), of(theirs));
      const text = `${direction}: ${ours} ≥ 1 × ${theirs} (${note})`;
      return { text, value, bound: 1, rule: "at least", unit: "" } as const;
    })
  );
}

async function main(): Promise<void> {
  const { files, rounds, folder: parent, programs: which, help } = parseArgs([...Deno.args], {
    string: ["files", "rounds", "folder", "programs"],
    boolean: ["help"],
  });
  const [fileCount, roundCount] = [Number(files ?? 10_000), Number(rounds ?? 5)];
  if (help || !(fileCount > 0) || !(roundCount > 0)) {
    console.log(USAGE);
    Deno.exit(help ? 0 : 2);
  }
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({
    prefix: "trivet-bench-",
    ...(parent === undefined ? {} : { dir: parent }),
  });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const source = join(folder, "source");
  await makeTree(source, fileCount);
  const programs = await findPrograms(which === "source" ? "source" : "auto");
  const server = await startTrivetd(stack, programs, join(folder, "data"), { plain: false });
  const client = await TrivetClient.login(programs, join(folder, "home"), server);
  const contenders = trivetContenders(client, server);
  for (const peer of [await startSsh(stack, folder), await startRsync(stack, folder)]) {
    if (typeof peer === "string") console.error(`skipped: ${peer}`);
    else contenders.push(...peer.filter(({ name }) => PEERS.includes(name)));
  }
  const ballast = new Ballast(join(folder, "ballast"));
  const bench: Bench = { folder, source, bytes: fileCount * FILE_BYTES, ballast, runs: [] };
  const syncMs: number[] = [];
  for (let round = 0; round < roundCount; round++) {
    const first = round % contenders.length;
    const turns = [...contenders.slice(first), ...contenders.slice(0, first)];
    for (const direction of ["up", "down"] as const) {
      for (const contender of turns) await one(bench, direction, contender, round);
    }
    const again = client.command(["sync", source, `tree-trivet-${round}`, "--quiet"]);
    syncMs.push((await run(again)).wallMs);
  }
  const targets: Target[] = [...speedTargets(bench.runs), {
    text: `second sync of an unchanged tree of ${fileCount} files < ${TARGET_SYNC_MS} ms`,
    value: spreadOf(syncMs)?.median,
    bound: TARGET_SYNC_MS,
    rule: "below",
    unit: " ms",
  }];
  console.log(
    `${fileCount} files of ${FILE_BYTES} bytes, ${roundCount} rounds, ${programs.origin}`,
  );
  console.log("Median (minimum–maximum); CPU is client and server together.");
  console.log(tables(bench.runs, new Map([[SCENARIO, "A tree to a place that is not there yet"]])));
  console.log(`\n${targets.map(targetLine).join("\n")}`);
}

if (import.meta.main) await main();
