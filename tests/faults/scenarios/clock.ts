/**
 * A clock that somebody sets: the server's jumps by a day, forward or back, in the middle of work.
 *
 * @module
 */

import { join } from "node:path/posix";
import { FROM_SOURCE, type World } from "../../e2e/testing.ts";
import type { Scenario } from "../scenario.ts";
import { WORKS } from "../works.ts";

/** Where Debian and others have it. */
const LIBRARY_GLOBS = ["/usr/lib/*/faketime", "/usr/lib/faketime", "/usr/lib64/faketime"];

/** What the library reads the time's shift from, beside the data folder, which is the server's home. */
const SHIFT = "clock";

/** Runs a program whose clock the file decides; what waits goes by the real one. */
const WITH_CLOCK =
  `LD_PRELOAD=$(ls ${
    LIBRARY_GLOBS.map((glob) => `${glob}/libfaketimeMT.so.1`).join(" ")
  } 2>/dev/null | head -n 1) FAKETIME_TIMESTAMP_FILE="$HOME/../${SHIFT}" FAKETIME_NO_CACHE=1 ` +
  `FAKETIME_DONT_FAKE_MONOTONIC=1; export LD_PRELOAD FAKETIME_TIMESTAMP_FILE FAKETIME_NO_CACHE ` +
  `FAKETIME_DONT_FAKE_MONOTONIC; exec "$0" "$@"`;

async function setClock({ folder }: Pick<World, "folder">, shift: string): Promise<void> {
  // In one step: the library may read at any moment.
  await Deno.writeTextFile(join(folder, `${SHIFT}.new`), `${shift}\n`);
  await Deno.rename(join(folder, `${SHIFT}.new`), join(folder, SHIFT));
}

async function cannotShift(): Promise<string | undefined> {
  const script = `ls ${LIBRARY_GLOBS.map((glob) => `${glob}/libfaketimeMT.so.1`).join(" ")}`;
  const { stdout } = await new Deno.Command("/bin/sh", { args: ["-c", script], stderr: "null" })
    .output();
  return stdout.length > 0 ? undefined : "libfaketime is not installed";
}

/** One scenario for each kind of work. */
export const CLOCK: readonly Scenario[] = WORKS.map((work) => ({
  name: `clock: ${work.name}`,
  summary: `the server's clock jumps by a day in the middle of ${work.name}`,
  skip: cannotShift,
  setUp: {
    prepare: (world) => setClock(world, "+0d"),
    programs: {
      ...FROM_SOURCE,
      trivetd: ["/bin/sh", "-c", WITH_CLOCK, ...FROM_SOURCE.trivetd],
    },
  },
  run: async (trial) => {
    const begin = await work.prepare(trial);
    const { running, settle } = begin();
    await trial.pause(700);
    const shift = trial.random.chance(50) ? "+1d" : "-1d";
    trial.tell(`the clock jumps ${shift}`);
    await setClock(trial.world, shift);
    const ended = await running.ended;
    if (ended.code !== 0) trial.fail(`${work.name} ended with ${ended.code} when the clock jumped`);
    await settle(ended);
    await setClock(trial.world, "+0d");
  },
}));
