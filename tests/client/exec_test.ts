import { assert, assertEquals, assertRejects } from "@std/assert";
import { constants } from "node:os";
import type { ExecClient } from "../../client/exec.ts";
import { TrivetError } from "../../lib/errors.ts";
import type { CommandEnd } from "../../client/exec/exec_types.ts";
import { VARIABLE_CHARS_MAX, VARIABLES_MAX } from "../../lib/exec/messages.ts";
import { COMMAND_SIGNALS } from "../../lib/exec/signals.ts";
import {
  sealStreamFrame,
  STREAM_DATA_MAX_BYTES,
  STREAM_FRAME_BYTES_AT,
  STREAM_WINDOW_BYTES,
} from "../../lib/exec/stream.ts";
import { encodeControl } from "../../lib/frame/encode.ts";
import { FrameType } from "../../lib/frame/frame.ts";
import { Link } from "../../lib/link/link.ts";
import { expectFrame, greet } from "../../lib/rpc/handshake.ts";
import { readError } from "../../lib/rpc/messages.ts";
import { RUNNING_MAX } from "../../server/exec/service.ts";
import { ExecWorld, processesWith, run, SHELL, TextWriter } from "./exec_testing.ts";

/** The error that a command ends with. */
async function codeOf(action: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => action, TrivetError)).code;
}

function endOf({ code, signal }: CommandEnd): unknown[] {
  return [code, signal];
}

/** A number that no other process has in its arguments. */
function uniqueSeconds(): string {
  return `${1000 + Math.floor(Math.random() * 1_000_000)}.25`;
}

Deno.test("ExecClient.start() reports every exit code", async () => {
  await using world = await ExecWorld.start(SHELL);
  const client = await world.client();
  const codes = Array.from({ length: 256 }, (_, code) => code);
  for (let at = 0; at < codes.length; at += 32) {
    const part = codes.slice(at, at + 32);
    const ends = await Promise.all(part.map((code) => run(client, "sh", [`exit ${code}`])));
    assertEquals(ends.map(endOf), part.map((code) => [code, null]));
  }
});

Deno.test("RemoteCommand.signal() sends each signal, and the end names it", async () => {
  await using world = await ExecWorld.start(SHELL);
  const client = await world.client();
  for (const signal of COMMAND_SIGNALS) {
    const stdout = new TextWriter();
    const command = await client.start("sh", ["echo ready; exec sleep 60"], { stdout });
    await stdout.until("ready");
    await command.signal(signal);
    assertEquals(endOf(await command.ended), [null, signal]);
    assertEquals(await codeOf(command.signal(signal)), "COMMAND_NOT_FOUND");
  }
});

Deno.test("ExecClient.start() reports every signal that ends a program", async () => {
  await using world = await ExecWorld.start(SHELL);
  const client = await world.client();
  // Those that stop a program, go on with it, or do nothing by default are no end of it.
  const others = ["SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG"];
  const names = Object.entries(constants.signals)
    .filter(([name]) => ![...others, "SIGWINCH", "SIGINFO"].includes(name));
  // Several names may stand for one signal.
  const known = Map.groupBy(names, ([, number]) => number);
  const scriptOf = (number: number) => [`ulimit -c 0; kill -${number} $$; sleep 9`];
  for (const [number, entries] of known) {
    const [code, signal] = endOf(await run(client, "sh", scriptOf(number)));
    assertEquals([code, entries.some(([name]) => name === signal)], [null, true], `${signal}`);
  }
  assert(known.size > 15);
});

Deno.test("ExecClient.start() reports a real-time signal by its number", {
  ignore: Deno.build.os !== "linux",
  // Deno rejects the status of such a process, and keeps its entry.
  sanitizeResources: false,
}, async () => {
  await using world = await ExecWorld.start(SHELL);
  const client = await world.client();
  for (const number of [34, 64]) {
    const end = await run(client, "sh", [`kill -${number} $$; sleep 9`]);
    assertEquals(endOf(end), [null, `SIG${number}`]);
  }
});

Deno.test("ExecClient.start() passes stderr on that comes behind the end of stdout", async () => {
  await using world = await ExecWorld.start(SHELL);
  const script = "echo out; exec 1>&-; sleep 0.1; echo err >&2";
  const { stdout, stderr } = await run(await world.client(), "sh", [script]);
  assertEquals([stdout, stderr], ["out\n", "err\n"]);
});

