import {
  assert,
  assertEquals,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { CHRONYD, CHRONYD_MISSING, chronyOffsetMs, ChronyServer } from "./chronyd.ts";
import { type Person, type RunOptions, until, World } from "./testing.ts";
import { SlowUdpProxy } from "./udp_proxy.ts";

/** The error that a command reported, as scripts see it. */
async function errorOf(
  person: Person,
  args: string[],
  options: RunOptions = {},
): Promise<{ code: string; exit: number; message: string }> {
  const { code: exit, stdout, stderr } = await person.run(["--json", ...args], options);
  assertEquals(stdout, "", `trivet ${args.join(" ")} printed results`);
  const { error } = JSON.parse(stderr.trim().split("\n").at(-1) ?? "");
  return { ...error, exit };
}

/** Milliseconds between now and a local time that a command printed, such as 2026-11-21 02:45:00. */
function ageMs(text: string): number {
  return Date.now() - Temporal.PlainDateTime.from(text.trim().replace(" ", "T"))
    .toZonedDateTime(Temporal.Now.timeZoneId()).epochMilliseconds;
}

Deno.test("trivet time shows the server's time in any format, without an account", async () => {
  await using world = await World.create();
  const server = await world.serve(["time"]);
  const ada = await world.person("ada", server);

  const plain = await ada.ok(["time"]);
  assertMatch(plain, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n$/);
  assertLess(ageMs(plain), 60_000);
  assertEquals(await ada.ok(["time", "100%% 时间"]), "100% 时间\n");
  assertEquals(await ada.ok(["time", "a%nb"]), "a\nb\n");
  assertEquals(await ada.ok(["time", "--", "sync"]), "sync\n");
  assertMatch(await ada.ok(["time", "%Z %z", "--utc"]), /^UTC \+0000\n$/);
  assertEquals(await ada.ok(["time", "%z", "--tz", "Asia/Shanghai"]), "+0800\n");
  assertMatch(await ada.ok(["time", "%A", "--locale", "zh_CN"]), /^星期[一二三四五六日]\n$/);

  const shown = await ada.json(["time", "%s", "--utc"]);
  assertEquals(Object.keys(shown), ["server", "format", "zone", "locale", "text"]);
  assertEquals([shown.format, shown.zone, shown.locale], ["%s", "UTC", null]);
  assertLess(Math.abs(Date.now() / 1000 - Number(shown.text)), 60);

  // What is remembered of a person is not asked for, not even where to remember it.
  const stranger = await world.person("stranger", server);
  assertMatch(await stranger.ok(["time", "%Y"]), /^\d{4}\n$/);

  for (
    const [args, message] of [
      [["time", "snyc"], 'did you mean "time sync"?'],
      [["time", "%H", "--tz", "Mars/Base"], "Mars/Base"],
      [["time", "%H", "--tz", "UTC", "--utc"], "exclude each other"],
      [["time", "1700000000"], "seconds since 1970"],
      [["time", "x".repeat(513)], "513 bytes"],
      [["time", "%H", "--time-port", "0"], "--time-port"],
    ] as const
  ) {
    const error = await errorOf(ada, [...args]);
    assertEquals([error.code, error.exit], ["USAGE", 2], args.join(" "));
    assertStringIncludes(error.message, message);
  }
});

Deno.test("trivet time stamp shows instants from arguments and from stdin", async () => {
  await using world = await World.create();
  const server = await world.serve(["time"]);
  const ada = await world.person("ada", server);

  const utc = ["--utc", "1700000000", "0", "1700000000.999999999", "--", "-1"];
  assertEquals(
    await ada.ok(["time", "stamp", ...utc]),
    "2023-11-14 22:13:20\n1970-01-01 00:00:00\n2023-11-14 22:13:20\n1969-12-31 23:59:59\n",
  );
  // The server is on this machine, so its zone is this machine's.
  const zone = Temporal.Now.timeZoneId();
  const numbers = ["1700000000", "0", "951782400.5"];
  const local = await ada.ok(["time", "stamp", "--tz", zone, ...numbers]);
  assertEquals(await ada.ok(["time", "stamp", ...numbers]), local);
  const stdin = numbers.join("\n");
  assertEquals(await ada.ok(["time", "stamp"], { stdin }), local);
  assertEquals(await ada.ok(["time", "stamp"], { stdin: numbers.join("\r\n") + "\r\n" }), local);
  assertEquals(await ada.ok(["time", "stamp"], { stdin: "" }), "");
  assertEquals(await ada.json(["time", "stamp", "--utc", "0"]), {
    stamps: [{ seconds: "0", text: "1970-01-01 00:00:00" }],
  });

  const wrong = await errorOf(ada, ["time", "stamp", "0", "never"]);
  assertEquals([wrong.code, wrong.exit], ["USAGE", 2]);
  assertEquals(wrong.message, 'Argument 2 is no number of seconds since 1970: "never"');
  const line = await ada.run(["time", "stamp", "--utc"], { stdin: "0\n\n1\n" });
  assertEquals([line.code, line.stdout], [2, "1970-01-01 00:00:00\n"]);
  assertStringIncludes(line.stderr, 'Line 2 of stdin is no number of seconds since 1970: ""');
});

Deno.test("trivet time stamp shows many instants without losing one", async () => {
  await using world = await World.create();
  const server = await world.serve(["time"]);
  const ada = await world.person("ada", server);
  const numbers = Array.from({ length: 500 }, (_, index) => index * 86_400);
  const lines = await ada.ok(["time", "stamp"], { stdin: numbers.join("\n") });
  assertEquals(lines.trimEnd().split("\n").length, 500);
  const local = ["time", "stamp", "--tz", Temporal.Now.timeZoneId()];
  assertEquals(lines, await ada.ok(local, { stdin: numbers.join("\n") }));
});

Deno.test("trivet time watch shows a line at regular times, and ends when it should", async () => {
  await using world = await World.create();
  const server = await world.serve(["time"]);
  const ada = await world.person("ada", server);

  const startMs = performance.now();
  const own = await ada.ok(["time", "watch", "--count", "2", "--every", "1s"]);
  assertLess(1000, performance.now() - startMs);
  const [first = "", second = ""] = own.trimEnd().split("\n");
  assertMatch(own, /^(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n){2}$/);
  const apartMs = ageMs(first) - ageMs(second);
  assert(apartMs >= 0, `${first} is before ${second}`);

  // Ticks are regular, answers are not: where the first is late, both can fall in one second.
  const theirs = await ada.ok(["time", "watch", "%s.%N", "--count", "2", "--every", "1s"]);
  const [from = 0, to = 0] = theirs.trimEnd().split("\n").map(Number);
  assert(to > from, theirs);

  const document = await ada.json(["time", "watch", "--count", "2", "--every", "100ms"]);
  assertEquals([document.answers.length, document.lost], [2, 0]);
  assertLess(Math.abs(Date.now() / 1000 - document.answers[0].seconds), 60);
  const endless = await errorOf(ada, ["time", "watch"]);
  assertEquals([endless.code, endless.exit], ["USAGE", 2]);

  const running = ada.spawn(["time", "watch", "--every", "100ms"]);
  const lines: string[] = [];
  const reading = (async () => {
    for await (const text of running.stdout.pipeThrough(new TextDecoderStream())) lines.push(text);
  })();
  await until(() => lines.join("").split("\n").length > 3, "three lines");
  running.kill("SIGINT");
  assertEquals((await running.status).code, 130);
  await reading;
  await running.stderr.cancel();
});

Deno.test("trivet time says at once that no server runs here, and goes on watching", async () => {
  await using world = await World.create();
  const ada = await world.person("ada");
  const closed = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const port = closed.addr.transport === "udp" ? String(closed.addr.port) : "";
  closed.close();
  const env = { TRIVET_SERVER: "127.0.0.1:9000", TRIVET_TIME_PORT: port, TRIVET_SNTP_PORT: port };

  const startMs = performance.now();
  for (const args of [["time"], ["time", "stamp", "0"], ["time", "sync"]]) {
    const error = await errorOf(ada, args, { env });
    assertEquals([error.code, error.exit], ["UNREACHABLE", 5], args.join(" "));
    assertStringIncludes(error.message, `"127.0.0.1:${port}" over UDP: nobody listens there`);
  }
  // Each would have waited for five seconds.
  assertLess(performance.now() - startMs, 15_000);

  const watch = ["time", "watch", "--count", "2", "--every", "300ms"];
  const { code, stdout, stderr } = await ada.run(watch, { env });
  assertEquals([code, stdout], [5, ""]);
  assertEquals(stderr.trimEnd().split("\n").length, 2, stderr);

  // A service that is there and says nothing is waited for, and no longer than --timeout says.
  using silent = silence();
  const patient = ["time", "--time-port", String(silent.port), "--timeout", "500ms"];
  const error = await errorOf(ada, patient, { env });
  assertEquals([error.code, error.exit], ["TIMEOUT", 5]);
  assertStringIncludes(error.message, "3 datagrams in 500ms, none answered");
});

Deno.test("trivet time sync measures the clock against the Trivet server", async () => {
  await using world = await World.create();
  const server = await world.serve(["time"]);
  const ada = await world.person("ada", server);

  const text = await ada.run(["time", "sync", "--interval", "10ms"]);
  assertEquals(text.code, 0, text.stderr);
  assertMatch(text.stdout, /^server +127\.0\.0\.1:\d+\noffset +[+-]?\d+\.\d+ (?:µs|ms)/);
  assertMatch(text.stdout, /\nsamples +8 of 8\n$/);
  assertStringIncludes(text.stderr, "measured, not set");

  const result = await ada.json(["time", "sync", "--samples", "4", "--interval", "10ms"]);
  assertEquals(result.samples, 4);
  // Both clocks are this machine's: the truth is 0.
  assertLessOrEqual(Math.abs(result.offset_ms), result.error_ms);
  assertLess(result.error_ms, 50);
  assertLess(result.error_ms, result.true_error_ms);
  assertEquals([result.max_offset_ms, result.within_max_offset], [null, true]);
});

Deno.test("trivet time sync has a bound that contains the truth, and an exit code for scripts", async () => {
  await using world = await World.create();
  const server = await world.serve(["time"]);
  const ada = await world.person("ada");
  for (const [thereMs, backMs] of [[0, 0], [40, 0], [0, 40], [30, 90], [200, 10]] as const) {
    await using proxy = new SlowUdpProxy(server.timePort("sntp"), { thereMs, backMs });
    const sync = ["time", "sync", "--server", `127.0.0.1:${proxy.port}`, "--samples", "3"];
    const result = await ada.json([...sync, "--interval", "0"]);
    const name = `${thereMs} ms there, ${backMs} ms back: ${JSON.stringify(result)}`;
    // Both clocks are this machine's: the truth is 0, the offset is what the way makes of it.
    assertLessOrEqual(Math.abs(result.offset_ms), result.error_ms, name);
    assertLessOrEqual(thereMs + backMs, result.delay_ms, name);
    assertLessOrEqual(Math.abs(result.offset_ms - (thereMs - backMs) / 2), 15, name);
    assertLessOrEqual(result.error_ms, result.delay_ms / 2 + 1, name);
  }

  await using slow = new SlowUdpProxy(server.timePort("sntp"), { thereMs: 200, backMs: 0 });
  const sync = ["time", "sync", "--server", `127.0.0.1:${slow.port}`, "--samples", "2"];
  assertEquals((await ada.run([...sync, "--max-offset", "1s"])).code, 0);
  const off = await ada.run([...sync, "--max-offset", "50ms"]);
  assertEquals(off.code, 1);
  assertStringIncludes(off.stderr, "--max-offset is 50ms");
  assertStringIncludes(off.stdout, "this clock is behind");
  const document = await ada.run(["--json", ...sync, "--max-offset", "50ms"]);
  assertEquals(document.code, 1);
  assertEquals(JSON.parse(document.stdout).within_max_offset, false);
});

Deno.test({
  name: `trivet time sync against chronyd agrees with chronyd -Q${CHRONYD_MISSING}`,
  ignore: CHRONYD === undefined,
  fn: async () => {
    await using world = await World.create();
    const ada = await world.person("ada");
    await using chrony = await ChronyServer.start(world.folder);
    const theirsMs = await chronyOffsetMs(world.folder, chrony.port);
    const sync = ["time", "sync", "--server", `127.0.0.1:${chrony.port}`, "--interval", "20ms"];
    const result = await ada.json([...sync, "--samples", "50"]);
    assertEquals(result.stratum, 8);
    assertEquals(result.reference_id, "127.127.1.1");
    assertLessOrEqual(Math.abs(result.offset_ms - theirsMs), 0.2, JSON.stringify(result));
    assertLessOrEqual(Math.abs(result.offset_ms), result.error_ms);
  },
});

Deno.test({
  name: `trivet time sync through a slow way to chronyd contains the truth${CHRONYD_MISSING}`,
  ignore: CHRONYD === undefined,
  fn: async () => {
    await using world = await World.create();
    const ada = await world.person("ada");
    await using chrony = await ChronyServer.start(world.folder);
    for (const [thereMs, backMs] of [[0, 60], [60, 0]] as const) {
      await using proxy = new SlowUdpProxy(chrony.port, { thereMs, backMs });
      const sync = ["time", "sync", "--server", `127.0.0.1:${proxy.port}`, "--samples", "3"];
      const result = await ada.json([...sync, "--interval", "0"]);
      assertLessOrEqual(Math.abs(result.offset_ms), result.error_ms, JSON.stringify(result));
      assertLessOrEqual(20, Math.abs(result.offset_ms));
    }
  },
});

Deno.test("trivet time sync chooses the port as it says", async () => {
  await using world = await World.create();
  const server = await world.serve(["time"]);
  const ada = await world.person("ada");
  const port = String(server.timePort("sntp"));
  using silent = silence();
  const elsewhere = String(silent.port);
  const cases: [args: string[], env: Record<string, string>][] = [
    [["--server", `127.0.0.1:${port}`], {}],
    [["--server", "127.0.0.1", "--sntp-port", port], {}],
    [["--server", `127.0.0.1:${elsewhere}`, "--sntp-port", port], {}],
    [["--server", `127.0.0.1:${port}`], { TRIVET_SNTP_PORT: elsewhere }],
    // The port of a Trivet server is not that of its SNTP service.
    [["--sntp-port", port], { TRIVET_SERVER: `127.0.0.1:${elsewhere}` }],
    [[], { TRIVET_SERVER: `127.0.0.1:${elsewhere}`, TRIVET_SNTP_PORT: port }],
    [["--sntp-port", port], { TRIVET_SERVER: "unix:/nowhere/socket" }],
    [["--sntp-port", port], { TRIVET_SERVER: "", TRIVET_SNTP_PORT: elsewhere }],
  ];
  for (const [args, env] of cases) {
    const result = await ada.json(["time", "sync", "--samples", "1", ...args], { env });
    assertEquals(result.server, `127.0.0.1:${port}`, args.join(" "));
  }
});

/** A service on this machine that answers nothing. */
function silence(): Disposable & { readonly port: number } {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const { addr } = socket;
  return {
    port: addr.transport === "udp" ? addr.port : 0,
    [Symbol.dispose]: () => socket.close(),
  };
}
