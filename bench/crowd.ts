/**
 * The bench of a crowd: one client uploads flat out, again and again, while the others list a folder.
 * Tells how long a listing takes and how the server's memory goes. docs/performance.md says how to read
 * it.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a program of its own, which prints its tables
import { parseArgs } from "@std/cli";
import { join } from "node:path";
import { NetdiskClient } from "../mod.ts";
import { sleep } from "../client/retry.ts";
import { spreadOf, type Target, targetLine } from "./peers/figures.ts";
import { readProc, run } from "./peers/processes.ts";
import { findPrograms, startTrivetd, TrivetClient } from "./peers/trivet.ts";

const USAGE = `deno task bench:crowd [options]
  --seconds N      how long (default 300)
  --clients N      clients that list (default 49)
  --entries N      entries of the folder that they list (default 100)
  --pause MS       time between two listings of one client (default 100)
  --size SIZE      MiB of the file that is uploaded (default 1024)
  --programs WHICH auto: dist/ where it was built; source: never dist/ (default auto)`;

const MIB = 1024 * 1024;
const TARGET_P99_MS = 100;

/** How much more memory the last minute may show than the second. */
const TARGET_GROWTH = 1.05;

/** Time is told in fifths: of the usual five minutes each is one. */
const PARTS = 5;

/** Resident memory of a process now, in bytes. */
async function residentBytes(pid: number): Promise<number> {
  const status = await readProc(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status ?? "")?.[1] ?? Number.NaN) * 1024;
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** Lists again and again; how long each took, in milliseconds. */
async function listOn(
  client: NetdiskClient,
  { pauseMs, signal }: { readonly pauseMs: number; readonly signal: AbortSignal },
): Promise<number[]> {
  const took: number[] = [];
  // They must not all ask in one moment.
  await sleep(Math.random() * pauseMs, signal).catch(() => {});
  while (!signal.aborted) {
    const startMs = performance.now();
    await client.listPage("/crowd");
    took.push(performance.now() - startMs);
    await sleep(pauseMs, signal).catch(() => {});
  }
  return took;
}

async function main(): Promise<void> {
  const options = parseArgs([...Deno.args], {
    string: ["seconds", "clients", "entries", "pause", "size", "programs"],
    boolean: ["help"],
  });
  const number = (text: string | undefined, usual: number) => Number(text ?? usual);
  const seconds = number(options.seconds, 300);
  const clients = number(options.clients, 49);
  const entries = number(options.entries, 100);
  const pauseMs = number(options.pause, 100);
  const sizeBytes = number(options.size, 1024) * MIB;
  if (options.help || !(seconds > 0 && clients > 0 && entries > 0 && sizeBytes > 0)) {
    console.log(USAGE);
    Deno.exit(options.help ? 0 : 2);
  }
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "trivet-bench-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const programs = await findPrograms(options.programs === "source" ? "source" : "auto");
  const server = await startTrivetd(stack, programs, join(folder, "data"), { plain: false });
  const uploader = await TrivetClient.login(programs, join(folder, "home"), server);
  const source = join(folder, "source");
  using file = await Deno.open(source, { create: true, write: true });
  await file.truncate(sizeBytes);
  await Deno.mkdir(join(server.home, "crowd"));
  for (let n = 0; n < entries; n++) Deno.writeTextFileSync(join(server.home, "crowd", `f${n}`), "");

  const over = new AbortController();
  const access = {
    server: `127.0.0.1:${server.port}`,
    credentials: { user: "bench", password: "a password of the bench" },
    fingerprint: server.trust[1] ?? "",
  };
  const crowd = stack.use(new AsyncDisposableStack());
  const listing: Promise<number[]>[] = [];
  for (let n = 0; n < clients; n++) {
    const client = crowd.use(await NetdiskClient.connect(access));
    listing.push(listOn(client, { pauseMs, signal: over.signal }));
  }
  console.error(`${clients} clients list`);
  let uploadedBytes = 0;
  const memory: number[] = [];
  const sampling = setInterval(
    async () => memory.push(await residentBytes(server.daemon.pid)),
    1000,
  );
  const startMs = performance.now();
  for (let n = 0; performance.now() - startMs < seconds * 1000; n++) {
    // Two names in turn: what is there already must not spare the sending.
    await Deno.remove(join(server.home, `big${n % 2}`)).catch(() => {});
    const command = [
      "put",
      source,
      `big${n % 2}`,
      "--quiet",
      "--durability",
      "os",
      "--resume",
      "never",
    ];
    await run(uploader.command(command));
    uploadedBytes += sizeBytes;
  }
  const wallMs = performance.now() - startMs;
  clearInterval(sampling);
  over.abort();
  const took = (await Promise.all(listing)).flat();
  const part = Math.floor(memory.length / PARTS);
  const early = spreadOf(memory.slice(part, 2 * part));
  const late = spreadOf(memory.slice((PARTS - 1) * part));
  const growth = early === undefined || late === undefined ? undefined : late.median / early.median;
  const targets: Target[] = [
    {
      text: "ls p99",
      value: quantile(took, 0.99),
      bound: TARGET_P99_MS,
      rule: "below",
      unit: " ms",
    },
    {
      text: `memory, last fifth of the time over second fifth < ${TARGET_GROWTH}`,
      value: growth,
      bound: TARGET_GROWTH,
      rule: "below",
      unit: "",
    },
  ];
  console.log(`${clients} clients listing ${entries} entries every ${pauseMs} ms, one uploading`);
  console.log(
    `${(wallMs / 1000).toFixed(0)} s, ${took.length} listings, ` +
      `${(uploadedBytes / 1e3 / wallMs).toFixed(0)} MB/s up`,
  );
  const [p50, p99, most] = [0.5, 0.99, 1].map((part) => quantile(took, part).toFixed(1));
  console.log(`ls: median ${p50} ms, p99 ${p99} ms, longest ${most} ms`);
  const show = (bytes: number | undefined) => `${((bytes ?? 0) / MIB).toFixed(0)} MiB`;
  console.log(
    `server memory: second fifth ${show(early?.median)}, last fifth ${show(late?.median)}, ` +
      `most ${show(spreadOf(memory)?.max)}`,
  );
  // One of ten seconds.
  const shown = memory.filter((_, second) => second % 10 === 0).map((bytes) => bytes / MIB);
  console.log(`server memory in MiB, each 10 s: ${shown.map((mib) => mib.toFixed(0)).join(" ")}`);
  console.log(targets.map(targetLine).join("\n"));
}

if (import.meta.main) await main();
