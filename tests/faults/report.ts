/**
 * The table of the fault suite's last run, in the page that tells of it.
 *
 * @module
 */

import type { SuiteResult } from "./run.ts";
import { SCENARIOS } from "./scenarios.ts";

const BEGIN = "<!-- last run -->";
const END = "<!-- end of last run -->";

/**
 * Writes the table into a page, between the two marks that it has for it.
 *
 * @param page The page.
 * @param result What was run.
 * @param options What decided it.
 */
export async function writeReport(
  page: string,
  result: SuiteResult,
  options: { readonly seed: number },
): Promise<void> {
  const text = await Deno.readTextFile(page);
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new TypeError(`${page} has no place for the last run`);
  const table = [BEGIN, "", ...await linesOf(result, options), "", END].join("\n");
  await Deno.writeTextFile(page, text.slice(0, from) + table + text.slice(to + END.length));
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", page] }).output();
}

async function linesOf(
  { outcomes, skipped }: SuiteResult,
  { seed }: { readonly seed: number },
): Promise<string[]> {
  const failed = outcomes.filter(({ wrong }) => wrong.length > 0).length;
  const date = new Date().toISOString().slice(0, 10);
  const machine =
    `${Deno.build.os} ${Deno.osRelease()}, ${navigator.hardwareConcurrency} processors`;
  const rows = SCENARIOS.map(({ name, summary }) => {
    const reason = skipped.get(name);
    const tries = outcomes.filter(({ scenario }) => scenario.name === name);
    const held = tries.filter(({ wrong }) => wrong.length === 0).length;
    const count = reason ?? (tries.length === 0 ? "not tried" : `${held} of ${tries.length}`);
    return `| \`${name}\` | ${summary} | ${count} |`;
  });
  const commit = await commitOf();
  return [
    `${date}, ${machine}, Deno ${Deno.version.deno}${commit}, seed ${seed}: ` +
    `${outcomes.length - failed} of ${outcomes.length} tries held.`,
    "",
    "| scenario | what happens | held |",
    "| --- | --- | --- |",
    ...rows,
  ];
}

async function commitOf(): Promise<string> {
  const { success, stdout } = await new Deno.Command("git", {
    args: ["rev-parse", "--short", "HEAD"],
    stderr: "null",
  }).output();
  return success ? `, commit ${new TextDecoder().decode(stdout).trim()}` : "";
}
