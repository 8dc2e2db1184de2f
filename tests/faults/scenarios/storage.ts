/**
 * What storage does: a quota or a disk that is full in the middle, a disk that takes no more writes, a
 * database that somebody else holds.
 *
 * @module
 */

import { join } from "node:path/posix";
import { DatabaseSync } from "node:sqlite";
import { EXIT } from "../../../lib/errors.ts";
import { cannotMount, mountSmall, remount, unmount } from "../disk.ts";
import type { Scenario } from "../scenario.ts";
import type { Trial } from "../trial.ts";
import { WORKS } from "../works.ts";

const MIB = 1024 * 1024;
/** Stores what does not fit, together with what does. */
async function fill(trial: Trial, code: number): Promise<void> {
  const big = await trial.makeFile("big.bin", 40 * MIB);
  const small = await trial.makeFile("small.bin", 1000);
  const first = trial.start(["put", "big.bin", "big.bin"]);
  await trial.pause(500);
  const second = await trial.run(["put", "small.bin", "small.bin"]);
  trial.expected.write("small.bin", small, second.code === 0);
  const ended = await first.ended;
  trial.expected.write("big.bin", big, ended.code === 0);
  if (ended.code !== code) trial.fail(`what does not fit ended with ${ended.code}, not ${code}`);
}

const QUOTA: Scenario = {
  name: "quota hit",
  summary: "the quota is made smaller while files are stored",
  run: async (trial) => {
    const files = new Map<string, string>();
    for (let number = 0; number < 6; number++) {
      files.set(`q${number}.bin`, await trial.makeFile(`q${number}.bin`, 2 * MIB));
    }
    const running = trial.start(["put", ...files.keys(), "/", "--limit-rate", "20M"]);
    await trial.pause(800);
    const quota = `${1 + trial.random.below(10)}M`;
    await trial.world.administrator().ok(["user", "quota", "ada", "--bytes", quota]);
    const { code } = await running.ended;
    for (const [name, digest] of files) trial.expected.write(name, digest, code === 0);
    // So that the last check can store something.
    await trial.world.administrator().ok(["user", "quota", "ada", "--bytes", "1G"]);
  },
};

const DISK_FULL: Scenario = {
  name: "disk full",
  summary: "the server's disk is full in the middle of an upload, and another one goes on",
  skip: cannotMount,
  setUp: { prepare: mountSmall, finish: unmount },
  run: async (trial) => {
    await fill(trial, EXIT.SPACE);
    // What was sent stays resumable; its room is needed for the last check.
    await trial.run(["rm", "small.bin"]);
    trial.expected.write("small.bin", "absent", false);
    await trial.killServer();
    for await (const { name } of Deno.readDir(join(trial.world.data, "parts"))) {
      await Deno.remove(join(trial.world.data, "parts", name));
    }
    await trial.restartServer();
  },
};

const READ_ONLY: Scenario = {
  name: "read-only disk",
  summary: "the server is started on a disk that takes no writes, and again on one that does",
  skip: cannotMount,
  setUp: { prepare: mountSmall, finish: unmount },
  run: async (trial) => {
    const digest = await trial.makeFile("ro.bin", 500_000);
    const { code } = await trial.run(["put", "ro.bin", "ro.bin"]);
    trial.expected.write("ro.bin", digest, code === 0);
    await trial.killServer();
    await remount(trial.world, "ro");
    const args = ["serve", "netdisk", "--port", "0"];
    trial.judge(args, await trial.world.administrator().run(args));
    await remount(trial.world, "rw");
    await trial.restartServer();
  },
};

const LOCKED: readonly Scenario[] = WORKS.filter(({ name }) => name !== "register").map((work) => ({
  name: `database locked: ${work.name}`,
  summary: `another program holds the database for a while during ${work.name}`,
  run: async (trial) => {
    const begin = await work.prepare(trial);
    const database = new DatabaseSync(join(trial.world.data, "trivet.db"));
    try {
      await trial.pause(300);
      database.exec("PRAGMA busy_timeout = 2000; BEGIN IMMEDIATE");
      const { running, settle } = begin();
      await trial.pause(2_500);
      database.exec("ROLLBACK");
      await settle(await running.ended);
    } finally {
      database.close();
    }
  },
}));

/** All of them. */
export const STORAGE: readonly Scenario[] = [QUOTA, DISK_FULL, READ_ONLY, ...LOCKED];
