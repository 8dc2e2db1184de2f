import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path/posix";
import { JSON_OUTPUT_MAX_BYTES } from "../../client/commands/exec_run.ts";
import { processesWith } from "../client/exec_testing.ts";
import { sized } from "../testing/long.ts";
import {
  FROM_SOURCE,
  memoryOf,
  PASSWORD,
  type Person,
  type Programs,
  ROOT,
  type ServerProcess,
  sha256Of,
  until,
  World,
  writeNoise,
} from "./testing.ts";

const COMMANDS = `
[commands.sh]
summary = "Run a script"
executable = "/bin/sh"
arguments = ["-c"]
parameters = [{ name = "SCRIPT", pattern = ".*" }]
users = ["ann"]
stdin = true
time-limit = "10m"
output-limit = "4G"

[commands.args]
executable = "/usr/bin/printf"
arguments = ["<%s>"]
parameters = [{ name = "WORD", pattern = ".*", allow-hyphen = true, repeat = 9, optional = true }]
users = ["*"]
keys = ["ci"]

[commands.flood]
executable = "/usr/bin/yes"
users = ["ann"]
output-limit = "512M"

[commands.env]
executable = "/usr/bin/env"
users = ["ann"]
client-environment = ["LANG", "DEPLOY_*"]

[commands.yes]
executable = "/usr/bin/yes"
users = ["ann"]
output-limit = "1M"
`;

async function serveExec(world: World, options: readonly string[] = []): Promise<ServerProcess> {
  const commands = join(world.folder, "commands.toml");
  await Deno.writeTextFile(commands, COMMANDS, { mode: 0o600 });
  return await world.serve(["--commands", commands, ...options, "netdisk", "exec"]);
}

async function startExec(
  world: World,
  options: readonly string[] = [],
): Promise<{ server: ServerProcess; ann: Person }> {
  const server = await serveExec(world, options);
  const ann = await world.person("ann", server);
  await ann.register("ann");
  return { server, ann };
}

/** Reads what a process prints until it has printed something; the rest is dropped. */
async function untilPrinted(process: Deno.ChildProcess, part: string): Promise<void> {
  const printed = Promise.withResolvers<void>();
  (async () => {
    let text = "";
    for await (const piece of process.stdout.pipeThrough(new TextDecoderStream())) {
      text += piece;
      if (text.includes(part)) printed.resolve();
    }
    printed.reject(new Error(`It ended after "${text}"`));
  })().catch(() => {});
  await printed.promise;
}

/** Seconds that no other process has in its arguments. */
function uniqueSeconds(): string {
  return `${1000 + Math.floor(Math.random() * 1_000_000)}.5`;
}

Deno.test("trivet exec runs listed commands with their streams and exit codes", async () => {
  await using world = await World.create();
  const { ann } = await startExec(world);
  const list = await ann.ok(["exec", "--list"]);
  assertMatch(list, /^sh +SCRIPT +yes +10m +4G +Run a script$/m);
  assertEquals((await ann.json(["exec", "--list"])).commands.length, 5);

  const both = await ann.run(["exec", "sh", "cat; echo err >&2; exit 42"], { stdin: "in\n" });
  assertEquals(both, { code: 42, stdout: "in\n", stderr: "err\n" });
  for (const number of [2, 9, 12, 15, 34]) {
    const { code } = await ann.run(["exec", "sh", `kill -${number} $$; sleep 9`]);
    assertEquals(code, 128 + number);
  }
  const words = ["-x", "--json", "--", "--help", "a b", "$(id)", "; id"];
  assertEquals(
    await ann.ok(["exec", "args", ...words]),
    words.map((word) => `<${word}>`).join(""),
  );
  const given = ["--env", "LANG=C", "--env", "DEPLOY_TO=a=b,c"];
  assertEquals(
    (await ann.ok(["exec", ...given, "env"])).split("\n").toSorted(),
    ["", "DEPLOY_TO=a=b,c", "LANG=C"],
  );
  assertEquals(await ann.ok(["exec", "--", "args", "--", "-q"]), "<--><-q>");

  const { code, stdout } = await ann.run([
    "--json",
    "exec",
    "sh",
    "echo out; printf '\\377' >&2; exit 1",
  ]);
  const { duration_ms, ...rest } = JSON.parse(stdout);
  assert(code === 1 && duration_ms >= 0);
  assertEquals(rest, {
    name: "sh",
    arguments: ["echo out; printf '\\377' >&2; exit 1"],
    exit_code: 1,
    signal: null,
    stdout: "out\n",
    stderr_base64: "/w==",
    stdout_bytes: 4,
    stderr_bytes: 1,
  });
});

