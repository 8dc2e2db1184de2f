import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { join } from "node:path";
import { TRIVET } from "../../client/command_table.ts";
import { zoneOptions } from "../../client/commands/time_access.ts";
import { TrivetError } from "../../lib/errors.ts";
import { Output } from "../../lib/term/output.ts";
import { parseCommandLine } from "../../lib/term/parse.ts";
import { Prompter } from "../../lib/term/prompt.ts";
import { FakeInput, FakeSink } from "../lib/term/fakes.ts";
import { bytesOf, FakeUdpServer, ntpReply, textOf } from "./clock_testing.ts";
import { withFolder } from "./testing.ts";

/** What a command read and how it ended. */
interface Run {
  readonly code: number | void;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options of {@linkcode run}. */
interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: FakeInput;
  readonly signal?: AbortSignal;
}

/** Runs a command as the program does, on streams in memory. */
async function run(argv: readonly string[], options: RunOptions = {}): Promise<Run> {
  const variables = { TRIVET_SERVER: "127.0.0.1:9000", ...options.env };
  const env = (name: string) => Object.entries(variables).find(([key]) => key === name)?.[1];
  const request = parseCommandLine(TRIVET, argv, { env });
  assert(request.kind === "command");
  const [stdout, stderr] = [new FakeSink({ chunkBytes: 65_536 }), new FakeSink()];
  const stdin = options.stdin ?? new FakeInput([null], false);
  const { globals, globalSources } = request;
  const { json, quiet } = globals;
  const code = await request.command.run({
    output: new Output("trivet", { stdout, stderr, env, json, quiet }),
    prompter: new Prompter({ input: stdin, sink: stderr }),
    globals,
    globalSources,
    env,
    signal: options.signal ?? new AbortController().signal,
    program: "trivet",
    argv,
    stdin,
  }, request.invocation);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

async function refuse(argv: readonly string[], options: RunOptions = {}): Promise<TrivetError> {
  return await assertRejects(() => run(argv, options), TrivetError);
}

/** A text service that begins to answer so long after its first request. */
function lateServer(silentMs: number): FakeUdpServer {
  let firstMs: number | undefined;
  return new FakeUdpServer((request) => {
    firstMs ??= performance.now();
    return performance.now() - firstMs < silentMs ? undefined : request.reply(bytesOf("12"));
  });
}

/** A text service that says what it was asked. */
function echo(): FakeUdpServer {
  return new FakeUdpServer((request) => request.reply(bytesOf(`<${textOf(request)}>`)));
}

function portOf(server: FakeUdpServer): string[] {
  return ["--time-port", String(server.port)];
}

Deno.test("zoneOptions() takes one zone, the nearest to hand", { permissions: "none" }, () => {
  const none = { tz: undefined, utc: false, locale: undefined };
  const unset = { tz: "unset", utc: "unset" } as const;
  assertEquals(zoneOptions(none, unset), {});
  assertEquals(zoneOptions({ ...none, utc: true }, { ...unset, utc: "flag" }), { zone: "UTC" });
  assertEquals(zoneOptions({ ...none, tz: "Asia/Tokyo", locale: "ja" }, { ...unset, tz: "flag" }), {
    zone: "Asia/Tokyo",
    locale: "ja",
  });
  const both = { ...none, tz: "Asia/Tokyo", utc: true };
  assertEquals(zoneOptions(both, { tz: "environment", utc: "flag" }), { zone: "UTC" });
  assertEquals(zoneOptions(both, { tz: "flag", utc: "environment" }), { zone: "Asia/Tokyo" });
  for (const source of ["flag", "environment"] as const) {
    let error: unknown;
    try {
      zoneOptions(both, { tz: source, utc: source });
    } catch (thrown) {
      error = thrown;
    }
    assert(error instanceof TrivetError && error.code === "USAGE");
  }
});

Deno.test("trivet time asks the server of the last login, else this machine", async () => {
  await withFolder(async (folder) => {
    await using server = echo();
    const env = {
      TRIVET_SERVER: "",
      XDG_CONFIG_HOME: folder,
      TRIVET_TIME_PORT: String(server.port),
    };
    assertEquals((await run(["time", "%H"], { env })).stdout, "<%H>\n");
    await Deno.mkdir(join(folder, "trivet"));
    const remember = (server: string) =>
      Deno.writeTextFile(join(folder, "trivet", "config.json"), JSON.stringify({ server }));
    for (const remembered of ["localhost:9555", "unix:/run/trivet.sock"]) {
      await remember(remembered);
      assertEquals((await run(["time", "%H"], { env })).stdout, "<%H>\n");
    }
    await remember("nobody.invalid:9000");
    assertEquals((await refuse(["time"], { env })).code, "UNREACHABLE");
  });
});

Deno.test("trivet time asks for its format, or for the clock to format it here", async () => {
  await using server = new FakeUdpServer((request) =>
    request.reply(bytesOf(textOf(request) === "%s.%N" ? "1700000000.5" + "0".repeat(8) : "theirs"))
  );
  const time = (...argv: string[]) => run(["time", ...portOf(server), ...argv]);
  assertEquals((await time()).stdout, "theirs\n");
  assertEquals((await time("--utc")).stdout, "2023-11-14 22:13:20\n");
  assertEquals((await time("%F%n%T", "--tz", "Asia/Tokyo")).stdout, "2023-11-15\n07:13:20\n");
  assertEquals(server.requests.map(textOf), ["%Y-%m-%d %X", "%s.%N", "%s.%N"]);
  const { stdout } = await time("%A", "--utc", "--locale", "zh_CN", "--json");
  assertEquals(JSON.parse(stdout), {
    server: `127.0.0.1:${server.port}`,
    format: "%A",
    zone: "UTC",
    locale: "zh_CN",
    text: "星期二",
  });
});

Deno.test("trivet time stamp wants numbers from somewhere", async () => {
  await using server = echo();
  const stamp = ["time", "stamp", ...portOf(server)];
  const terminal = new FakeInput([], true);
  const error = await refuse(stamp, { stdin: terminal });
  assertEquals([error.code, error.exitCode], ["USAGE", 2]);
  assertEquals((await run(stamp)).stdout, "");
  assertEquals((await run([...stamp, "0", "1.5"])).stdout, "<0>\n<1.5>\n");
  // All arguments are looked at before the first is shown.
  assertEquals((await refuse([...stamp, "0", "x"])).code, "USAGE");
  assertEquals(server.requests.length, 2);
});

Deno.test("trivet time stamp shows lines as they come", async () => {
  await using server = echo();
  const controller = new AbortController();
  const stdin = new FakeInput(["0\n1"], false);
  const running = refuse(["time", "stamp", ...portOf(server)], {
    stdin,
    signal: controller.signal,
  });
  await stdin.waiting.promise;
  // The first line was answered while the second one is not complete.
  assertEquals(server.requests.map(textOf), ["0"]);
  controller.abort(new TrivetError("INTERRUPTED", "Interrupted"));
  assertEquals((await running).exitCode, 130);
});

Deno.test("trivet time watch sends its own time, or asks for the server's", async () => {
  await using server = echo();
  const watch = ["time", "watch", "--every", "100ms", "--count", "2", ...portOf(server)];
  assertMatch((await run(watch)).stdout, /^(?:<\d{10}>\n){2}$/);
  assertEquals((await run([...watch, "%H"])).stdout, "<%H>\n<%H>\n");
  const seconds = Number(textOf(server.requests[0] ?? { bytes: new Uint8Array() }));
  assert(Math.abs(Date.now() / 1000 - seconds) < 60);
});

Deno.test("trivet time watch says in one line that an answer is lost, and goes on", async () => {
  await using server = lateServer(350);
  const watch = ["time", "watch", "%H", "--every", "300ms", "--count", "2", ...portOf(server)];
  const { code, stdout, stderr } = await run(watch);
  // No answer to the first line came in time.
  assertEquals([code, stdout], [undefined, "12\n"]);
  assertMatch(
    stderr,
    /^trivet: warning: Cannot get an answer [^\n]+ in 300ms, none answered[^\n]+\n$/,
  );
});

Deno.test("trivet time watch prints one document, also of what was lost", async () => {
  await using server = lateServer(350);
  const watch = ["--json", "time", "watch", "%H", "--every", "300ms", ...portOf(server)];
  assertEquals((await refuse(watch)).code, "USAGE");
  const { stdout, stderr } = await run([...watch, "--count", "3"]);
  assertEquals(JSON.parse(stdout), {
    server: `127.0.0.1:${server.port}`,
    answers: [{ seconds: null, text: "12" }, { seconds: null, text: "12" }],
    lost: 1,
  });
  assertStringIncludes(JSON.parse(stderr).warning.message, "none answered");
});

Deno.test("trivet time watch ends with 5 when nobody answered, and with 130 when told to", async () => {
  await using server = new FakeUdpServer(() => {});
  const watch = ["time", "watch", "%H", "--every", "100ms", ...portOf(server)];
  const { code, stdout } = await run([...watch, "--count", "1"]);
  assertEquals([code, stdout], [5, ""]);

  const controller = new AbortController();
  await using answering = new FakeUdpServer(async (request) => {
    await request.reply(bytesOf("12"));
    if (request.index === 2) controller.abort(new TrivetError("INTERRUPTED", "Interrupted"));
  });
  const endless = ["time", "watch", "%H", "--every", "100ms", ...portOf(answering)];
  assertEquals((await refuse(endless, { signal: controller.signal })).exitCode, 130);
});

Deno.test("trivet time sync shows what it measured in units that people read", async () => {
  await using server = new FakeUdpServer((request) =>
    request.reply(ntpReply(request, { offsetNs: 250_000_000n, rootDispersionNs: 10e6, leap: 1 }))
  );
  const sync = ["time", "sync", "--server", `127.0.0.1:${server.port}`, "--interval", "0"];
  const { code, stdout, stderr } = await run(sync);
  assertEquals(code, undefined);
  const lines = stdout.trimEnd().split("\n");
  assertEquals(lines.length, 8);
  const patterns = [
    `^server       127\\.0\\.0\\.1:${server.port}$`,
    "^offset       \\+2\\d\\d\\.\\d{3} ms; this clock is behind$",
    "^error        at most \\d+\\.\\d+ [µm]s against the server's clock$",
    "^             at most \\d+\\.\\d{3} ms against true time, by the server's account$",
    "^delay        \\d+\\.\\d+ [µm]s$",
    "^stratum      2, from 192\\.0\\.2\\.1$",
    "^leap second  insert$",
    "^samples      8 of 8$",
  ];
  for (const [index, pattern] of patterns.entries()) {
    assertMatch(lines[index] ?? "", new RegExp(pattern));
  }
  assertEquals(stderr, "The clock of this machine was measured, not set\n");
  assertEquals((await run([...sync, "--quiet"])).stderr, "");
});

Deno.test("trivet time sync --max-offset decides about the exit code alone", async () => {
  for (const [sign, side] of [[1n, "behind"], [-1n, "ahead"]] as const) {
    await using server = new FakeUdpServer((request) =>
      request.reply(ntpReply(request, { offsetNs: sign * 250_000_000n }))
    );
    const sync = ["time", "sync", "--server", `127.0.0.1:${server.port}`, "--interval", "0"];
    const within = await run([...sync, "--max-offset", "300ms"]);
    assertEquals(within.code, undefined);
    const beyond = await run([...sync, "--max-offset", "200ms"]);
    assertEquals(beyond.code, 1);
    assertStringIncludes(beyond.stdout, `this clock is ${side}`);
    assertMatch(
      beyond.stderr,
      /warning: The clock is off by 2\d\d\.\d+ ms, --max-offset is 200ms\n/,
    );
    const { code, stdout } = await run(["--json", ...sync, "--max-offset", "200ms"]);
    const document = JSON.parse(stdout);
    assertEquals([code, document.within_max_offset, document.max_offset_ms], [1, false, 200]);
    assertEquals(Object.keys(document), [
      "server",
      "offset_ms",
      "error_ms",
      "delay_ms",
      "true_error_ms",
      "stratum",
      "reference_id",
      "leap",
      "samples",
      "max_offset_ms",
      "within_max_offset",
    ]);
  }
});

Deno.test("trivet time sync says why it has fewer samples than asked for", async () => {
  await using server = new FakeUdpServer((request) =>
    request.reply(
      request.index < 2
        ? ntpReply(request)
        : ntpReply(request, { stratum: 0, referenceId: bytesOf("RATE") }),
    )
  );
  const sync = ["time", "sync", "--server", `127.0.0.1:${server.port}`, "--interval", "0"];
  const { stdout, stderr } = await run(sync);
  assertStringIncludes(stdout, "samples      2 of 8\n");
  assertStringIncludes(stderr, "Fewer samples than asked for: The NTP server");
});
