import { assert, assertEquals } from "@std/assert";
import { JSR_OFFLINE_URL, manifestsOf } from "../../tools/jsr_offline.ts";
import { offlineEntriesOf, withoutEntries } from "../../tools/lock.ts";

const ROOT = new URL("../../", import.meta.url);

Deno.test("The manifests of tools/jsr-offline are those of its files", async () => {
  for (const [path, text] of await manifestsOf(JSR_OFFLINE_URL)) {
    const found = await Deno.readTextFile(new URL(path, JSR_OFFLINE_URL)).catch(() => undefined);
    assertEquals(found, text, `${path} is old: run deno task jsr-offline`);
  }
});

Deno.test("tools/jsr-offline has exactly the versions that deno.json asks for", async () => {
  const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const asked = Object.values<string>(config.imports).filter((name) => name.startsWith("jsr:"));
  const manifests = [...(await manifestsOf(JSR_OFFLINE_URL)).keys()];
  const offered = manifests
    .filter((path) => path.endsWith("_meta.json"))
    .map((path) => `jsr:${path.replace("_meta.json", "").replace(/\/([^/]*)$/, "@$1")}`);
  assertEquals(asked.sort(), offered.sort());
});

Deno.test("withoutEntries() takes only what it is told out of a lock file", () => {
  const lock = {
    version: "5",
    jsr: { "@a/b@1": { integrity: "1" }, "@a/c@1": { integrity: "2" } },
  };
  const some = JSON.parse(withoutEntries(JSON.stringify(lock), ["@a/b@1"]));
  assertEquals(some, { version: "5", jsr: { "@a/c@1": { integrity: "2" } } });
  const none = JSON.parse(withoutEntries(JSON.stringify(lock), ["@a/b@1", "@a/c@1"]));
  assertEquals(none, { version: "5" });
});

Deno.test("offlineEntriesOf() finds the hash of the subset", async () => {
  const manifest = new URL("@std/assert/1.0.19_meta.json", JSR_OFFLINE_URL);
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(manifest));
  const integrity = new Uint8Array(digest).toHex();
  const text = JSON.stringify({ jsr: { "@std/assert@1.0.19": { integrity }, "@a/b@1": {} } });
  assertEquals(await offlineEntriesOf(text), ["@std/assert@1.0.19"]);
});

Deno.test("The committed deno.lock has no hash of the subset", async (t) => {
  const lock = await committedLock();
  await t.step({
    name: "in the last commit",
    ignore: lock === undefined,
    fn: async () => {
      assert(lock !== undefined);
      assertEquals(await offlineEntriesOf(lock), [], "run deno task lock, then commit");
    },
  });
});

/** What git has; the file itself may have grown by the hashes of this very run. */
async function committedLock(): Promise<string | undefined> {
  const git = new Deno.Command("git", {
    args: ["show", "HEAD:deno.lock"],
    cwd: ROOT,
    stdout: "piped",
    stderr: "null",
  });
  const output = await git.output().catch(() => undefined);
  return output?.success ? new TextDecoder().decode(output.stdout) : undefined;
}
