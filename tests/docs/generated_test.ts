/** The generated parts of the documents are what the code makes of them now. */

import { assertEquals } from "@std/assert";
import { GENERATED } from "./generated.ts";
import {
  formatTable,
  generatedPart,
  readPage,
  sectionOf,
  tablesOf,
  withGenerated,
  withoutPadding,
} from "./page.ts";

const HINT = "write it anew: ./denow run -P=test tests/docs/regenerate.ts";

for (const { page, name, render } of GENERATED) {
  Deno.test({
    name: `${page} has the generated part "${name}" as the code makes it`,
    // Windows has other permission bits, which the entries of the exchange show.
    ignore: name === "exchange" && Deno.build.os === "windows",
    fn: async () => {
      const stands = withoutPadding(generatedPart(await readPage(page), name));
      assertEquals(stands, withoutPadding(await render()), HINT);
    },
  });
}

const PAGE = `# a

## b

| x | y |
| --- | --- |
| \`p?\` | 1 \\| 2 |

## c

<!-- generated: t -->
old
<!-- /generated -->
`;

Deno.test("sectionOf() and tablesOf() read a page", () => {
  assertEquals(tablesOf(sectionOf(PAGE, "## b")), [[["`p?`", "1 \\| 2"]]]);
  assertEquals(tablesOf(sectionOf(PAGE, "## c")), []);
});

Deno.test("withGenerated() replaces what stands between the markers", () => {
  const table = formatTable(["a"], [["1 | 2"]]);
  const page = withGenerated(PAGE, "t", table);
  assertEquals(generatedPart(page, "t"), `\n${table}\n\n`);
  assertEquals(withoutPadding("| a  |\n| ----- |"), "| a |\n| --- |");
});
