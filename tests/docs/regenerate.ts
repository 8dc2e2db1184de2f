/**
 * Writes the generated parts of the documents anew: `./denow run -P=test tests/docs/regenerate.ts`.
 *
 * @module
 */

import { GENERATED } from "./generated.ts";
import { readPage, withGenerated, writePage } from "./page.ts";

for (const { page, name, render } of GENERATED) {
  await writePage(page, withGenerated(await readPage(page), name, await render()));
}
const pages = [...new Set(GENERATED.map(({ page }) => page))];
const { success } = await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", ...pages] })
  .spawn().status;
if (!success) Deno.exit(1);
