/**
 * The bench of the server's memory: with many transfers at once, and what an idle connection costs with
 * and without TLS. Also how long the first page of a large folder takes. docs/performance.md says how to
 * read it.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a program of its own, which prints its tables
import { parseArgs } from "@std/cli";
import { join } from "node:path";
import { NetdiskClient } from "../mod.ts";
import { sleep } from "../client/retry.ts";
import { type Target, targetLine } from "./peers/figures.ts";
import { readProc } from "./peers/processes.ts";
import {
  findPrograms,
  type Programs,
  startTrivetd,
  TrivetClient,
  type TrivetServer,
} from "./peers/trivet.ts";

const USAGE = `deno task bench:memory [options]
  --transfers N    transfers at once (default 50)
  --size MIB       of each of their files (default 64)
  --idle N         idle connections (default 5000)
  --entries N      of the large folder (default 100000)
  --only LIST      some of transfers,idle,list (default all)
  --programs WHICH auto: dist/ where it was built; source: never dist/ (default auto)`;

const MIB = 1024 * 1024;
const TARGET_TRANSFERS_MIB = 150;
const TARGET_IDLE_MIB = 300;
const TARGET_PAGE_MS = 100;

/** Connections that are made at once. */
const DIALS_AT_ONCE = 32;

/** What connecting itself causes has passed by then. */
const SETTLE_MS = 5000;

const OPEN_NEW = { createNew: true, write: true } as const;

/** Times that the first page is asked for. */
const PAGE_TRIES = 9;

/** A server of its own, and how a client reaches it. */
interface Place {
  readonly server: TrivetServer;
  readonly folder: string;
  readonly access: { server: string; fingerprint?: string; plain?: boolean };
  readonly client: NetdiskClient;
}

async function openPlace(
  stack: AsyncDisposableStack,
  programs: Programs,
  { plain }: { readonly plain: boolean },
): Promise<Place> {
  const folder = await Deno.makeTempDir({ prefix: "trivet-bench-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const limits = ["--connections-per-address", "0"];
  const server = await startTrivetd(stack, programs, join(folder, "data"), { plain, limits });
  await TrivetClient.login(programs, join(folder, "home"), server);
  const address = `127.0.0.1:${server.port}`;
  const access = plain
    ? { server: address, plain }
    : { server: address, fingerprint: server.trust[1] ?? "" };
  const credentials = { user: "bench", password: "a password of the bench" };
  const client = stack.use(await NetdiskClient.connect({ ...access, credentials }));
  return { server, folder, access, client };
}

/** A line of `/proc/PID/status`, in bytes. */
async function memoryOf({ server }: Place, key: "VmRSS" | "VmHWM"): Promise<number> {
  const status = await readProc(`/proc/${server.daemon.pid}/status`);
  return Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, "m").exec(status ?? "")?.[1] ?? NaN) * 1024;
}

/** Files up, all at once, then down again; the most that the server held. */
async function measureTransfers(
  programs: Programs,
  { count, bytes }: { readonly count: number; readonly bytes: number },
): Promise<Target> {
  await using stack = new AsyncDisposableStack();
  const place = await openPlace(stack, programs, { plain: false });
  const { client, folder } = place;
  const source = join(folder, "source");
  using file = await Deno.open(source, { create: true, write: true });
  await file.truncate(bytes);
  const before = await memoryOf(place, "VmHWM");
  const numbers = [...Array(count).keys()];
  const startMs = performance.now();
  await Promise.all(numbers.map((n) => client.put(source, `/f${n}`, { durability: "os" })));
  const up = await memoryOf(place, "VmHWM");
  const upMs = performance.now() - startMs;
  await Promise.all(numbers.map((n) => client.get(`/f${n}`, join(folder, `f${n}`))));
  const down = await memoryOf(place, "VmHWM");
  const shown = (value: number) => `${(value / MIB).toFixed(0)} MiB`;
  console.log(
    `${count} transfers of ${shown(bytes)} at once: server at most ${shown(before)} before, ` +
      `${shown(up)} up, ${shown(down)} down; up ${(count * bytes / 1e3 / upMs).toFixed(0)} MB/s`,
  );
  return {
    text: `server memory at its peak, ${count} transfers at once < ${TARGET_TRANSFERS_MIB} MiB`,
    value: down / MIB,
    bound: TARGET_TRANSFERS_MIB,
    rule: "below",
    unit: " MiB",
  };
}