Deno.test("trivet exec ends with 255 for what is refused or cut short", async () => {
  await using world = await World.create();
  const { server, ann } = await startExec(world);
  for (
    const [words, text] of [
      [["none"], 'There is no command "none"'],
      [["--env", "LD_PRELOAD=x", "env"], 'Command "env" does not take the variable "LD_PRELOAD"'],
      [["yes", "x"], 'Command "yes" takes no arguments, got 1'],
      [["yes"], 'Command "yes" wrote more than 1M'],
    ] as const
  ) {
    const { code, stderr } = await ann.run(["exec", ...words]);
    assertEquals(code, 255);
    assertStringIncludes(stderr, text);
  }
  const late = await ann.run(["exec", "--timeout", "200ms", "sh", "echo out; exec sleep 60"]);
  assertEquals([late.code, late.stdout], [255, "out\n"]);
  assertStringIncludes(late.stderr, "ran for longer than 200ms");
  assertEquals((await ann.run(["exec"])).code, 2);
  assertEquals((await ann.run(["exec", "--env", "LANG", "env"])).code, 2);
  assertEquals((await ann.run(["exec", "--list", "sh"])).code, 2);

  const process = ann.spawn(["exec", "sh", "echo ready; exec sleep 60"]);
  await untilPrinted(process, "ready");
  const stderr = new Response(process.stderr).text();
  await server.stop("SIGKILL");
  assertEquals((await process.status).code, 255);
  assertStringIncludes(await stderr, "connection");
});

Deno.test("trivet exec passes signals on, and nothing is left when either side dies", async () => {
  await using world = await World.create();
  const { server, ann } = await startExec(world);
  for (const signal of ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2"]) {
    const script = `trap 'echo got; exit 7' ${signal}; echo ready; while :; do sleep 0.05; done`;
    const process = ann.spawn(["exec", "sh", script]);
    await untilPrinted(process, "ready");
    process.kill(`SIG${signal}` as Deno.Signal);
    await process.stderr.cancel();
    assertEquals((await process.status).code, 7, signal);
  }
  const ends: [name: string, end: (client: Deno.ChildProcess) => Promise<unknown>][] = [
    ["client", (client) => Promise.resolve(client.kill("SIGKILL"))],
    ["server", () => server.stop("SIGTERM")],
  ];
  for (const [name, end] of ends) {
    const seconds = uniqueSeconds();
    const script = `sleep ${seconds} & (trap "" TERM; sleep ${seconds}; :) & echo ready; wait`;
    const client = ann.spawn(["exec", "sh", script]);
    await untilPrinted(client, "ready");
    await client.stderr.cancel();
    const isRunning = async () => {
      const lines = await processesWith(seconds);
      return lines.some((line) => !line.includes("client/main.ts"));
    };
    assert(await isRunning());
    await end(client);
    await until(async () => !await isRunning(), `the end of all processes (${name})`);
    await client.status;
  }
});

Deno.test("a server that a second signal ends at once takes its commands along", async () => {
  await using world = await World.create();
  const { server, ann } = await startExec(world);
  const seconds = uniqueSeconds();
  const script = `sleep ${seconds} & (trap "" TERM; echo ready; sleep ${seconds}; :) & ` +
    `trap "" TERM; while :; do wait; done`;
  const client = ann.spawn(["exec", "sh", script]);
  await untilPrinted(client, "ready");
  await client.stderr.cancel();
  const countOf = async () =>
    (await processesWith(seconds)).filter((line) => !line.includes("client/main.ts")).length;
  const before = await countOf();
  server.process.kill("SIGTERM");
  await until(async () => await countOf() < before, "the first signal");
  assertEquals((await server.stop("SIGTERM")).code, 143);
  await until(async () => await countOf() === 0, "the end of all processes");
  assertEquals((await client.status).code, 255);
});

