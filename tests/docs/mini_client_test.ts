/**
 * A client that was written from docs/protocol.md alone, in another language, against a real server:
 * the page says all that is needed.
 */

import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { TestServer } from "../server/testing.ts";
import { codeOf, readPage, sectionOf, tablesOf } from "./page.ts";

const SCRIPT = new URL("mini_client.py", import.meta.url);

const hasPython = await new Deno.Command("python3", {
  args: ["-c", "import ssl"],
  stdin: "null",
  stdout: "null",
  stderr: "null",
}).output().then(({ success }) => success, () => false);

/** Who reads the log should know what was not tried. */
const SKIPPED = hasPython ? "" : " (skipped: python3 with ssl is not installed)";

async function runMiniClient(server: TestServer): Promise<void> {
  const { code, stdout, stderr } = await new Deno.Command("python3", {
    args: [
      fileURLToPath(SCRIPT),
      "127.0.0.1",
      String(server.port),
      server.running.fingerprint ?? "plain",
    ],
    stdin: "null",
  }).output();
  const texts = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim());
  assertEquals({ code, texts }, { code: 0, texts: ["mini client: done", ""] });
}

for (const plain of [true, false]) {
  Deno.test({
    name: `A client written from docs/protocol.md works ${
      plain ? "without" : "with"
    } TLS${SKIPPED}`,
    ignore: !hasPython,
    fn: async () => {
      await using server = await TestServer.start({ plain });
      await runMiniClient(server);
      assertEquals(await Deno.readTextFile(server.home("eve", "a", "uploaded")), "Trivet\n");
    },
  });
}

Deno.test("mini_client.py has the digests of docs/protocol.md", async () => {
  const script = await Deno.readTextFile(SCRIPT);
  const [table] = tablesOf(sectionOf(await readPage("docs/protocol.md"), "### Digests"));
  const [nothing, small] = table ?? [];
  for (const cell of [nothing?.[2], small?.[2], small?.[3]]) {
    assert(codeOf(cell).length === 32);
    assert(script.includes(codeOf(cell)));
  }
});
