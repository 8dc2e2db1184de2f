/**
 * What many do at once, or again and again: all descriptors taken, connections that come and go.
 *
 * @module
 */

import { FROM_SOURCE, memoryOf } from "../../e2e/testing.ts";
import type { Scenario } from "../scenario.ts";
import type { Trial } from "../trial.ts";

/** The server starts with some thirty open. */
const DESCRIPTORS = 96;
const STRANGERS = 160;

/** Connections that come and go in one try. */
const CYCLES = 300;
const CYCLES_LONG = 2_000;

/** Bytes that cannot be the beginning of anything. */
const LONG_ENOUGH = 40;

/** What may stay open that was not before: a log, a database's file. */
const DESCRIPTORS_SPARE = 8;
const MEMORY_SPARE_BYTES = 64 * 1024 * 1024;

function fewDescriptors(argv: readonly string[]): string[] {
  return ["/bin/sh", "-c", `ulimit -n ${DESCRIPTORS}; exec "$0" "$@"`, ...argv];
}

/** Files and sockets that the server has open. */
async function descriptorsOf(trial: Trial): Promise<number> {
  const { stdout } = await new Deno.Command("ls", { args: [`/proc/${trial.server.pid}/fd`] })
    .output();
  return new TextDecoder().decode(stdout).split("\n").length;
}

async function connect(trial: Trial): Promise<Deno.TcpConn | undefined> {
  const target = { hostname: "127.0.0.1", port: trial.server.port };
  return await Deno.connect(target).catch(() => undefined);
}

const EXHAUSTED: Scenario = {
  name: "descriptors exhausted",
  summary: "strangers take all descriptors of the server while a transfer runs, and go again",
  setUp: { programs: { ...FROM_SOURCE, trivetd: fewDescriptors(FROM_SOURCE.trivetd) } },
  run: async (trial) => {
    const digest = await trial.makeFile("fd.bin", 8_000_000);
    const running = trial.start(["put", "fd.bin", "fd.bin", "--limit-rate", "8M"]);
    await trial.pause(600);
    const strangers = await Promise.all(Array.from({ length: STRANGERS }, () => connect(trial)));
    await trial.pause(3_000);
    for (const stranger of strangers) stranger?.close();
    const { code } = await running.ended;
    trial.expected.write("fd.bin", digest, code === 0);
    const again = await trial.run(["put", "fd.bin", "fd.bin"]);
    if (again.code !== 0) trial.fail(`nobody is served after it: ${again.stderr}`);
    trial.expected.write("fd.bin", digest, again.code === 0);
  },
};

function cycles(count: number): Scenario["run"] {
  return async (trial) => {
    // The first ones load what stays loaded.
    await comeAndGo(trial, 50);
    await trial.run(["ls"]);
    const files = await descriptorsOf(trial);
    const memory = await memoryOf(trial.server.pid, "VmRSS");
    await comeAndGo(trial, count);
    await trial.run(["ls"]);
    const filesAfter = await descriptorsOf(trial);
    const memoryAfter = await memoryOf(trial.server.pid, "VmRSS");
    trial.tell(`descriptors ${files} to ${filesAfter}, memory ${memory} to ${memoryAfter} bytes`);
    if (filesAfter > files + DESCRIPTORS_SPARE) trial.fail("descriptors stay open");
    if (memoryAfter > memory + MEMORY_SPARE_BYTES) trial.fail("memory is not given back");
  };
}

/** Connects, says something or nothing, and goes, in one of the ways that there are. */
async function comeAndGo(trial: Trial, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const conn = await connect(trial);
    if (conn === undefined) continue;
    const bytes = new Uint8Array(trial.random.below(200));
    trial.random.fill(bytes);
    const said = bytes.length === 0 ? undefined : conn.write(bytes).catch(() => {});
    await said;
    // Who says nothing would have to wait for the end of the time to log in.
    if (bytes.length > LONG_ENOUGH && trial.random.chance(30)) {
      await conn.read(new Uint8Array(16)).catch(() => {});
    }
    conn.close();
  }
}

const COME_AND_GO: Scenario = {
  name: "come and go",
  summary: `${CYCLES} strangers connect and go, and nothing of them stays`,
  run: cycles(CYCLES),
};

const COME_AND_GO_LONG: Scenario = {
  name: "come and go for long",
  summary: `${CYCLES_LONG} strangers connect and go, and nothing of them stays`,
  isLong: true,
  run: cycles(CYCLES_LONG),
};

/** All of them. */
export const LOAD: readonly Scenario[] = [EXHAUSTED, COME_AND_GO, COME_AND_GO_LONG];