Deno.test("much goes through a command and back, byte by byte, with flat memory", async () => {
  await using world = await World.create();
  const { server, ann } = await startExec(world);
  const bytes = sized(256, 1024) * 1024 ** 2;
  const [source, copy] = [ann.path("source"), ann.path("copy")];
  writeNoise(source, bytes);
  const { argv, env } = ann.command(["exec", "sh", "exec cat"]);
  const shell = `"$@" < "${source}" > "${copy}" & echo $!; wait $!`;
  const process = new Deno.Command("/bin/sh", {
    args: ["-c", shell, "sh", ...argv],
    env,
    clearEnv: true,
    stdout: "piped",
  }).spawn();
  const before = await memoryOf(server.pid, "VmRSS");
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const pid = Number((await reader.read()).value);
  let client = 0;
  const timer = setInterval(async () => {
    client = Math.max(client, await memoryOf(pid, "VmHWM") || 0);
  }, 200);
  const { code } = await process.status;
  clearInterval(timer);
  await reader.cancel();
  assertEquals(code, 0);
  assertEquals((await Deno.stat(copy)).size, bytes);
  assertEquals(await sha256Of(copy), await sha256Of(source));
  const grown = await server.peakMemoryBytes() - before;
  const limit = Math.min(bytes / 2, 256 * 1024 ** 2);
  assert(grown < limit && client > 0 && client < limit + 256 * 1024 ** 2, `${grown} ${client}`);
});

Deno.test("yes ends at its output limit, with flat memory on both sides", async () => {
  await using world = await World.create();
  const { server, ann } = await startExec(world);
  const before = await memoryOf(server.pid, "VmRSS");
  const process = ann.spawn(["exec", "flood"]);
  let bytes = 0;
  let client = 0;
  let next = 0;
  for await (const piece of process.stdout) {
    bytes += piece.length;
    if (bytes < next) continue;
    next = bytes + 32 * 1024 ** 2;
    client = Math.max(client, await memoryOf(process.pid, "VmHWM"));
  }
  assertEquals(bytes, 512 * 1024 ** 2);
  assertStringIncludes(
    await new Response(process.stderr).text(),
    'Command "flood" wrote more than 512M',
  );
  assertEquals((await process.status).code, 255);
  const grown = await server.peakMemoryBytes() - before;
  assert(grown < 128 * 1024 ** 2 && client < 256 * 1024 ** 2, `${grown} ${client}`);
});

Deno.test("trivet exec --json takes as much output as its limit and not a byte more", async () => {
  await using world = await World.create();
  const { ann } = await startExec(world);
  const write = (bytes: number) => `head -c ${bytes} /dev/zero | tr '\\0' a`;
  const most = await ann.json(["exec", "sh", write(JSON_OUTPUT_MAX_BYTES)]);
  assertEquals(most.stdout.length, JSON_OUTPUT_MAX_BYTES);
  const more = await ann.run(["--json", "exec", "sh", write(JSON_OUTPUT_MAX_BYTES + 1)]);
  assertEquals([more.code, more.stdout], [255, ""]);
  assertStringIncludes(more.stderr, "leave out --json");
});