Deno.test("ExecClient.start() passes bytes on while the command runs, and stdin to it", async () => {
  await using world = await ExecWorld.start(SHELL);
  const stdout = new TextWriter();
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const reader = readable.getReader();
  const stdin = {
    read: async (buffer: Uint8Array) => {
      const { value } = await reader.read();
      buffer.set(value ?? []);
      return value?.length ?? null;
    },
  };
  const script = "echo first; read line; echo second $line; cat";
  const client = await world.client();
  const command = await client.start("sh", [script], { stdin, stdout });
  await stdout.until("first");
  const writer = writable.getWriter();
  await writer.write(new TextEncoder().encode("line\n"));
  await stdout.until("second line");
  await writer.close();
  assertEquals(endOf(await command.ended), [0, null]);
});

Deno.test("a command has its fixed arguments, folder and environment, and nothing of the server's", async () => {
  await using world = await ExecWorld.start(`
    [commands.env]
    executable = "/usr/bin/env"
    users = ["ann"]
    environment = { LEVEL = "3", "EMPTY" = "" }
    [commands.pwd]
    executable = "/bin/sh"
    arguments = ["-c", 'pwd; cat; printf "<%s>" "$@"', "sh", "a b", "$(id)", ""]
    directory = "FOLDER"
    users = ["ann"]
  `);
  const client = await world.client();
  const { stdout } = await run(client, "env");
  assertEquals(stdout.split("\n").toSorted(), ["", "EMPTY=", "LEVEL=3"]);
  const second = await run(client, "pwd");
  assertEquals(second.stdout, `${await Deno.realPath(world.folder)}\n<a b><$(id)><>`);
});

Deno.test("a command has the variables that its rule takes from clients, and no others", async () => {
  await using world = await ExecWorld.start(`
    [commands.env]
    executable = "/usr/bin/env"
    users = ["ann"]
    environment = { DEPLOY_STAGE = "production" }
    client-environment = ["LANG", "DEPLOY_*"]
    [commands.bare]
    executable = "/usr/bin/env"
    users = ["ann"]
  `);
  const client = await world.client();
  const environment = { LANG: "C", DEPLOY_WHO: "a=b $(id); c" };
  assertEquals((await client.list())[0]?.variables, ["LANG", "DEPLOY_*"]);
  const { stdout } = await run(client, "env", [], { environment });
  const lines = ["DEPLOY_STAGE=production", "DEPLOY_WHO=a=b $(id); c", "LANG=C"];
  assertEquals(stdout.trim().split("\n").toSorted(), lines);
  const refused: [code: string, environment: Record<string, string>][] = [
    ["ARGUMENT_REFUSED", { DEPLOY_STAGE: "test" }],
    ["ARGUMENT_REFUSED", { LANGUAGE: "de" }],
    ["ARGUMENT_REFUSED", { LANG: "C", LD_PRELOAD: "/tmp/x.so" }],
    ["ARGUMENT_REFUSED", { LANG: "a\nb" }],
    ["ARGUMENT_REFUSED", { LANG: "a\0b" }],
    ["ARGUMENT_REFUSED", { LANG: "\ud800" }],
    ["INVALID_REQUEST", { "": "x" }],
    ["INVALID_REQUEST", { "A B": "x" }],
    ["INVALID_REQUEST", { "LANG=C": "x" }],
    ["INVALID_REQUEST", { LANG: "x".repeat(VARIABLE_CHARS_MAX + 1) }],
    ["INVALID_REQUEST", variables(VARIABLES_MAX + 1)],
  ];
  for (const [code, environment] of refused) {
    assertEquals(await codeOf(client.start("env", [], { environment })), code);
  }
  assertEquals(await codeOf(client.start("bare", [], { environment })), "ARGUMENT_REFUSED");
  const most = { LANG: "x".repeat(VARIABLE_CHARS_MAX) };
  assertEquals((await run(client, "env", [], { environment: most })).code, 0);
  const many = await run(client, "env", [], { environment: variables(VARIABLES_MAX) });
  assertEquals(many.stdout.trim().split("\n").length, VARIABLES_MAX + 1);
  const attempts = await world.attempts();
  assertEquals(attempts[0]?.environment, environment);
  assertEquals(attempts.filter(({ result }) => result === "OK").length, 3);
});

/** As many variables that the rule takes. */
function variables(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`DEPLOY_${index}`, "x"]));
}

