import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path/posix";
import { onSteadyPort } from "../testing/steady_port.ts";
import { type Person, type ServerProcess, until, World } from "./testing.ts";

const COMMANDS = `
[commands.sh]
executable = "/bin/sh"
arguments = ["-c"]
parameters = [{ name = "SCRIPT", pattern = ".*" }]
users = ["ann"]
stdin = true
output-limit = "64M"
`;

async function start(
  world: World,
  options: readonly string[] = [],
): Promise<{ server: ServerProcess; ann: Person }> {
  const commands = join(world.folder, "commands.toml");
  await Deno.writeTextFile(commands, COMMANDS, { mode: 0o600 });
  const server = await world.serve([...options, "--commands", commands, "netdisk", "exec"]);
  const ann = await world.person("ann", server);
  await ann.register("ann");
  return { server, ann };
}

/** A `trivet share` that runs. */
class Share implements AsyncDisposable {
  readonly process: Deno.ChildProcess;
  readonly #stdout: Promise<string>;
  #stderr = "";
  readonly #reading: Promise<void>;

  private constructor(process: Deno.ChildProcess) {
    this.process = process;
    this.#stdout = new Response(process.stdout).text();
    this.#reading = this.#read();
  }

  /** Starts one, and waits until it lends connections. */
  static async start(person: Person, options: string[] = [], env = {}): Promise<Share> {
    const before = inodesOf(person);
    const share = new Share(person.spawn(["--json", "share", ...options], { env }));
    await until(() => inodesOf(person).some((each) => !before.includes(each)), "the share");
    return share;
  }

  /** Waits for its end: exit code, commands that used it, and what it said. */
  async ended(signal?: Deno.Signal): Promise<{ code: number; commands: number; stderr: string }> {
    if (signal !== undefined) this.process.kill(signal);
    const { code } = await this.process.status;
    await this.#reading;
    const stdout = await this.#stdout;
    return {
      code,
      commands: stdout === "" ? -1 : JSON.parse(stdout).commands,
      stderr: this.#stderr,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.process.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.ended();
  }

  async #read(): Promise<void> {
    for await (const text of this.process.stderr.pipeThrough(new TextDecoderStream())) {
      this.#stderr += text;
    }
  }
}

function folderOf(person: Person): string {
  return person.path("state", "trivet", "shared");
}