Deno.test("trivetd serves no commands unless it is told to, and keeps a chain of attempts", async () => {
  await using world = await World.create();
  const commands = join(world.folder, "commands.toml");
  await Deno.writeTextFile(commands, COMMANDS, { mode: 0o600 });
  const { ann } = await (async () => {
    const server = await world.serve(["--commands", commands]);
    const ann = await world.person("ann", server);
    await ann.register("ann");
    const { code, stderr } = await ann.run(["exec", "sh", "id"]);
    assertEquals(code, 255);
    assertStringIncludes(stderr, "does not offer the service");
    await server.stop();
    return { ann };
  })();
  const trivetd = async (words: readonly string[]) => {
    const [program = "", ...args] = world.programs.trivetd;
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args: [...args, ...words],
      env: ann.command([]).env,
      clearEnv: true,
    }).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  };
  const serve = ["serve", "exec", "--port", "0", "--data", world.data];
  for (
    const [words, text] of [
      [[], "add --commands FILE"],
      [["--commands", commands, "--audit", "off"], "need the audit log"],
      [["--commands", join(world.folder, "none")], "Cannot read commands file"],
    ] as const
  ) {
    const { code, stderr } = await trivetd([...serve, ...words]);
    assert(code > 0);
    assertStringIncludes(stderr, text);
  }
  assertStringIncludes((await trivetd(["exec", "check", commands])).stdout, `"/bin/sh" "-c"`);
  await using server = await world.serve(["--commands", commands, "exec"]);
  const again = await world.person("ann", server);
  assertEquals((await again.run(["exec", "sh", "exit 5"])).code, 255, "no login");
  await again.ok(["login", "ann", "--password-stdin"], { stdin: `${PASSWORD}\n` });
  assertEquals((await again.run(["exec", "sh", "exit 5"])).code, 5);
  assertStringIncludes((await again.run(["ls"])).stderr, "does not offer the service");
  await server.stop();
  const verified = await trivetd(["audit", "verify", "--data", world.data]);
  assertEquals(verified.code, 0, verified.stderr);
  const log = join(world.data, "log", "audit.jsonl");
  const lines = (await Deno.readTextFile(log)).split("\n");
  await Deno.writeTextFile(log, [...lines.slice(0, 1), ...lines.slice(2)].join("\n"));
  const broken = await trivetd(["audit", "verify", log]);
  assertEquals(broken.code, 6);
  assertStringIncludes(broken.stderr, `${log}:2`);
});

Deno.test("a machine runs its commands by the file of its key, with no account", async () => {
  await using world = await World.create();
  const server = await serveExec(world, ["--require-key"]);
  const admin = world.administrator();
  const ci = await world.person("ci", server);
  const file = ci.path("ci.key");
  const giveKey = async (name: string) => {
    const text = await admin.ok(["--quiet", "key", "add", name, "--services", "exec"]);
    await Deno.writeTextFile(file, text, { mode: 0o600 });
  };
  await giveKey("other");
  const exec = (...words: string[]) => ci.run(["--key-file", file, "exec", ...words]);
  assertStringIncludes((await exec("args", "x")).stderr, 'There is no command "args"');
  await giveKey("ci");
  assertEquals(await exec("args", "x"), { code: 0, stdout: "<x>", stderr: "" });
  assertMatch((await exec("--list")).stdout, /^NAME.*\nargs [^\n]*\n$/);
  assertEquals((await ci.run(["exec", "args", "x"])).code, 255, "without the key");
  await admin.ok(["key", "revoke", "ci"]);
  assertEquals((await exec("args", "x")).code, 255);
  const log = await Deno.readTextFile(join(world.data, "log", "audit.jsonl"));
  const results = log.trim().split("\n").map((line) => JSON.parse(line))
    .filter(({ method }) => method === "exec.run")
    .map(({ user, result }) => [user, result]);
  assertEquals(results, [["key:other", "COMMAND_NOT_FOUND"], ["key:ci", "OK"]]);
});

Deno.test("a server that serves no commands may start no program at all", async () => {
  const [deno = "", run = "", ...words] = FROM_SOURCE.trivetd;
  const trivetd = [deno, run, `--preload=${join(ROOT, "tests/e2e/try_to_run.ts")}`, ...words];
  const programs: Programs = { ...FROM_SOURCE, trivetd };
  await using world = await World.create(programs);
  const netdisk = await world.serve(["netdisk", "chat", "time"]);
  assertStringIncludes(
    (await netdisk.stop()).stderr,
    "This server may not run programs: NotCapable",
  );
  const commands = join(world.folder, "commands.toml");
  await Deno.writeTextFile(commands, COMMANDS, { mode: 0o600 });
  const exec = await world.serve(["--commands", commands, "exec"]);
  assertStringIncludes((await exec.stop()).stderr, "This server may run programs");
});
