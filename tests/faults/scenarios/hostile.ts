/**
 * Peers that mean harm: frames of every type with something wrong in them, before and after login.
 *
 * @module
 */

import { join } from "node:path/posix";
import { memoryOf } from "../../e2e/testing.ts";
import { attack } from "../hostile/attack.ts";
import type { Scenario } from "../scenario.ts";
import type { Trial } from "../trial.ts";

/** Inputs of one try in the ordinary suite. */
const INPUTS = 2_000;

/** Inputs of one long try: twenty of them are a million. */
const INPUTS_LONG = 50_000;

/** So much more memory may be taken after the attack than when it had begun. */
const MEMORY_SPARE_BYTES = 96 * 1024 * 1024;

/** Attacks the server of a try and looks what it left. */
export async function attackServer(trial: Trial, inputs: number): Promise<void> {
  const { server, random } = trial;
  const digest = await trial.makeFile("mine.bin", 10_000);
  const { code } = await trial.run(["put", "mine.bin", "mine.bin"]);
  trial.expected.write("mine.bin", digest, code === 0);
  const outside = await namesIn(trial.world.folder);
  const target = { port: server.port, token: trial.otherToken };
  await attack(target, random, Math.min(inputs, 500));
  const before = await memoryOf(server.pid, "VmRSS");
  const connections = await attack(target, random, inputs);
  const after = await memoryOf(server.pid, "VmRSS");
  trial.tell(`${inputs} inputs, ${connections} connections, memory ${before} to ${after} bytes`);
  if (after > before + MEMORY_SPARE_BYTES) trial.fail("the server's memory grows with the attack");
  if ((await namesIn(trial.world.folder)).join() !== outside.join()) {
    trial.fail("something was made outside of the homes");
  }
}

/** What stands beside the homes. */
async function namesIn(folder: string): Promise<string[]> {
  const folders = [folder, join(folder, "server"), join(folder, "server", "homes")];
  const names = await Promise.all(folders.map((each) => Array.fromAsync(Deno.readDir(each))));
  const isSteady = (name: string) => !/-(?:wal|shm)$/.test(name);
  return names.flat().map(({ name }) => name).filter(isSteady).sort();
}

/** All of them. */
export const HOSTILE: readonly Scenario[] = [{
  name: "hostile frames",
  summary:
    `${INPUTS} frames of every type and service, most of them broken, before and after login`,
  setUp: { serve: ["--plain"] },
  run: (trial) => attackServer(trial, INPUTS),
}, {
  name: "hostile flood",
  summary: `the same with ${INPUTS_LONG} frames to one server`,
  isLong: true,
  setUp: { serve: ["--plain"] },
  run: (trial) => attackServer(trial, INPUTS_LONG),
}];
