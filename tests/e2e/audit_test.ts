import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path/posix";
import { PASSWORD, tokenOf, World, writeNoise } from "./testing.ts";

interface Line {
  readonly method: string;
  readonly user: string | null;
  readonly source: string;
  readonly result: string;
  readonly paths?: string[];
  readonly bytes?: number;
}

async function auditOf(world: World): Promise<Line[]> {
  const text = await Deno.readTextFile(join(world.data, "log", "audit.jsonl"));
  return text.trim().split("\n").map((line) => JSON.parse(line));
}

Deno.test("the audit log has every login and change of a session, and neither log a secret", async () => {
  await using world = await World.create();
  const logFile = join(world.folder, "trivetd.log");
  const options = ["--log-file", logFile, "--log-level", "debug", "--log-format", "json"];
  const server = await world.serve(options);
  const ada = await world.person("ada", server);
  await ada.register("ada");
  const tokens = [await tokenOf(ada)];
  writeNoise(ada.path("big"), 3_000_000);
  await ada.ok(["put", "big"]);
  await Deno.writeTextFile(ada.path("small"), "secret content");
  await ada.ok(["put", "small"]);
  await ada.ok(["mkdir", "docs"]);
  await ada.ok(["mv", "small", "docs"]);
  await ada.ok(["rm", "-r", "docs"]);
  await ada.ok(["ls"]);
  await ada.ok(["trash", "empty", "--yes"]);
  await ada.run(["rmdir", "none"]);
  const wrong = "not the password at all";
  await ada.run(["login", "ada", "--password-stdin"], { stdin: `${wrong}\n` });
  await ada.ok(["logout"]);
  await ada.ok(["login", "ada", "--password-stdin"], { stdin: `${PASSWORD}\n` });
  tokens.push(await tokenOf(ada));
  const { code, stderr } = await server.stop("SIGINT");
  assertEquals([code, stderr.includes("Accepted")], [0, false]);

  const lines = await auditOf(world);
  const events = lines.map(({ method, result }) => `${method} ${result}`);
  const wanted = [
    "auth.register OK",
    "auth.password OK",
    "auth.token OK",
    "put.open OK",
    "put.commit OK",
    "put.file OK",
    "mkdir OK",
    "mv OK",
    "rm OK",
    "trash.empty OK",
    "rmdir NOT_FOUND",
    "auth.password AUTH_FAILED",
    "logout OK",
  ];
  assertEquals(wanted.filter((event) => !events.includes(event)), []);
  assertEquals(lines.filter(({ method }) => method === "ls"), []);
  assert(lines.every(({ user, source }) => user === "ada" && source === "127.0.0.1"));
  const commit = lines.find(({ method }) => method === "put.commit");
  assertEquals([commit?.paths, commit?.bytes], [["/big"], 3_000_000]);

  const log = await Deno.readTextFile(logFile);
  for (const line of log.trim().split("\n")) JSON.parse(line);
  assertStringIncludes(log, "Ended");
  assertMatch(log, /Refused .*password.* of .*ada/);
  const audit = await Deno.readTextFile(join(world.data, "log", "audit.jsonl"));
  for (const secret of [PASSWORD, wrong, ...tokens, "secret content"]) {
    assert(secret.length > 8 && !log.includes(secret) && !audit.includes(secret));
  }
  for (const path of [logFile, join(world.data, "log", "audit.jsonl")]) {
    assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
  }
});

Deno.test("--audit off keeps no audit log, and --log-file-size makes its files small", async () => {
  await using world = await World.create();
  const first = await world.serve(["--audit", "off"]);
  await (await world.person("ada", first)).register("ada");
  await first.stop();
  assertEquals(await Deno.stat(join(world.data, "log")).catch(() => null), null);

  const path = join(world.folder, "audit.jsonl");
  const rotation = ["--log-file-size", "4K", "--log-files", "1"];
  const second = await world.serve(["--audit", path, ...rotation]);
  const ben = await world.person("ben", second);
  await ben.register("ben");
  const folders = Array.from({ length: 60 }, (_, index) => `${index}`.padEnd(60, "-"));
  await ben.ok(["mkdir", ...folders]);
  await second.stop();
  const names = (await Array.fromAsync(Deno.readDir(world.folder))).map(({ name }) => name);
  assertEquals(names.filter((name) => name.startsWith("audit")).sort(), [
    "audit.jsonl",
    "audit.jsonl.1",
  ]);
  for (const name of ["audit.jsonl", "audit.jsonl.1"]) {
    const text = await Deno.readTextFile(join(world.folder, name));
    assert(text.length <= 4096, `${name} has ${text.length} bytes`);
    for (const line of text.trim().split("\n")) {
      assertEquals(typeof JSON.parse(line).time, "string");
    }
  }
});
