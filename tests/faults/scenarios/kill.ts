/**
 * SIGKILL of the server or the client at a random moment of every kind of work.
 *
 * @module
 */

import type { Scenario } from "../scenario.ts";
import type { Trial } from "../trial.ts";
import { type Work, WORKS } from "../works.ts";

/** A command of the client, from its start to its end, takes about this long. */
const MOMENT_MAX_MS = 900;

/** One scenario for each work and victim. */
export const KILLS: readonly Scenario[] = WORKS.flatMap((work): Scenario[] => [
  {
    name: `kill server: ${work.name}`,
    summary: `kill -9 of the server at a random moment of ${work.name}`,
    run: (trial) => killServer(trial, work),
  },
  {
    name: `kill client: ${work.name}`,
    summary: `kill -9 of the client at a random moment of ${work.name}`,
    run: (trial) => killClient(trial, work),
  },
]);

async function killServer(trial: Trial, work: Work): Promise<void> {
  const begin = await work.prepare(trial);
  const { running, settle } = begin();
  await trial.pause(MOMENT_MAX_MS);
  await trial.killServer();
  // Sometimes the client lives to see it again, sometimes it gives up.
  if (trial.random.chance(70)) await trial.restartServer();
  else running.kill();
  await settle(await running.ended);
}

async function killClient(trial: Trial, work: Work): Promise<void> {
  const begin = await work.prepare(trial);
  const { running, settle } = begin();
  await trial.pause(MOMENT_MAX_MS);
  running.kill();
  await settle(await running.ended);
}