/** Connections that are logged in and say nothing. */
async function measureIdle(
  programs: Programs,
  { count, plain }: { readonly count: number; readonly plain: boolean },
): Promise<Target> {
  await using stack = new AsyncDisposableStack();
  const place = await openPlace(stack, programs, { plain });
  const { token } = await place.client.createToken({ scope: "read" });
  await sleep(SETTLE_MS);
  const before = await memoryOf(place, "VmRSS");
  let left = count;
  const dial = async () => {
    while (left-- > 0) {
      stack.use(await NetdiskClient.connect({ ...place.access, credentials: { token } }));
    }
  };
  await Promise.all(Array.from({ length: DIALS_AT_ONCE }, dial));
  await sleep(SETTLE_MS);
  const after = await memoryOf(place, "VmRSS");
  const how = plain ? "without TLS" : "with TLS";
  console.log(
    `${count} idle connections ${how}: ${(after / MIB).toFixed(0)} MiB, ` +
      `${(before / MIB).toFixed(0)} before, ${
        ((after - before) / count / 1024).toFixed(1)
      } KiB each`,
  );
  return {
    text: `server memory, ${count} idle connections ${how} < ${TARGET_IDLE_MIB} MiB`,
    value: after / MIB,
    bound: TARGET_IDLE_MIB,
    rule: "below",
    unit: " MiB",
  };
}

/** The first page of a large folder. */
async function measureList(
  programs: Programs,
  { entries }: { readonly entries: number },
): Promise<Target> {
  await using stack = new AsyncDisposableStack();
  const { client, server } = await openPlace(stack, programs, { plain: false });
  const many = join(server.home, "many");
  Deno.mkdirSync(many);
  for (let n = 0; n < entries; n++) Deno.openSync(join(many, `f${n}`), OPEN_NEW).close();
  const took: number[] = [];
  for (let n = 0; n < PAGE_TRIES; n++) {
    const startMs = performance.now();
    await client.listPage("/many");
    took.push(performance.now() - startMs);
  }
  const first = took[0] ?? NaN;
  const slowest = Math.max(...took);
  console.log(
    `first page of ${entries} entries: ${first.toFixed(0)} ms at first, ` +
      `${Math.min(...took).toFixed(0)} to ${slowest.toFixed(0)} ms in ${PAGE_TRIES} tries`,
  );
  return {
    text: `first page of ${entries} entries, slowest of ${PAGE_TRIES} < ${TARGET_PAGE_MS} ms`,
    value: slowest,
    bound: TARGET_PAGE_MS,
    rule: "below",
    unit: " ms",
  };
}

async function main(): Promise<void> {
  const options = parseArgs([...Deno.args], {
    string: ["transfers", "size", "idle", "entries", "only", "programs"],
    boolean: ["help"],
  });
  const count = Number(options.transfers ?? 50);
  const bytes = Number(options.size ?? 64) * MIB;
  const idle = Number(options.idle ?? 5000);
  const entries = Number(options.entries ?? 100_000);
  if (options.help || !(count > 0 && bytes > 0 && idle > 0 && entries > 0)) {
    console.log(USAGE);
    Deno.exit(options.help ? 0 : 2);
  }
  const only = (options.only ?? "transfers,idle,list").split(",");
  const programs = await findPrograms(options.programs === "source" ? "source" : "auto");
  const targets: Target[] = [];
  if (only.includes("transfers")) targets.push(await measureTransfers(programs, { count, bytes }));
  if (only.includes("idle")) {
    for (const plain of [false, true]) {
      targets.push(await measureIdle(programs, { count: idle, plain }));
    }
  }
  if (only.includes("list")) targets.push(await measureList(programs, { entries }));
  console.log(targets.map(targetLine).join("\n"));
}

if (import.meta.main) await main();
