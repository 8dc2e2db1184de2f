/**
 * What the bench of transfers promises, computed from its runs.
 *
 * @module
 */

import type { Direction } from "./contender.ts";
import { ratioOf, type Run, type Target } from "./figures.ts";
import { firstDataMs, TARGET_FIRST_DATA_MS } from "./first_data_run.ts";
import type { Programs } from "./trivet.ts";

/** One ratio: direction, at least, ours, theirs. */
type Ratio = readonly [way: Direction, bound: number, ours: string, theirs: string];

const OS = "trivet --durability os";
const PLAIN = "trivet --plain --durability os";

/** Neither waits for the disk. */
const LIKE_WITH_LIKE: readonly Ratio[] = [
  ...(["up", "down"] as const).flatMap((way): Ratio[] => [
    [way, 2.2, OS, "scp"],
    [way, 2.2, OS, "sftp"],
    [way, 1.1, OS, "rsync -W"],
  ]),
  ["down", 1.2, OS, "nginx + curl"],
  ["nowhere", 3.5, "trivet", "sftp"],
  ["down", 1.3, PLAIN, "rsync -W"],
  ["up", 0.9, PLAIN, "nginx + curl"],
];

/** Both wait for the disk, or only Trivet does. */
const DEFAULTS: readonly Ratio[] = (["up", "down"] as const).flatMap((way): Ratio[] => [
  [way, 1, "trivet", "rsync -W --fsync"],
  [way, 2, "trivet", "scp"],
  [way, 1, "trivet", "rsync -W"],
]);

/** The promises about speed; those of contenders that did not run are left out. */
export function speedTargets(runs: readonly Run[]): Target[] {
  const all: (readonly [Ratio, string])[] = [
    ...LIKE_WITH_LIKE.map((ratio) => [ratio, ""] as const),
    ...DEFAULTS.map((ratio) => [ratio, ", with the defaults of both"] as const),
  ];
  return all.flatMap(([[direction, bound, ours, theirs], note]): Target[] => {
    const scenario = direction === "nowhere" ? "nowhere" : "fresh";
    const of = (contender: string) => ({ scenario, direction, contender });
    const value = ratioOf(runs, of(ours), of(theirs));
    if (value === undefined) return [];
    const text = `${direction}: ${ours} ≥ ${bound} × ${theirs}${note}`;
    return [{ text, value, bound, rule: "at least", unit: "" }];
  });
}

/** Measures when the first DATA frame leaves, and with TLS when the server has written it. */
export async function firstDataTargets(
  programs: Programs,
  folder: string,
  rounds: number,
): Promise<Target[]> {
  const targets: Target[] = [];
  for (const plain of [true, false]) {
    const value = await firstDataMs(programs, folder, { plain, rounds }).catch((error) => {
      // Hours of transfers must not be lost for this one.
      void error;
      return undefined;
    });
    const seen = plain ? "without TLS, seen by its frame" : "with TLS, written by the server";
    const text = `first DATA < ${TARGET_FIRST_DATA_MS} ms after the command's start (${seen})`;
    targets.push({ text, value, bound: TARGET_FIRST_DATA_MS, rule: "below", unit: " ms" });
  }
  return targets;
}
