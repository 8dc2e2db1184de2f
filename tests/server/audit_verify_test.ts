import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { TrivetError } from "../../lib/errors.ts";
import { Audit } from "../../server/audit.ts";
import { verifyAudit } from "../../server/audit_verify.ts";

const ROTATION = { maxBytes: 1000, olderFiles: 3 };

async function withLog(test: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "trivet-test-" });
  try {
    await test(join(folder, "audit.jsonl"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Opens the log and writes lines, as a server does between its start and its end. */
async function write(path: string, lines: number, rotation = ROTATION): Promise<void> {
  using audit = await Audit.open("/none", { path, ...rotation });
  for (let line = 0; line < lines; line++) {
    const event = { user: "ada", source: "unix", error: null, durationMs: line };
    audit.note({ method: `m${line}`, ...event });
  }
}

async function brokenAt(path: string, last?: string): Promise<string> {
  const error = await assertRejects(() => verifyAudit(path, last), TrivetError);
  assertEquals(error.code, "AUDIT_BROKEN");
  return error.message;
}

Deno.test("verifyAudit() follows the chain across restarts and older files", () =>
  withLog(async (path) => {
    for (const lines of [1, 7, 0, 2]) await write(path, lines);
    const found = await verifyAudit(path);
    assertEquals([found.lines, found.files.length, found.isCut], [10, 2, false]);
    for (let start = 0; start < 10; start++) await write(path, 7);
    const later = await verifyAudit(path);
    assertEquals([later.files.length, later.isCut, later.tornLines], [4, true, 0]);
    assertEquals((await verifyAudit(path, later.lastDigest ?? "")).lines, later.lines);
    // What was noted of a line that was rotated away since is missed, too.
    assertStringIncludes(await brokenAt(path, found.lastDigest ?? ""), "is gone");
  }));

Deno.test("verifyAudit() finds each line that was removed, changed, doubled or moved", () =>
  withLog(async (path) => {
    await write(path, 6, { maxBytes: 1_000_000, olderFiles: 1 });
    const { lastDigest } = await verifyAudit(path);
    const lines = (await Deno.readTextFile(path)).trimEnd().split("\n");
    const changed = (change: (copy: string[], at: number) => void, at: number) => {
      const copy = [...lines];
      change(copy, at);
      return Deno.writeTextFile(path, `${copy.join("\n")}\n`);
    };
    const changes: ((copy: string[], at: number) => void)[] = [
      (copy, at) => copy.splice(at, 1),
      (copy, at) => copy[at] = copy[at]?.replace("ada", "eve") ?? "",
      (copy, at) => copy[at] = "gone",
      (copy, at) => copy.splice(at, 0, copy[at] ?? ""),
      (copy, at) => copy.splice(at, 2, copy[at + 1] ?? "", copy[at] ?? ""),
      (copy, at) => copy[at + 1] = copy[at + 1]?.replace(/,"prev":"\w+"/, "") ?? "",
    ];
    for (const change of changes) {
      for (let at = 1; at < lines.length - 1; at++) {
        await changed(change, at);
        assertStringIncludes(await brokenAt(path), `${path}:`);
      }
    }
    // Only a digest that was noted shows that the end is missing.
    await changed((copy) => copy.pop(), 0);
    assertEquals((await verifyAudit(path)).lines, lines.length - 1);
    assertStringIncludes(await brokenAt(path, lastDigest ?? ""), "is gone");
  }));

Deno.test("verifyAudit() finds an older file that was removed from between", () =>
  withLog(async (path) => {
    await write(path, 40);
    assertEquals((await verifyAudit(path)).files.length, 4);
    await Deno.remove(`${path}.2`);
    assertStringIncludes(await brokenAt(path), `${path}.1:1`);
  }));

Deno.test("Audit.open() goes on behind a line that broke off, and behind lines without a chain", () =>
  withLog(async (path) => {
    await Deno.writeTextFile(path, '{"time":"2026-01-01T00:00:00.000Z","method":"old"}\n');
    await write(path, 2);
    await Deno.writeTextFile(path, '{"time":"2026-01-0', { append: true });
    await write(path, 2);
    const found = await verifyAudit(path);
    assertEquals([found.lines, found.unchainedLines, found.tornLines], [5, 1, 1]);
    assert(found.firstTime === "2026-01-01T00:00:00.000Z");
    assertEquals(
      (await assertRejects(() => verifyAudit(`${path}.none`), TrivetError)).code,
      "LOCAL_NOT_FOUND",
    );
  }));
