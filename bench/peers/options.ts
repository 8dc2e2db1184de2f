/**
 * The command line of the bench of transfers.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { parseBytes } from "../../lib/term/values.ts";

/** What is done, with the title of its table. */
export const SCENARIOS: ReadonlyMap<string, string> = new Map([
  ["fresh", "To files that are not there yet"],
  ["over", "Over files that are there already"],
  ["nowhere", "Down, without writing (to /dev/null)"],
  ["many", "200 files of 10 MiB"],
  ["resume", "The rest of a transfer that stopped half way"],
]);

/** What to type. */
export const USAGE = `deno task bench:peers [options]
  --size SIZE      bytes of the file (default 2G)
  --rounds N       runs of each cell (default 5)
  --scenarios LIST some of ${[...SCENARIOS.keys()].join()} (default: all)
  --contenders LIST only these, by the names of the tables (default: all)
  --folder DIR     where files go; needs about 25 times SIZE (default: the system's temporary folder)
  --programs WHICH auto: dist/ where it was built; source: never dist/ (default auto)
  --link SHAPE     over a link of a network namespace, such as "delay 10ms loss 1% rate 1gbit": what
                   tc's netem takes; the delay counts each way`;

/** What was asked for. */
export interface Options {
  readonly sizeBytes: number;
  readonly rounds: number;
  readonly scenarios: readonly string[];
  /** All without it. */
  readonly contenders: readonly string[] | undefined;
  readonly folder: string | undefined;
  readonly programs: "auto" | "source";
  readonly link: string | undefined;
}

/** Reads the command line; nothing when it asks for help, or cannot be understood. */
export function readOptions(args: readonly string[]): Options | undefined {
  const given = parseArgs([...args], {
    string: ["size", "rounds", "scenarios", "contenders", "folder", "programs", "link"],
    boolean: ["help"],
  });
  const { folder, link, programs = "auto" } = given;
  const sizeBytes = parseBytes(given.size ?? "2G");
  const rounds = Number(given.rounds ?? 5);
  const scenarios = given.scenarios?.split(",") ?? [...SCENARIOS.keys()];
  if (given.help || sizeBytes === undefined || sizeBytes <= 0) return undefined;
  if (!Number.isInteger(rounds) || rounds <= 0) return undefined;
  if (!scenarios.every((name) => SCENARIOS.has(name))) return undefined;
  if (programs !== "auto" && programs !== "source") return undefined;
  const contenders = given.contenders?.split(",");
  return { sizeBytes, rounds, scenarios, contenders, folder, programs, link };
}
