import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { TRIVET } from "../../client/command_table.ts";
import type { ClientContext } from "../../client/commands/context.ts";
import { TrivetError } from "../../lib/errors.ts";
import { Output } from "../../lib/term/output.ts";
import { parseCommandLine } from "../../lib/term/parse.ts";
import { Prompter } from "../../lib/term/prompt.ts";
import { FakeInput, FakeSink } from "../lib/term/fakes.ts";
import { noise, TestServer } from "../server/testing.ts";
import { syncsDuring, withFolder } from "./testing.ts";

const PASSWORD = "correct horse";

interface Run {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs commands as the program does, on streams in memory. */
class Shell {
  readonly env: Record<string, string>;
  signal: AbortSignal = new AbortController().signal;

  constructor(folder: string, server: TestServer) {
    this.env = {
      XDG_CONFIG_HOME: folder,
      TRIVET_SERVER: `127.0.0.1:${server.port}`,
      TRIVET_PLAIN: "1",
    };
  }

  async run(argv: readonly string[], input = ""): Promise<Run> {
    const env = (name: string) => this.env[name];
    const request = parseCommandLine(TRIVET, argv, { env });
    if (request.kind !== "command") throw new TypeError("Not a command");
    const [stdout, stderr] = [new FakeSink({ chunkBytes: 65_536 }), new FakeSink()];
    const stdin = new FakeInput([input, null], false);
    const { globals, globalSources } = request;
    const { json, quiet } = globals;
    const context: ClientContext = {
      output: new Output("trivet", { stdout, stderr, env, json, quiet }),
      prompter: new Prompter({ input: stdin, sink: stderr }),
      globals,
      globalSources,
      env,
      signal: this.signal,
      program: "trivet",
      argv,
      stdin,
    };
    await request.command.run(context, request.invocation);
    return { stdout: stdout.text, stderr: stderr.text };
  }

  async json(...argv: string[]): Promise<unknown> {
    return JSON.parse((await this.run(["--json", ...argv])).stdout);
  }

