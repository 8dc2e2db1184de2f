/**
 * The power goes: what the disk holds at a random moment is all that is left, without anything that the
 * system had in memory only.
 *
 * @module
 */

import { cannotMountImage, keepImage, mountImage, restoreImage, unmount } from "../disk.ts";
import type { Scenario } from "../scenario.ts";
import type { Trial } from "../trial.ts";

const MOMENT_MAX_MS = 1_500;
const KIB = 1024;

/** Files that are stored one after the other until the power goes. */
const FILES = 30;

async function cutPower(trial: Trial): Promise<void> {
  const { world } = trial;
  const acknowledged: (readonly [name: string, digest: string])[] = [];
  let isOff = false;
  const storing = (async () => {
    for (let number = 0; number < FILES && !isOff; number++) {
      const name = `p${number}.bin`;
      const digest = await trial.makeFile(name, trial.random.below(600 * KIB));
      trial.expected.write(name, digest, false);
      const { code } = await trial.run(["put", name, name]);
      if (code === 0 && !isOff) acknowledged.push([name, digest]);
    }
  })();
  await trial.pause(MOMENT_MAX_MS);
  trial.server.process.kill("SIGSTOP");
  isOff = true;
  await keepImage(world);
  trial.tell(`the power goes; ${acknowledged.length} files were acknowledged`);
  await trial.killServer();
  await storing;
  await restoreImage(world);
  for (const [name, digest] of acknowledged) trial.expected.write(name, digest, true);
  await trial.restartServer();
}

/** All of them. */
export const POWER: readonly Scenario[] = [{
  name: "power cut",
  summary: "the disk keeps what was synced at a random moment of storing files, and nothing else",
  skip: cannotMountImage,
  setUp: { prepare: mountImage, finish: unmount },
  run: cutPower,
}];
