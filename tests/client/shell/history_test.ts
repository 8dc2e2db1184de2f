import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import {
  History,
  HISTORY_LINE_CHARACTERS_MAX,
  historyPath,
} from "../../../client/shell/history.ts";
import { PRIVATE_FILE_MAX_BYTES } from "../../../client/private_file.ts";
import { HISTORY_LINES_MAX } from "../../../lib/term/line_reader.ts";

/** Keeps lines in a folder of its own; what a later shell finds. */
async function keep(
  lines: readonly string[],
  before?: string,
): Promise<{ found: readonly string[]; mode: number; warnings: string[] }> {
  const folder = await Deno.makeTempDir({ prefix: "trivet-test-" });
  try {
    const env = (name: string) => name === "XDG_STATE_HOME" ? folder : undefined;
    const path = join(folder, "trivet", "history");
    if (before !== undefined) {
      await Deno.mkdir(join(folder, "trivet"));
      await Deno.writeTextFile(path, before);
    }
    const warnings: string[] = [];
    const output = { warn: (message: string) => warnings.push(message) };
    const history = await History.open(env, output);
    for (const line of lines) await history.add(line);
    const found = (await History.open(env, output)).lines;
    const mode = await Deno.stat(path).then(({ mode }) => (mode ?? 0) & 0o777, () => 0);
    return { found, mode, warnings };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("History.add() keeps each line once, the last one first, for its owner alone", async () => {
  const { found, mode, warnings } = await keep(["a", "b", "日本", "a"]);
  assertEquals(found, ["a", "日本", "b"]);
  assertEquals(warnings, []);
  if (Deno.build.os !== "windows") assertEquals(mode, 0o600);
});

Deno.test("History.add() keeps no secrets, nothing empty, and nothing behind a space", async () => {
  const lines = ["", "  ", " ls", "login --password-file x", "x --share-token=abc", "ls"];
  assertEquals((await keep(lines)).found, ["ls"]);
});

Deno.test("History.add() keeps the longest line it may and none above", async () => {
  const longest = "x".repeat(HISTORY_LINE_CHARACTERS_MAX);
  assertEquals((await keep([longest, `${longest}x`])).found, [longest]);
});

Deno.test("History.add() drops the oldest line, and can read back the largest file", async () => {
  const wide = "日".repeat(HISTORY_LINE_CHARACTERS_MAX - 4);
  const before = Array.from(
    { length: HISTORY_LINES_MAX },
    (_, index) => `${wide}${String(index).padStart(4, "0")}\n`,
  ).join("");
  assertEquals(new TextEncoder().encode(before).length < PRIVATE_FILE_MAX_BYTES, true);
  const { found, warnings } = await keep(["new"], before);
  assertEquals(warnings, []);
  assertEquals(found.length, HISTORY_LINES_MAX);
  assertEquals([found[0], found.at(-1)], ["new", `${wide}0001`]);
});

Deno.test("History.open() warns where a file cannot be read, and keeps nothing", async () => {
  const { found, warnings } = await keep(["ls"], "x".repeat(PRIVATE_FILE_MAX_BYTES + 1));
  assertEquals(found, []);
  assertStringIncludes(warnings[0] ?? "", "Lines are not kept");
});

Deno.test("historyPath() follows the environment", { permissions: "none" }, () => {
  const path = (env: Record<string, string>, os: string) => historyPath((name) => env[name], os);
  assertEquals(path({ XDG_STATE_HOME: "/s", HOME: "/h" }, "linux"), "/s/trivet/history");
  assertEquals(path({ HOME: "/h" }, "linux"), "/h/.local/state/trivet/history");
  assertEquals(path({ APPDATA: "/a", USERPROFILE: "/u" }, "windows"), "/a/trivet/history");
  assertEquals(path({}, "linux"), undefined);
});