Deno.test(
  "a command runs as the user that its rule names",
  { ignore: Deno.uid() !== 0 },
  async () => {
    await using world = await ExecWorld.start(`
    [commands.id]
    executable = "/usr/bin/id"
    users = ["ann"]
    run-as = { uid = 65534, gid = 65534 }
  `);
    const { stdout } = await run(await world.client(), "id");
    assert(/^uid=65534\S* gid=65534\S* groups=65534\S*\n$/.test(stdout), stdout);
  },
);

const RECORDER = `
[commands.record]
executable = "FOLDER/record"
arguments = ["--fixed"]
users = ["ann"]
parameters = [
  { name = "VERSION", pattern = "v[0-9]{1,3}" },
  { name = "MODE", choices = ["fast", "slow"], optional = true },
]
concurrent = 64
`;

/** A command that writes down with which arguments it was called. */
async function startRecorder(): Promise<{ world: ExecWorld; recorded: () => Promise<string[][]> }> {
  const record = `{ printf '%s\\001' "$@"; echo; } >> "\${0%/*}/recorded"`;
  const world = await ExecWorld.start(RECORDER, { record });
  const recorded = async () => {
    const text = await Deno.readTextFile(`${world.folder}/recorded`).catch(() => "");
    return text.split("\n").slice(0, -1).map((line) => line.split("\x01").slice(1, -1));
  };
  return { world, recorded };
}

/** What the rule means, written down once more without a regular expression. */
function isAllowed([version = "", mode, ...rest]: readonly string[]): boolean {
  const digits = [...version.slice(1)];
  return version.startsWith("v") && digits.length >= 1 && digits.length <= 3 &&
    digits.every((digit) => "0123456789".includes(digit)) &&
    (mode === undefined || mode === "fast" || mode === "slow") && rest.length === 0;
}

Deno.test("10 000 fuzzed argument vectors run what the rule allows and nothing else", async () => {
  const { world, recorded } = await startRecorder();
  await using _world = world;
  const client = await world.client();
  const words = ["v1", "v12", "v123", "fast", "slow", "v1234", "", "--", "-v1", "v1; id", "$(id)"];
  const signs = [
    "\0",
    "\n",
    ";",
    "`id`",
    "$(id)",
    " ",
    "\u2028",
    "-",
    "|",
    "\ud800",
    "٣",
    "v",
    "1",
  ];
  let state = 12345;
  const random = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor(state / 2 ** 31 * below);
  };
  const word = () => {
    const base = words[random(words.length)] ?? "";
    if (random(3) > 0) return base;
    const at = random(base.length + 1);
    return base.slice(0, at) + (signs[random(signs.length)] ?? "") + base.slice(at);
  };
  const expected: string[] = [];
  let refused = 0;
  for (let batch = 0; batch < 10_000 / 50; batch++) {
    await Promise.all(Array.from({ length: 50 }, async () => {
      const args = Array.from({ length: random(4) }, word);
      // Most good ones are left out, since each starts a program.
      if (isAllowed(args) && random(8) > 0) args.push("x");
      if (isAllowed(args)) {
        expected.push(JSON.stringify(args));
        assertEquals(endOf(await run(client, "record", args)), [0, null]);
        return;
      }
      refused += 1;
      assertEquals(await codeOf(client.start("record", args)), "ARGUMENT_REFUSED");
    }));
  }
  assert(expected.length > 10 && refused > 5000, `${expected.length} ${refused}`);
  const ran = (await recorded()).map((args) => JSON.stringify(args));
  assertEquals(ran.toSorted(), expected.toSorted());
});

Deno.test("who may not run a command starts nothing, and cannot tell that it is there", async () => {
  const { world, recorded } = await startRecorder();
  await using _world = world;
  const { server } = world;
  const client = await world.client();
  const bob = await world.client(await server.addUser("bob"));
  const messageOf = async (client: ExecClient, name: string) => {
    const error = await assertRejects(() => client.start(name, ["v1"]), TrivetError);
    return [error.code, error.message.replace(name, "NAME")];
  };
  assertEquals(await messageOf(bob, "record"), await messageOf(client, "unlisted"));
  for (
    const name of ["", "/bin/sh", "record ", "Record", "../record", "__proto__", "x".repeat(256)]
  ) {
    assertEquals(await codeOf(client.start(name, ["v1"])), "COMMAND_NOT_FOUND");
  }
  assertEquals(await codeOf(client.start("x".repeat(257), ["v1"])), "INVALID_REQUEST");
  assertEquals([(await client.list()).length, (await bob.list()).length], [1, 0]);
  for (const limits of [{ scope: "write" }, { scope: "read" }, { pathPrefix: ["a"] }] as const) {
    const token = await server.addToken("ann", {
      ...limits,
      pathPrefix: "pathPrefix" in limits ? [...limits.pathPrefix] : [],
    });
    const narrow = await world.client(token);
    assertEquals(await codeOf(narrow.start("record", ["v1"])), "PERMISSION_DENIED");
    assertEquals(await narrow.list(), []);
  }
  assertEquals(await recorded(), []);
  const results = (await world.attempts()).map(({ result }) => result);
  assertEquals(results.filter((result) => result === "OK"), []);
  assertEquals(results.length, 13);
});

