/**
 * The bench of remote commands: what goes through `cat` and back, how long `true` takes, and how soon
 * the first byte of a slow script is here; with `trivet exec` and with `ssh`, in turn, on this machine's
 * loopback alone. docs/performance.md says how to read it.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a program of its own, which prints its tables
import { parseArgs } from "@std/cli";
import { join } from "node:path";
import { ExecClient } from "../mod.ts";
import { type Contender, startContenders } from "./exec/contenders.ts";
import { spreadOf, type Target, targetLine } from "./peers/figures.ts";
import { type Command, run } from "./peers/processes.ts";

const USAGE = `deno task bench:exec [options]
  --size MIB       MiB through cat and back (default 1024)
  --rounds N       runs of the copy (default 5)
  --times N        runs of true (default 40)
  --programs WHICH auto: dist/ where it was built; source: never dist/ (default auto)`;

/** Figures by contender. */
type Figures = Map<string, number[]>;

function note(figures: Figures, name: string, value: number): void {
  const values = figures.get(name) ?? [];
  values.push(value);
  figures.set(name, values);
}

/** A shell that connects a command's stdin and stdout. */
function piped({ argv, env }: Command, rest: string): Command {
  return { argv: ["/bin/sh", "-c", `"$@" ${rest}`, "sh", ...argv], ...(env && { env }) };
}

/** Milliseconds of the copy through `cat`; the first round also compares every byte. */
async function measureCopy(
  contenders: readonly Contender[],
  { source, rounds }: { readonly source: string; readonly rounds: number },
): Promise<Figures> {
  const figures: Figures = new Map();
  for (let round = 0; round < rounds; round++) {
    for (const { name, cat } of contenders.filter(({ cat }) => cat !== undefined)) {
      if (cat === undefined) continue;
      if (round === 0) await run(piped(cat, `< "${source}" | cmp - "${source}"`));
      const { wallMs } = await run(piped(cat, `< "${source}" > /dev/null`));
      note(figures, name, wallMs);
      console.error(`copy ${round + 1}: ${name} ${wallMs.toFixed(0)} ms`);
    }
  }
  return figures;
}

/** Milliseconds of `true`, from before the program's start until it was reaped. */
async function measureTrue(
  contenders: readonly Contender[],
  { times, client }: { readonly times: number; readonly client: ExecClient },
): Promise<Figures> {
  const figures: Figures = new Map();
  for (let time = 0; time < times; time++) {
    for (const contender of contenders) {
      note(figures, contender.name, (await run(contender.true)).wallMs);
    }
    const startMs = performance.now();
    await (await client.start("true")).ended;
    note(figures, "ExecClient", performance.now() - startMs);
  }
  return figures;
}

/** Milliseconds from when a script wrote the time until it was read here, twice a run. */
async function measureFirstByte(
  contenders: readonly Contender[],
  times: number,
): Promise<Figures> {
  const figures: Figures = new Map();
  for (let time = 0; time < times; time++) {
    for (const { name, slow } of contenders) {
      const [program, ...args] = slow.argv;
      const child = new Deno.Command(program, {
        args,
        env: { ...slow.env },
        stdin: "null",
        stdout: "piped",
      }).spawn();
      for await (const piece of child.stdout) {
        const nowMs = performance.timeOrigin + performance.now();
        const writtenMs = Number(new TextDecoder().decode(piece).trim().split("\n")[0]) / 1e6;
        note(figures, name, nowMs - writtenMs);
      }
      await child.status;
    }
  }
  return figures;
}

function table(title: string, figures: Figures, digits: number): string {
  const lines = [...figures].map(([name, values]) => {
    const { median, min, max } = spreadOf(values) ?? { median: NaN, min: NaN, max: NaN };
    return `| ${name} | ${[median, min, max].map((n) => n.toFixed(digits)).join(" | ")} |`;
  });
  const head = ["| | median | minimum | maximum |", "|---|---:|---:|---:|"];
  return ["", title, "", ...head, ...lines].join("\n");
}

/** The median of one over that of another. */
function ratio(figures: Figures, ours: string, theirs: string): number | undefined {
  const [a, b] = [ours, theirs].map((name) => spreadOf(figures.get(name) ?? [])?.median);
  return a === undefined || b === undefined ? undefined : a / b;
}

function targetsOf(copy: Figures, latency: Figures, first: Figures): Target[] {
  const ours = "trivet exec";
  const below = (text: string, value: number | undefined): Target => (
    { text, value, bound: 0.5, rule: "below", unit: "" }
  );
  return [
    {
      text: `through cat and back: ${ours} ≥ 0.5 × ssh`,
      value: ratio(copy, "ssh", ours),
      bound: 0.5,
      rule: "at least",
      unit: "",
    },
    below(
      `true, a program and a connection each: ${ours} < 0.5 × ssh`,
      ratio(latency, ours, "ssh"),
    ),
    below(
      "true, a connection that is there: ExecClient < 0.5 × ssh -S, whose program starts each time",
      ratio(latency, "ExecClient", "ssh -S"),
    ),
    below(
      `true, a program each and a shared connection: ${ours}, shared < 0.5 × ssh -S`,
      ratio(latency, `${ours}, shared`, "ssh -S"),
    ),
    below(
      `true: ${ours}, which connects, < 0.5 × ssh -S, which need not`,
      ratio(latency, ours, "ssh -S"),
    ),
    {
      text: `longest way of a byte of a slow script: ${ours} < 100 ms`,
      value: spreadOf(first.get(ours) ?? [])?.max,
      bound: 100,
      rule: "below",
      unit: " ms",
    },
  ];
}

/** Bytes that nothing compresses. */
async function makeSource(path: string, mib: number): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true });
  const block = new Uint8Array(1024 ** 2);
  for (let at = 0; at < block.length; at += 65_536) {
    crypto.getRandomValues(block.subarray(at, at + 65_536));
  }
  for (let count = 0; count < mib; count++) file.writeSync(block);
}

async function main(): Promise<void> {
  const { size = "1024", rounds = "5", times = "40", programs = "auto", help } = parseArgs(
    [...Deno.args],
    { string: ["size", "rounds", "times", "programs"], boolean: ["help"] },
  );
  if (help || ![size, rounds, times].every((text) => Number(text) > 0)) {
    console.log(USAGE);
    Deno.exit(help ? 0 : 2);
  }
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "trivet-bench-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const source = join(folder, "source");
  await makeSource(source, Number(size));
  const { contenders, server, connection, origin } = await startContenders(stack, {
    folder,
    programs: programs === "source" ? "source" : "auto",
  });
  const client = stack.use(await ExecClient.connect(connection));
  const copy = await measureCopy(contenders, { source, rounds: Number(rounds) });
  const latency = await measureTrue(contenders, { times: Number(times), client });
  const first = await measureFirstByte(contenders, 5);
  console.log(`${size} MiB, ${rounds} rounds; true ${times} times; ${origin}`);
  console.log(table("Through cat and back, ms", copy, 0));
  console.log(table("true, ms", latency, 1));
  console.log(table("From written to read, ms", first, 1));
  const peak = await server.peakMemoryBytes();
  console.log(`\nMost memory of trivetd: ${((peak ?? NaN) / 1024 ** 2).toFixed(0)} MiB`);
  console.log(`\n${targetsOf(copy, latency, first).map(targetLine).join("\n")}`);
}

if (import.meta.main) await main();