/** Sockets in the folder, but not what one is made in. */
function socketsOf(person: Person): string[] {
  try {
    const entries = [...Deno.readDirSync(folderOf(person))];
    return entries.filter(({ name }) => !name.startsWith(".")).map(({ name }) =>
      join(folderOf(person), name)
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function inodesOf(person: Person): (number | null)[] {
  return socketsOf(person).map((path) => Deno.lstatSync(path).ino);
}

Deno.test("trivet share lends connections to trivet exec of the same login", async () => {
  await using world = await World.create();
  const { ann } = await start(world);
  await using share = await Share.start(ann);
  const [socket = ""] = socketsOf(ann);
  assertEquals((Deno.statSync(socket).mode ?? 0) & 0o777, 0o600);
  assertEquals((Deno.statSync(folderOf(ann)).mode ?? 0) & 0o777, 0o700);

  const both = await ann.run(["exec", "sh", "cat; echo err >&2; exit 42"], { stdin: "in\n" });
  assertEquals(both, { code: 42, stdout: "in\n", stderr: "err\n" });
  assertMatch(await ann.ok(["exec", "--list"]), /^sh +SCRIPT/m);
  const flood = "head -c 30000000 /dev/zero";
  assertEquals((await ann.ok(["exec", "sh", flood])).length, 30_000_000);
  const refused = await ann.run(["exec", "none"]);
  assertEquals(refused.code, 255);
  assertStringIncludes(refused.stderr, 'There is no command "none"');
  const atOnce = await Promise.all([1, 2, 3].map((n) => ann.ok(["exec", "sh", `echo ${n}`])));
  assertEquals(atOnce, ["1\n", "2\n", "3\n"]);
  assertEquals((await ann.run(["exec", "sh", "kill -9 $$"])).code, 137);

  // These go past it.
  assertEquals(await ann.ok(["exec", "--no-share", "sh", "echo own"]), "own\n");
  assertEquals(
    await ann.ok(["exec", "sh", "echo own"], { env: { TRIVET_NO_SHARE: "1" } }),
    "own\n",
  );
  const { token } = await ann.json(["token", "create", "--scope", "full"]);
  assertEquals(await ann.ok(["exec", "sh", "echo own"], { env: { TRIVET_TOKEN: token } }), "own\n");

  const second = await ann.run(["share"]);
  assertEquals(second.code, 8);
  assertStringIncludes(second.stderr, "This connection is shared already");
  const { code, commands } = await share.ended("SIGINT");
  assertEquals([code, commands, socketsOf(ann)], [0, 8, []]);
  assertEquals(await ann.ok(["exec", "sh", "echo own"]), "own\n");
});

Deno.test("trivet exec says so when its share dies, and the next one connects itself", async () => {
  await using world = await World.create();
  const { ann } = await start(world);
  await using share = await Share.start(ann);
  const process = ann.spawn(["exec", "sh", "echo ready; exec sleep 60"]);
  const reader = process.stdout.getReader();
  await reader.read();
  share.process.kill("SIGKILL");
  const stderr = new Response(process.stderr).text();
  assertEquals((await process.status).code, 255);
  assertStringIncludes(await stderr, "The connection that trivet share lent was closed");
  await reader.cancel();

  assertEquals(socketsOf(ann).length, 1);
  assertEquals(await ann.ok(["exec", "sh", "echo own"]), "own\n");
  await using again = await Share.start(ann);
  assertEquals(await ann.ok(["exec", "sh", "echo lent"]), "lent\n");
  assertEquals((await again.ended("SIGTERM")).commands, 1);
});

Deno.test("trivet share passes on why the server has ended the login", async () => {
  await using world = await World.create();
  const { ann } = await start(world);
  const { token, id } = await ann.json(["token", "create", "--scope", "full"]);
  const env = { TRIVET_TOKEN: token };
  await using _share = await Share.start(ann, [], env);
  assertEquals(await ann.ok(["exec", "sh", "echo lent"], { env }), "lent\n");
  await ann.ok(["token", "revoke", id]);
  const { code, stderr } = await ann.run(["exec", "sh", "echo lent"], { env });
  assertEquals(code, 255);
  assertStringIncludes(stderr, "The session has ended or was revoked");
});

Deno.test("trivet share finds the server again", async () => {
  await using world = await World.create();
  const port = onSteadyPort();
  const { server, ann } = await start(world, port);
  await using _share = await Share.start(ann);
  await server.stop();
  const lost = await ann.run(["exec", "sh", "echo lent"]);
  assertEquals(lost.code, 255);
  // Whether the share has heard of the end already is a matter of moments.
  assertMatch(lost.stderr, /Cannot reach|The connection was lost/);
  const commands = join(world.folder, "commands.toml");
  await world.serve([...port, "--commands", commands, "netdisk", "exec"]);
  assertEquals(await ann.ok(["exec", "sh", "echo lent"]), "lent\n");
});

Deno.test("trivet share --for ends when the commands that run have ended", async () => {
  await using world = await World.create();
  const { ann } = await start(world);
  await using share = await Share.start(ann, ["--for", "1s"]);
  const process = ann.spawn(["exec", "sh", "cat"], { stdin: "" });
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode("one\n"));
  const reader = process.stdout.getReader();
  await reader.read();
  await until(() => socketsOf(ann).length === 0, "the end of its time");
  await writer.write(new TextEncoder().encode("two\n"));
  assertEquals(new TextDecoder().decode((await reader.read()).value), "two\n");
  await writer.close();
  assertEquals((await process.status).code, 0);
  await Promise.all([reader.cancel(), process.stderr.cancel()]);
  const { code, commands } = await share.ended();
  assertEquals([code, commands], [0, 1]);
});

Deno.test("trivet share and exec use no folder that others can enter", async () => {
  await using world = await World.create();
  const { ann } = await start(world);
  await using share = await Share.start(ann);
  Deno.chmodSync(folderOf(ann), 0o750);
  assertEquals(await ann.ok(["exec", "sh", "echo own"]), "own\n");
  Deno.chmodSync(folderOf(ann), 0o700);
  assertEquals(await ann.ok(["exec", "sh", "echo lent"]), "lent\n");
  assertEquals((await share.ended("SIGINT")).commands, 1);

  Deno.chmodSync(folderOf(ann), 0o710);
  const { code, stderr } = await ann.run(["share"]);
  assertEquals(code, 4);
  assertStringIncludes(stderr, "it is not yours alone");
});