Deno.test("who is not logged in starts nothing", async () => {
  const { world, recorded } = await startRecorder();
  await using _world = world;
  using link = new Link(await world.server.connect());
  await greet(link, { service: "exec" });
  const params = { name: "record", arguments: ["v1"] };
  await link.send(encodeControl(FrameType.REQUEST, 1, { method: "exec.run", params }));
  const error = await assertRejects(() => expectFrame(link, FrameType.AUTH), TrivetError);
  assertEquals(error.code, "PROTOCOL_ERROR");
  assertEquals(await recorded(), []);
  using other = new Link(await world.server.connect());
  await other.send(encodeControl(FrameType.HELLO, 0, { version: 1, service: "netdisk" }));
  const frame = await other.receive();
  assert(frame !== null);
  assertEquals(readError(frame).code, "UNKNOWN_SERVICE");
});

Deno.test("a command may write as much as its output limit and not a byte more", async () => {
  await using world = await ExecWorld.start(`
    ${SHELL.replace("4G", "100_000")}
    [commands.yes]
    executable = "/usr/bin/yes"
    users = ["ann"]
    output-limit = "1M"
  `);
  const client = await world.client();
  const write = (
    more: number,
  ) => [`head -c 60000 /dev/zero; head -c ${40_000 + more} /dev/zero >&2`];
  const { stdout, stderr } = await run(client, "sh", write(0));
  assertEquals([stdout.length, stderr.length], [60_000, 40_000]);
  assertEquals(await codeOf(run(client, "sh", write(1))), "OUTPUT_LIMIT");
  const written = new TextWriter();
  const yes = await client.start("yes", [], { stdout: written });
  assertEquals(await codeOf(yes.ended), "OUTPUT_LIMIT");
  assertEquals(written.text.length, 1024 ** 2);
  const [last] = (await world.attempts()).slice(-1);
  assertEquals([last?.result, last?.stdout_bytes], ["OUTPUT_LIMIT", 1024 ** 2]);
});

Deno.test("no process of a command is left, however it ends", async (t) => {
  await using world = await ExecWorld.start(`${SHELL}time-limit = "700ms"`);
  const token = await world.server.addUser("ann");
  const ends: Record<string, (command: Promise<unknown>, client: ExecClient) => Promise<void>> = {
    "time limit": async (ended) => assertEquals(await codeOf(ended), "TIME_LIMIT"),
    "lost client": async (ended, client) => {
      await client.close();
      assertEquals(await codeOf(ended), "CONNECTION_LOST");
    },
  };
  for (const [name, end] of Object.entries(ends)) {
    await t.step(name, async () => {
      const seconds = uniqueSeconds();
      const client = await world.client(token);
      const stdout = new TextWriter();
      // One in the background, one that ignores SIGTERM, one below another shell.
      const script = `sleep ${seconds} & (trap "" TERM; sleep ${seconds}; :) & ` +
        `sh -c "sleep ${seconds}; :" & echo ready; sleep ${seconds}`;
      const command = await client.start("sh", [script], { stdout });
      await stdout.until("ready");
      await end(command.ended, client);
      await untilGone(seconds);
    });
  }
  await t.step("signal of the caller", async () => {
    const seconds = uniqueSeconds();
    const stop = new AbortController();
    const stdout = new TextWriter();
    const client = await world.client(token);
    const script = `sleep ${seconds} & echo ready; wait`;
    const command = await client.start("sh", [script], { stdout, signal: stop.signal });
    await stdout.until("ready");
    stop.abort(new TrivetError("INTERRUPTED", "Enough"));
    assertEquals(await codeOf(command.ended), "INTERRUPTED");
    await untilGone(seconds);
  });
  await t.step("its own end", async () => {
    const seconds = uniqueSeconds();
    const client = await world.client(token);
    const { stdout } = await run(client, "sh", [`sleep ${seconds} & echo out`]);
    assertEquals([stdout, await processesWith(seconds)], ["out\n", []]);
  });
  await t.step("end of the server", async () => {
    const seconds = uniqueSeconds();
    const client = await world.client(token);
    const stdout = new TextWriter();
    const command = await client.start("sh", [`sleep ${seconds} & echo ready; wait`], { stdout });
    await stdout.until("ready");
    await Promise.all([
      world.server.running.shutdown(),
      codeOf(command.ended).then((code) => assertEquals(code, "SHUTTING_DOWN")),
    ]);
    assertEquals(await processesWith(seconds), []);
  });
});

