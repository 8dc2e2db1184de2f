/** ARCHITECTURE.md and CONTRIBUTING.md name functions, files and tasks that are there. */

import { assert, assertEquals } from "@std/assert";
import { readPage } from "./page.ts";

const ROOT = new URL("../../", import.meta.url);

/** What stands in code spans, without code blocks. */
function codeSpans(page: string): string[] {
  const text = page.replace(/^```[\s\S]*?^```$/gm, "");
  return [...text.matchAll(/`([^`]+)`/g)].map(([, span = ""]) => span);
}

async function sourcesBelow(folder: string): Promise<string[]> {
  const texts: string[] = [];
  for await (const entry of Deno.readDir(new URL(folder, ROOT))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) texts.push(...await sourcesBelow(path));
    else if (path.endsWith(".ts")) texts.push(await Deno.readTextFile(new URL(path, ROOT)));
  }
  return texts;
}

Deno.test("ARCHITECTURE.md names functions that are there", async () => {
  const sources = (await Promise.all(["lib", "server", "client"].map(sourcesBelow))).flat();
  const code = sources.join("\n");
  const calls = codeSpans(await readPage("ARCHITECTURE.md")).filter((span) => span.endsWith("()"));
  assert(calls.length > 30);
  const missing = calls.filter((call) => {
    const [owner, method] = call.slice(0, -2).split(".");
    const name = method ?? owner;
    const isDeclared = new RegExp(
      `(?:function\\*? ${name}\\b|^ +(?:static )?(?:async )?\\*?${name}(?:<[^>]*>)?\\()`,
      "m",
    ).test(code);
    const hasOwner = method === undefined ||
      new RegExp(`(?:class|interface) ${owner}\\b`).test(code);
    return !isDeclared || !hasOwner;
  });
  assertEquals(missing, []);
});

for (const page of ["ARCHITECTURE.md", "CONTRIBUTING.md", "docs/security.md"]) {
  Deno.test(`${page} names files that are there`, async () => {
    const paths = codeSpans(await readPage(page)).filter((span) =>
      /^(?:lib|server|client|tests|tools|docs|bench)\/[\w./-]*$/.test(span)
    );
    assert(paths.length > 0);
    for (const path of paths) await Deno.stat(new URL(path, ROOT));
  });
}

for (const page of ["README.md", "CONTRIBUTING.md", "docs/dependencies.md"]) {
  Deno.test(`${page} names tasks that are there`, async () => {
    const { tasks } = JSON.parse(await readPage("deno.json")) as { tasks: Record<string, unknown> };
    const named = [...(await readPage(page)).matchAll(/\.\/denow task ([\w:-]+)/g)];
    assert(named.length > 0);
    for (const [, task = ""] of named) assert(Object.hasOwn(tasks, task), task);
  });
}
