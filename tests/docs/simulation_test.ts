/** docs/simulation.md names the scenarios that there are, docs/chat.md KCP's figures as they are compared with. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { SCENARIOS } from "../sim/scenarios.ts";
import { KCP_FAST } from "../sim/scenarios/latency.ts";
import { codeOf, readPage, sectionOf, tablesOf } from "./page.ts";

Deno.test("docs/simulation.md lists every scenario", async () => {
  const page = await readPage("docs/simulation.md");
  const [table = []] = tablesOf(sectionOf(page, "## The scenarios"));
  assertEquals(table.map(([name]) => codeOf(name)).sort(), Object.keys(SCENARIOS).sort());
});

Deno.test("docs/chat.md compares the time of small messages with KCP's", async () => {
  const section = sectionOf(await readPage("docs/chat.md"), "## How long a message takes");
  const [latency = []] = tablesOf(section);
  assertEquals(latency[0]?.slice(1), [`${KCP_FAST.meanMs}`, `${KCP_FAST.maxMs}`]);
  assertStringIncludes(section, "./denow task sim --scenario latency");
});

Deno.test("CONTRIBUTING.md says how to repeat a failure", async () => {
  assertStringIncludes(await readPage("CONTRIBUTING.md"), "./denow task sim");
});