async function untilGone(seconds: string): Promise<void> {
  const endMs = performance.now() + 10_000;
  while ((await processesWith(seconds)).length > 0) {
    assert(performance.now() < endMs, "still there");
  }
}

Deno.test("a client may shorten the time limit, not stretch it", async () => {
  for (const [limit, timeoutMs] of [["300ms", 600_000], ["10m", 300]] as const) {
    await using world = await ExecWorld.start(`${SHELL}time-limit = "${limit}"`);
    const client = await world.client();
    const startedMs = performance.now();
    const ended = run(client, "sh", ["exec sleep 600"], { timeoutMs });
    assertEquals(await codeOf(ended), "TIME_LIMIT");
    const tookMs = performance.now() - startedMs;
    assert(tookMs >= 300 && tookMs < 300_000, `${tookMs}`);
  }
});

Deno.test("a client that does not read holds its command back, and nothing else", async () => {
  await using world = await ExecWorld.start(SHELL);
  const client = await world.client();
  const blocked = Promise.withResolvers<void>();
  let taken = 0;
  const stdout = {
    write: async (bytes: Uint8Array) => {
      taken += bytes.length;
      await blocked.promise;
      return bytes.length;
    },
  };
  const stderr = new TextWriter();
  // It says on stderr how far it came: never further than the window and the pipe.
  const script =
    "i=0; while [ $i -lt 100 ]; do head -c 65536 /dev/zero; i=$((i+1)); echo $i >&2; done";
  const command = await client.start("sh", [script], { stdout, stderr });
  const windowed = Math.floor(STREAM_WINDOW_BYTES / 65536);
  await stderr.until(`\n${windowed}\n`);
  for (let other = 0; other < 20; other++) {
    assertEquals((await run(client, "sh", ["echo other"])).stdout, "other\n");
  }
  const steps = stderr.text.trim().split("\n").length;
  assert(steps <= windowed + 2 && taken <= 64 * 1024, `${steps} ${taken}`);
  blocked.resolve();
  assertEquals(endOf(await command.ended), [0, null]);
  assertEquals(taken, 100 * 65536);
});

Deno.test("a command runs as often at once as its rule says, and all together as the service", async () => {
  await using world = await ExecWorld.start(`
    ${SHELL}
    [commands.two]
    executable = "/bin/cat"
    users = ["ann"]
    stdin = true
    concurrent = 2
  `);
  const token = await world.server.addUser("ann");
  const client = await world.client(token);
  const stop = new AbortController();
  const never = { read: () => new Promise<number>(() => {}) };
  const options = { stdin: never, signal: stop.signal };
  const two = [await client.start("two", [], options), await client.start("two", [], options)];
  const busy = await assertRejects(() => client.start("two", [], options), TrivetError);
  assertEquals([busy.code, busy.message], ["SERVER_BUSY", 'Command "two" runs 2 times already']);
  const rest = RUNNING_MAX - two.length;
  for (let count = 0; count < rest;) {
    const next = await world.client(token);
    for (let own = 0; own < 60 && count < rest; own++, count++) {
      await next.start("sh", ["cat"], options);
    }
  }
  const full = await assertRejects(() => client.start("sh", ["cat"], options), TrivetError);
  assertEquals([full.code, full.message], ["SERVER_BUSY", `${RUNNING_MAX} commands run already`]);
  stop.abort(new TrivetError("INTERRUPTED", "Enough"));
});

Deno.test("100 commands at once from 20 clients give each its own output", async () => {
  await using world = await ExecWorld.start(SHELL);
  const token = await world.server.addUser("ann");
  const clients = await Promise.all(Array.from({ length: 20 }, () => world.client(token)));
  await Promise.all(clients.flatMap((client, who) =>
    Array.from({ length: 5 }, async (_, which) => {
      const text = `${who}-${which}`;
      const script = `printf "%s" ${text}; printf "%s" ${text} >&2; exit ${who}`;
      const end = await run(client, "sh", [script]);
      assertEquals([end.stdout, end.stderr, end.code], [text, text, who]);
    })
  ));
});