  async codeOf(...argv: string[]): Promise<string> {
    return (await assertRejects(() => this.run(argv), TrivetError)).code;
  }
}

async function withShell(
  test: (shell: Shell, folder: string, server: TestServer) => Promise<void>,
): Promise<void> {
  await using server = await TestServer.start();
  await withFolder(async (folder) => await test(new Shell(folder, server), folder, server));
}

Deno.test("Commands carry a person from registration to logout", async () => {
  await withShell(async (shell, folder) => {
    assertEquals(await shell.codeOf("whoami"), "AUTH_REQUIRED");
    const made = await shell.run(["register", "ann", "--password-stdin"], `${PASSWORD}\n`);
    assertStringIncludes(made.stderr, 'Registered "ann"');
    assertEquals(await shell.codeOf("login"), "USAGE");
    await Deno.writeTextFile(join(folder, "pw"), `${PASSWORD}\n`);
    await shell.run(["login", "--password-file", join(folder, "pw")]);
    // Server, account and the missing TLS are remembered.
    shell.env.TRIVET_PLAIN = "";
    shell.env.TRIVET_SERVER = "";
    const { stdout } = await shell.run(["whoami"]);
    assertStringIncludes(stdout, "ann at 127.0.0.1:");
    const token = await Deno.readTextFile(join(folder, "trivet", "credentials.json"));
    await shell.run(["logout"]);
    assertEquals(await shell.codeOf("whoami"), "AUTH_REQUIRED");
    await Deno.writeTextFile(join(folder, "trivet", "credentials.json"), token);
    assertEquals(await shell.codeOf("whoami"), "TOKEN_INVALID");
    assertStringIncludes((await shell.run(["logout"])).stderr, "had ended already");
  });
});

Deno.test("Commands print one JSON document each", async () => {
  await withShell(async (shell, folder, server) => {
    shell.env.TRIVET_TOKEN = await server.addUser("ann", 1000_000_000);
    const local = join(folder, "f.bin");
    await Deno.writeFile(local, noise(200_000), { mode: 0o644 });
    await Deno.utime(local, 1000, 1000);
    assertEquals(await shell.json("mkdir", "-p", "a/b"), {
      folders: [{ path: "/a/b", created: true }],
    });
    const put = await shell.json("put", local, "a/") as Record<string, unknown>;
    assertEquals({ ...put, seconds: 0, etag: "" }, {
      path: "/a/f.bin",
      size_bytes: 200_000,
      sent_bytes: 200_000,
      verified_bytes: 0,
      resumed_at_bytes: 0,
      seconds: 0,
      etag: "",
      skipped: false,
    });
    const entry = {
      name: "f.bin",
      type: "file",
      size_bytes: 200_000,
      mtime_ms: 1_000_000,
      mode: "0644",
      etag: put.etag,
    };
    const stat = await shell.json("stat", "a/f.bin") as Record<string, unknown>;
    assertEquals({ ...stat, mode: "0644" }, { path: "/a/f.bin", ...entry });
    const { listings } = await shell.json("ls", "a", "a/b") as { listings: { path: string }[] };
    assertEquals(listings.map(({ path }) => path), ["/a", "/a/b"]);
    const got = await shell.json("get", "a/f.bin", join(folder, "g")) as Record<string, unknown>;
    assertEquals([got.path, got.received_bytes, got.etag], [join(folder, "g"), 200_000, put.etag]);
    assertEquals(await Deno.readFile(join(folder, "g")), noise(200_000));
    assertEquals(
      await shell.json("whoami"),
      {
        user: "ann",
        server: shell.env.TRIVET_SERVER,
        scope: "full",
        used_bytes: 200_000,
        quota_bytes: 1000_000_000,
      },
    );
  });
});

Deno.test("Commands write names, long lines and content to stdout, and nothing else", async () => {
  await withShell(async (shell, folder, server) => {
    shell.env.TRIVET_TOKEN = await server.addUser("ann");
    const sent = await shell.run(["put", "-", "a.txt"], "hello\n");
    assertEquals(sent.stdout, "");
    assertEquals((await shell.run(["cat", "a.txt"])).stdout, "hello\n");
    assertEquals((await shell.run(["get", "a.txt", "-"])).stdout, "hello\n");
    await shell.run(["mkdir", "b"]);
    assertEquals((await shell.run(["ls"])).stdout, "a.txt\nb\n");
    const long = (await shell.run(["ls", "-l"])).stdout.split("\n");
    assertEquals(long[0]?.startsWith("-rw"), true);
    assertEquals(long[1]?.startsWith("drwx"), true);
    await Deno.writeTextFile(join(folder, "x"), "x");
    await shell.run(["put", join(folder, "x"), "a.txt", "--overwrite", "skip"]);
    assertEquals((await shell.run(["cat", "a.txt"])).stdout, "hello\n");
    assertEquals(
      await shell.codeOf("put", join(folder, "x"), "a.txt", "--overwrite=fail"),
      "EXISTS",
    );
    assertEquals(await shell.codeOf("put", "-", "b/"), "USAGE");
    assertEquals(await shell.codeOf("put", "-"), "USAGE");
    assertEquals(await shell.codeOf("cat", "a.txt", "--json"), "USAGE");
    assertEquals(await shell.codeOf("put", join(folder, "x"), "../x"), "PATH_DOT");
  });
});

Deno.test("get --durability chooses whether the file waits for the disk", async () => {
  await withShell(async (shell, folder, server) => {
    shell.env.TRIVET_TOKEN = await server.addUser("ann");
    await shell.run(["put", "-", "a.txt"], "hello\n");
    const path = join(folder, "copy");
    const get = (...argv: string[]) => shell.run(["get", "a.txt", path, ...argv]);
    const byDefault = await syncsDuring(() => get());
    assertEquals(byDefault > 0, true);
    assertEquals(await syncsDuring(() => get("--durability", "commit")), byDefault);
    assertEquals(await syncsDuring(() => get("--durability", "os")), 0);
    shell.env.TRIVET_DURABILITY = "os";
    assertEquals(await syncsDuring(() => get()), 0);
    assertEquals(await Deno.readTextFile(path), "hello\n");
  });
});

Deno.test("put and get say how to go on when they are interrupted", async () => {
  await withShell(async (shell, folder, server) => {
    shell.env.TRIVET_TOKEN = await server.addUser("ann");
    const local = join(folder, "it's big");
    await Deno.writeFile(local, noise(6_000_000));
    const limit = ["--limit-rate", "4M"];
    for (const argv of [["put", local, "big"], ["get", "big", join(folder, "copy")]]) {
      const controller = new AbortController();
      shell.signal = controller.signal;
      const running = shell.run([...argv, ...limit]);
      setTimeout(() => controller.abort(new TrivetError("INTERRUPTED", "Interrupted")), 900);
      const error = await assertRejects(() => running, TrivetError);
      assertEquals(error.code, "INTERRUPTED");
      assertStringIncludes(error.message, " %. To go on: trivet ");
      if (argv[0] === "put") {
        assertStringIncludes(error.message, `it'\\''s big' big --limit-rate 4M`);
      }
      shell.signal = new AbortController().signal;
      const result = await shell.json(...argv) as Record<string, number>;
      assertEquals((result.resumed_at_bytes ?? 0) > 0, true);
    }
    assertEquals(await Deno.readFile(join(folder, "copy")), noise(6_000_000));
  });
});

Deno.test("A defect ends a command with INTERNAL, and shows its stack only when asked", async () => {
  const [command] = TRIVET.commands;
  if (command === undefined || !("run" in command)) throw new TypeError("No command");
  for (const debug of ["", "1"]) {
    const stderr = new FakeSink();
    const output = new Output("trivet", { stdout: new FakeSink(), stderr, env: () => undefined });
    const env = (name: string) => {
      if (name === "TRIVET_DEBUG") return debug;
      throw new TypeError("Planted");
    };
    const globals = parseCommandLine(TRIVET, ["whoami"], { env: () => undefined });
    if (globals.kind !== "command") throw new TypeError("Not a command");
    const stdin = new FakeInput([], false);
    const context: ClientContext = {
      output,
      env,
      globals: globals.globals,
      globalSources: globals.globalSources,
      prompter: new Prompter({ input: stdin, sink: stderr }),
      signal: new AbortController().signal,
      program: "trivet",
      argv: [],
      stdin,
    };
    const invocation = { values: {}, arguments: { name: "ann" }, sources: {}, places: {} };
    const running = () => Promise.resolve(command.run(context, invocation));
    const error = await assertRejects(running, TrivetError, "internal error: TypeError: Planted");
    assertEquals(error.code, "INTERNAL");
    assertEquals(stderr.text.includes("commands_test.ts"), debug === "1");
  }
});

Deno.test("ls, find and tree see every page of a large folder", async () => {
  await withShell(async (shell, _folder, server) => {
    shell.env.TRIVET_TOKEN = await server.addUser("ann");
    await shell.run(["mkdir", "many"]);
    const names = Array.from({ length: 2500 }, (_, number) => `f${10_000 + number}`);
    for (const name of names) Deno.writeTextFileSync(server.home("ann", "many", name), "");
    assertEquals((await shell.run(["ls", "many"])).stdout, `${names.join("\n")}\n`);
    assertEquals((await shell.run(["ls", "-R", "many"])).stdout, `/many:\n${names.join("\n")}\n`);
    assertEquals((await shell.run(["find", "f1249?"])).stdout.split("\n").length, 11);
    const { files } = await shell.json("tree") as { files: number };
    assertEquals(files, 2500);
  });
});
