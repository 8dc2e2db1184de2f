/**
 * What a client does while a fault hits: each work starts one command, and says afterwards what may have
 * become of it.
 *
 * @module
 */

import { sha256Of } from "../e2e/testing.ts";
import type { Ended, Running, Trial } from "./trial.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** Work that has begun. */
export interface Begun {
  readonly running: Running;
  /** Notes what may now stand where. */
  readonly settle: (ended: Ended) => Promise<void> | void;
}

/** A kind of work. */
export interface Work {
  readonly name: string;
  /** Makes what it needs; what it gives begins it. */
  readonly prepare: (trial: Trial) => Promise<() => Begun>;
}

/** Stores a file that must arrive: nothing is wrong yet. */
async function store(trial: Trial, name: string, bytes: number): Promise<string> {
  const digest = await trial.makeFile(name, bytes);
  const { code } = await trial.run(["put", name, name]);
  if (code !== 0) trial.fail(`Cannot store ${name} before the fault`);
  trial.expected.write(name, digest, true);
  return digest;
}

/** A rate that makes a transfer last some tenths of a second. */
function rate(trial: Trial): string[] {
  return ["--limit-rate", `${10 + trial.random.below(60)}M`];
}

const put: Work = {
  name: "put",
  prepare: async (trial) => {
    if (trial.random.chance(50)) await store(trial, "a.bin", 300 * KIB);
    const digest = await trial.makeFile("a.bin", 2 * MIB + trial.random.below(8 * MIB));
    const durability = trial.random.chance(50) ? "commit" : "os";
    const args = ["put", "a.bin", "a.bin", "--durability", durability, ...rate(trial)];
    return () => ({
      running: trial.start(args),
      settle: ({ code }) => trial.expected.write("a.bin", digest, code === 0),
    });
  },
};

const get: Work = {
  name: "get",
  prepare: async (trial) => {
    const digest = await store(trial, "b.bin", 2 * MIB + trial.random.below(8 * MIB));
    const local = trial.client.path("copy.bin");
    return () => ({
      running: trial.start(["get", "b.bin", "copy.bin", ...rate(trial)]),
      settle: async ({ code }) => {
        const found = await sha256Of(local).catch(() => "absent");
        if (found !== digest && (code === 0 || found !== "absent")) {
          trial.fail(`get left ${found} under the final name and ended with ${code}`);
        }
      },
    });
  },
};

const mv: Work = {
  name: "mv",
  prepare: async (trial) => {
    await store(trial, "from.bin", 100 * KIB);
    return () => ({
      running: trial.start(["mv", "from.bin", "to.bin"]),
      settle: ({ code }) => trial.expected.move("from.bin", "to.bin", code === 0),
    });
  },
};

const rm: Work = {
  name: "rm",
  prepare: async (trial) => {
    await store(trial, "old.bin", 100 * KIB);
    return () => ({
      running: trial.start(["rm", "old.bin"]),
      settle: ({ code }) => trial.expected.write("old.bin", "absent", code === 0),
    });
  },
};

/** Makes a tree on the client; digests by path. */
async function makeTree(trial: Trial, folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (let number = 20 + trial.random.below(300); number > 0; number--) {
    const path = `${folder}/d${number % 7}/f${number}`;
    files.set(path, await trial.makeFile(path, trial.random.below(6 * KIB)));
  }
  return files;
}

const putTree: Work = {
  name: "put -r",
  prepare: async (trial) => {
    const files = await makeTree(trial, "tree");
    return () => ({
      running: trial.start(["put", "-r", "tree", "tree"]),
      settle: ({ code }) => {
        for (const [path, digest] of files) trial.expected.write(path, digest, code === 0);
      },
    });
  },
};

const sync: Work = {
  name: "sync",
  prepare: async (trial) => {
    const before = await makeTree(trial, "same");
    const { code } = await trial.run(["sync", "same", "same"]);
    if (code !== 0) trial.fail("Cannot sync before the fault");
    for (const [path, digest] of before) trial.expected.write(path, digest, true);
    const changed = [...before.keys()].filter(() => trial.random.chance(40));
    const after = new Map<string, string>();
    for (const path of changed) {
      if (trial.random.chance(50)) after.set(path, await trial.makeFile(path, 2 * KIB));
      else {
        await Deno.remove(trial.client.path(path));
        after.set(path, "absent");
      }
    }
    return () => ({
      running: trial.start(["sync", "--delete", "same", "same"]),
      settle: ({ code }) => {
        for (const [path, content] of after) trial.expected.write(path, content, code === 0);
      },
    });
  },
};

const register: Work = {
  name: "register",
  prepare: (trial) => {
    const name = `new${trial.random.below(1000)}`;
    const words = ["register", name, "--password-stdin"];
    const options = { stdin: "correct horse battery staple\n", env: { TRIVET_TOKEN: "" } };
    return Promise.resolve(() => ({
      running: trial.start(words, options),
      settle: async ({ code }) => {
        await trial.whenServed();
        const again = await trial.run(words, options);
        // An account that was acknowledged is there; another one may be, or can be made.
        const allowed = code === 0 ? [8] : [0, 8];
        if (!allowed.includes(again.code)) {
          trial.fail(`registering again ended with ${again.code} after ${code}`);
        }
      },
    }));
  },
};

/** All kinds of work. */
export const WORKS: readonly Work[] = [put, get, mv, rm, putTree, sync, register];