Deno.test("the audit log has one line for every attempt, with what was run", async () => {
  await using world = await ExecWorld.start(SHELL);
  const client = await world.client();
  const reader = new Blob(["abc"]).stream().getReader();
  const stdin = {
    read: async (buffer: Uint8Array) => {
      const { value } = await reader.read();
      buffer.set(value ?? []);
      return value?.length ?? null;
    },
  };
  await run(client, "sh", ["cat; echo x >&2; exit 3"], { stdin });
  await run(client, "sh", ["kill -9 $$"]);
  await client.start("none", ["a"]).catch(() => {});
  await client.start("sh", ["a", "b"]).catch(() => {});
  const known = { method: "exec.run", user: "ann", source: "127.0.0.1" };
  const lines = (await world.attempts()).map(({ time, duration_ms, prev, ...rest }) => {
    assert(!Number.isNaN(Date.parse(String(time))) && Number(duration_ms) >= 0);
    void prev;
    return rest;
  });
  assertEquals(lines, [
    {
      ...known,
      result: "OK",
      command: "sh",
      argv: ["/bin/sh", "-c", "cat; echo x >&2; exit 3"],
      exit_code: 3,
      signal: null,
      stdin_bytes: 3,
      stdout_bytes: 3,
      stderr_bytes: 2,
    },
    {
      ...known,
      result: "OK",
      command: "sh",
      argv: ["/bin/sh", "-c", "kill -9 $$"],
      exit_code: null,
      signal: "SIGKILL",
      stdin_bytes: 0,
      stdout_bytes: 0,
      stderr_bytes: 0,
    },
    { ...known, result: "COMMAND_NOT_FOUND", command: "none", argv: ["none", "a"] },
    { ...known, result: "ARGUMENT_REFUSED", command: "sh", argv: ["sh", "a", "b"] },
  ]);
});

Deno.test("a command need not read its stdin, however much there is", async () => {
  await using world = await ExecWorld.start(SHELL);
  const client = await world.client();
  let sent = 0;
  const stdin = {
    read: (buffer: Uint8Array) => {
      sent += buffer.length;
      return Promise.resolve(buffer.length);
    },
  };
  assertEquals(endOf(await run(client, "sh", ["exec sleep 0.2"], { stdin })), [0, null]);
  assert(sent <= STREAM_WINDOW_BYTES + 64 * 1024, `${sent}`);
  const closed = await run(client, "sh", ["exec 0<&-; sleep 0.1; exit 4"], { stdin });
  assertEquals(endOf(closed), [4, null]);
});

Deno.test("a client that leaves the window or the order ends its own command", async () => {
  await using world = await ExecWorld.start(SHELL);
  await using rpc = await world.server.login(await world.server.addUser("ann"), undefined, "exec");
  const part = new Uint8Array(STREAM_FRAME_BYTES_AT + STREAM_DATA_MAX_BYTES);
  const seconds = uniqueSeconds();
  const start = async () => {
    const params = { name: "sh", arguments: [`exec sleep ${seconds}`] };
    const call = await rpc.open("exec.run", params, { onData: () => {} });
    await call.response;
    const send = async (offset: number) => {
      const frame = part.slice();
      sealStreamFrame(frame, { id: call.id, stream: "stdin", offset });
      await call.send(frame);
    };
    return { call, send };
  };
  const gap = await start();
  await gap.send(1);
  assertEquals(await codeOf(gap.call.ended), "PROTOCOL_ERROR");
  const flood = await start();
  // What the pipe takes is still in the window: nobody has said that it was taken.
  const records = STREAM_WINDOW_BYTES / STREAM_DATA_MAX_BYTES;
  for (let record = 0; record < records; record++) await flood.send(record * STREAM_DATA_MAX_BYTES);
  assertEquals((await processesWith(seconds)).length, 1);
  for (let record = records; record < records + 8; record++) {
    await flood.send(record * STREAM_DATA_MAX_BYTES).catch(() => {});
  }
  assertEquals(await codeOf(flood.call.ended), "PROTOCOL_ERROR");
  await untilGone(seconds);
  // The connection goes on.
  await rpc.call("exec.list", {});
});
