import { assert, assertEquals, assertLessOrEqual, assertRejects } from "@std/assert";
import { ClockClient } from "../../client/clock.ts";
import { TrivetError } from "../../lib/errors.ts";
import { decodeNtpPacket, type NtpPacket } from "../../lib/clock/ntp_packet.ts";
import { bytesOf, FakeUdpServer, ntpReply, textOf } from "./clock_testing.ts";

/** Long enough for a busy machine. */
const PATIENT_MS = 20_000;

/** For questions that get no answer; the first datagram has a fifth of it. */
const HASTY_MS = 500;

function textClock(server: FakeUdpServer, timeoutMs = PATIENT_MS): ClockClient {
  return new ClockClient({ host: "127.0.0.1", timePort: server.port, timeoutMs });
}

function ntpClock(server: FakeUdpServer, timeoutMs = PATIENT_MS): ClockClient {
  return new ClockClient({ host: "127.0.0.1", sntpPort: server.port, timeoutMs });
}

/** A text service that answers each request with what stands for it. */
function textServer(answers: Readonly<Record<string, string>>): FakeUdpServer {
  return new FakeUdpServer((request) => request.reply(bytesOf(answers[textOf(request)] ?? "?")));
}

Deno.test("ClockClient.format() lets the server format", async () => {
  await using server = textServer({ "%H:%M": "12:34", "%Y-%m-%d %X": "now", "时间 %H": "时间 12" });
  await using clock = textClock(server);
  assertEquals(clock.timeServer, `127.0.0.1:${server.port}`);
  assertEquals(await clock.format("%H:%M"), "12:34");
  assertEquals(await clock.format(), "now");
  assertEquals(await clock.format("时间 %H"), "时间 12");
});

Deno.test("ClockClient.format() formats the server's clock here for a zone or a locale", async () => {
  await using server = textServer({ "%s.%N": "1700000000.123456789" });
  await using clock = textClock(server);
  assertEquals(
    await clock.format("%F %T.%N %Z", { zone: "UTC" }),
    "2023-11-14 22:13:20.123456789 UTC",
  );
  assertEquals(await clock.format("%F %T", { zone: "Asia/Shanghai" }), "2023-11-15 06:13:20");
  assertEquals(await clock.format("%A", { zone: "UTC", locale: "zh-CN" }), "星期二");
  assertEquals(await clock.format(undefined, { zone: "UTC" }), "2023-11-14 22:13:20");
  // The zone of this machine, where only a language is asked for.
  const here = await clock.format("%F %T", { locale: "de-DE" });
  const zone = Temporal.Now.timeZoneId();
  assertEquals(here, await clock.format("%F %T", { zone }));
});

Deno.test("ClockClient.format() refuses what the server would misread", async () => {
  await using server = textServer({});
  await using clock = textClock(server);
  assertEquals(await clock.format("x".repeat(512)), "?");
  await assertRejects(() => clock.format("x".repeat(513)), TrivetError, "513 bytes");
  const error = await assertRejects(() => clock.format("1700000000"), TrivetError, "seconds since");
  assertEquals(error.code, "USAGE");
  assertEquals(server.requests.length, 1);
});

Deno.test("ClockClient.format() refuses an unknown zone or locale before it asks", async () => {
  await using server = textServer({});
  await using clock = textClock(server);
  for (const options of [{ zone: "Mars/Base" }, { zone: "UTC", locale: "!" }]) {
    const error = await assertRejects(() => clock.format("%F", options), TrivetError);
    assertEquals(error.code, "USAGE");
  }
  assertEquals(server.requests.length, 0);
});

Deno.test("ClockClient.now() is the server's clock", async () => {
  const answers = ["1700000000.123456789", "0.000000000", "-2.500000000"];
  await using server = new FakeUdpServer(({ index, reply }) =>
    reply(bytesOf(answers[index] ?? ""))
  );
  await using clock = textClock(server);
  assertEquals((await clock.now()).toString(), "2023-11-14T22:13:20.123456789Z");
  assertEquals((await clock.now()).epochNanoseconds, 0n);
  // The fraction counts upwards: half a second after -2.
  assertEquals((await clock.now()).epochNanoseconds, -1_500_000_000n);
  assertEquals(server.requests.map(textOf), ["%s.%N", "%s.%N", "%s.%N"]);
});

Deno.test("ClockClient.now() ignores what is no time", async () => {
  for (
    const answer of ["", "now", "1700000000", "1700000000.1", "1700000000.123456789 ", "%s.%N"]
  ) {
    await using server = new FakeUdpServer(({ index, reply }) =>
      index === 0 ? reply(bytesOf(answer)) : reply(bytesOf("5.000000001"))
    );
    await using clock = textClock(server, HASTY_MS);
    assertEquals((await clock.now()).epochNanoseconds, 5_000_000_001n, answer);
    assert(server.requests.length > 1);
  }
});

Deno.test("ClockClient.formatInstant() asks for instants, or formats them here", async () => {
  await using server = textServer({ "0": "zero", "1700000000.5": "half", "-1": "before" });
  await using clock = textClock(server);
  assertEquals(await clock.formatInstant(0), "zero");
  assertEquals(await clock.formatInstant(1_700_000_000.5), "half");
  assertEquals(await clock.formatInstant(" -1\r"), "before");
  assertEquals(server.requests.length, 3);
  assertEquals(await clock.formatInstant(0, { zone: "UTC" }), "1970-01-01 00:00:00");
  assertEquals(await clock.formatInstant("-0.5", { zone: "UTC" }), "1969-12-31 23:59:59");
  assertEquals(server.requests.length, 3);
  for (const wrong of ["", "now", "1e3", "0x10", "1.2.3", "%s", Infinity, NaN]) {
    const error = await assertRejects(() => clock.formatInstant(wrong), TrivetError);
    assertEquals(error.code, "USAGE", String(wrong));
  }
});

Deno.test("ClockClient gives up what is still asked when it is disposed of", async () => {
  const arrived = Promise.withResolvers<void>();
  await using server = new FakeUdpServer(() => arrived.resolve());
  const clock = textClock(server);
  const asking = assertRejects(() => clock.now(), TrivetError, "The clock client was closed");
  await arrived.promise;
  await clock[Symbol.asyncDispose]();
  await asking;
  await assertRejects(() => clock.now(), TrivetError, "The clock client was closed");
});

Deno.test("ClockClient.sync() measures the offset within its own bound", async () => {
  const HOUR_MS = 3_600_000;
  for (const offsetMs of [0, 250, -250, 24 * HOUR_MS, -24 * HOUR_MS, 40 * 365 * 24 * HOUR_MS]) {
    const offsetNs = BigInt(offsetMs) * 1_000_000n;
    await using server = new FakeUdpServer((request) =>
      request.reply(ntpReply(request, { offsetNs }))
    );
    await using clock = ntpClock(server);
    const result = await clock.sync({ samples: 4, intervalMs: 0 });
    assertLessOrEqual(Math.abs(result.offsetMs - offsetMs), result.errorMs);
    assertLessOrEqual(result.delayMs / 2, result.errorMs);
    const { stratum, referenceId, leap, samples, stopped } = result;
    assertEquals([stratum, referenceId, leap, samples], [2, "192.0.2.1", "none", 4]);
    assertEquals(stopped, undefined);
    assertEquals(result.server, `127.0.0.1:${server.port}`);
  }
});

Deno.test("ClockClient.sync() takes the exchange with the shortest delay", async () => {
  const waits = [60, 0, 60, 60];
  await using server = new FakeUdpServer(async (request) => {
    const reply = ntpReply(request, { offsetNs: 5_000_000n });
    await new Promise((resolve) => setTimeout(resolve, waits[request.index]));
    await request.reply(reply);
  });
  await using clock = ntpClock(server);
  const { delayMs, offsetMs, errorMs } = await clock.sync({ samples: 4, intervalMs: 0 });
  // On the way back alone, so that one of the others would be 30 ms wrong.
  assertLessOrEqual(delayMs, 50);
  assertLessOrEqual(Math.abs(offsetMs - 5), errorMs);
});

Deno.test("ClockClient.sync() says what the server says of itself", async () => {
  const cases: [change: Partial<NtpPacket>, referenceId: string, leap: string][] = [
    [{ stratum: 1, referenceId: bytesOf("GPS\0") }, "GPS", "none"],
    [{ stratum: 10, referenceId: bytesOf("LOCL") }, "LOCL", "none"],
    [{ stratum: 3, referenceId: bytesOf("ABCD") }, "65.66.67.68", "none"],
    [{ stratum: 15, leap: 1 }, "192.0.2.1", "insert"],
    [{ leap: 2 }, "192.0.2.1", "delete"],
  ];
  for (const [change, referenceId, leap] of cases) {
    await using server = new FakeUdpServer((request) => request.reply(ntpReply(request, change)));
    await using clock = ntpClock(server);
    const result = await clock.sync({ samples: 1 });
    assertEquals([result.referenceId, result.leap], [referenceId, leap]);
    assertEquals(result.stratum, change.stratum ?? 2);
  }
});

Deno.test("ClockClient.sync() adds what the server may be wrong by", async () => {
  await using server = new FakeUdpServer((request) =>
    request.reply(ntpReply(request, { rootDelayNs: 30e6, rootDispersionNs: 7e6 }))
  );
  await using clock = ntpClock(server);
  const { errorMs, trueErrorMs } = await clock.sync({ samples: 1 });
  // The wire has steps of 15 µs.
  assertLessOrEqual(Math.abs(trueErrorMs - errorMs - 22), 0.05);
});

Deno.test("ClockClient.sync() tells nothing of this clock and another number each time", async () => {
  await using server = new FakeUdpServer((request) => request.reply(ntpReply(request)));
  await using clock = ntpClock(server);
  await clock.sync({ samples: 8, intervalMs: 0 });
  const packets = server.requests.map(({ bytes }) => decodeNtpPacket(bytes));
  assertEquals(new Set(packets.map((packet) => packet?.transmitTimestamp)).size, 8);
  for (const packet of packets) {
    assertEquals([packet?.mode, packet?.version, packet?.stratum], [3, 4, 0]);
    const rest = [packet?.referenceTimestamp, packet?.originateTimestamp, packet?.receiveTimestamp];
    assertEquals(rest, [0n, 0n, 0n]);
  }
  for (const { bytes } of server.requests) assertEquals(bytes.length, 48);
});

Deno.test("ClockClient.sync() ignores replies that are none of its server's", async () => {
  const cases: [make: (good: Uint8Array) => Uint8Array, reason: string][] = [
    [(good) => good.subarray(0, 47), "its 47 bytes are no NTP packet"],
    [() => new Uint8Array(), "its 0 bytes are no NTP packet"],
    [(good) => flip(good, 24), "it answers no request of this client"],
    [(good) => flip(good, 31), "it answers no request of this client"],
    [(good) => withByte(good, 0, 0b00_100_011), "its mode is 3, not 4"],
    [(good) => withByte(good, 0, 0b00_100_101), "its mode is 5, not 4"],
    [(good) => filled(good, 40, 48), "it does not say when it left"],
    // The receive timestamp of another day: the server would have held the request since.
    [(good) => flip(good, 33), "its timestamps contradict each other"],
  ];
  for (const [make, reason] of cases) {
    await using server = new FakeUdpServer((request) => request.reply(make(ntpReply(request))));
    await using clock = ntpClock(server, HASTY_MS);
    const error = await assertRejects(() => clock.sync({ samples: 1 }), TrivetError, reason);
    assertEquals([error.code, error.exitCode], ["TIMEOUT", 5]);

    // And the good one that comes after it counts.
    await using second = new FakeUdpServer(async (request) => {
      await request.reply(make(ntpReply(request)));
      await request.reply(ntpReply(request));
    });
    await using patient = ntpClock(second);
    assertEquals((await patient.sync({ samples: 1 })).samples, 1);
  }
});

Deno.test("ClockClient.sync() believes no kiss of death that somebody else sent", async () => {
  await using server = new FakeUdpServer(async (request) => {
    const kiss = ntpReply(request, { stratum: 0, referenceId: bytesOf("DENY") });
    await request.spoof(kiss);
    await request.reply(flip(kiss, 25));
    await request.reply(ntpReply(request));
  });
  await using clock = ntpClock(server);
  assertEquals((await clock.sync({ samples: 1 })).samples, 1);
});

Deno.test("ClockClient.sync() says why a server gives no time", async () => {
  const cases: [change: Partial<NtpPacket>, code: string, exit: number, message: string][] = [
    [{ stratum: 0, referenceId: bytesOf("DENY") }, "PERMISSION_DENIED", 4, "(kiss code DENY)"],
    [{ stratum: 0, referenceId: bytesOf("RSTR") }, "PERMISSION_DENIED", 4, "(kiss code RSTR)"],
    [{ stratum: 0, referenceId: bytesOf("RATE") }, "SERVER_BUSY", 5, "was asked too often"],
    [{ stratum: 0, referenceId: bytesOf("INIT") }, "SERVER_BUSY", 5, "(kiss code INIT)"],
    [{ stratum: 0, referenceId: new Uint8Array(4), leap: 3 }, "SERVER_BUSY", 5, "not synchronised"],
    [{ leap: 3 }, "SERVER_BUSY", 5, "(stratum 2, leap indicator 3)"],
    [{ stratum: 16 }, "SERVER_BUSY", 5, "(stratum 16, leap indicator 0)"],
  ];
  for (const [change, code, exit, message] of cases) {
    await using server = new FakeUdpServer((request) => request.reply(ntpReply(request, change)));
    await using clock = ntpClock(server);
    const error = await assertRejects(() => clock.sync({ samples: 2 }), TrivetError, message);
    assertEquals([error.code, error.exitCode], [code, exit]);
    // It was told: no further try.
    assertEquals(server.requests.length, 1);
  }
});

Deno.test("ClockClient.sync() keeps what it has when the server says no more", async () => {
  const ends: [
    name: string,
    end: (request: Parameters<typeof ntpReply>[0]) => Uint8Array | undefined,
  ][] = [
    ["TIMEOUT", () => undefined],
    ["SERVER_BUSY", (request) => ntpReply(request, { stratum: 0, referenceId: bytesOf("RATE") })],
  ];
  for (const [code, end] of ends) {
    await using server = new FakeUdpServer((request) => {
      const reply = request.index < 3 ? ntpReply(request) : end(request);
      return reply && request.reply(reply);
    });
    await using clock = ntpClock(server, code === "TIMEOUT" ? HASTY_MS : PATIENT_MS);
    const { samples, stopped } = await clock.sync({ samples: 8, intervalMs: 0 });
    assertEquals([samples, stopped?.code], [3, code]);
  }
  await using refusing = new FakeUdpServer((request) =>
    request.reply(
      request.index < 3
        ? ntpReply(request)
        : ntpReply(request, { stratum: 0, referenceId: bytesOf("DENY") }),
    )
  );
  await using clock = ntpClock(refusing);
  const error = await assertRejects(() => clock.sync({ intervalMs: 0 }), TrivetError);
  assertEquals(error.code, "PERMISSION_DENIED");
});

Deno.test("ClockClient.sync() asks again for what got lost", async () => {
  await using server = new FakeUdpServer((request) =>
    request.index % 2 === 1 ? request.reply(ntpReply(request)) : undefined
  );
  await using clock = ntpClock(server, 2 * HASTY_MS);
  const { samples, stopped } = await clock.sync({ samples: 2, intervalMs: 0 });
  assertEquals([samples, stopped], [2, undefined]);
  assert(server.requests.length >= 4);
});

Deno.test("ClockClient.sync() takes 1 to 1000 samples", async () => {
  await using server = new FakeUdpServer((request) => request.reply(ntpReply(request)));
  await using clock = ntpClock(server);
  for (const samples of [0, 1001, 1.5, NaN]) {
    await assertRejects(() => clock.sync({ samples }), RangeError, "1 to 1000");
  }
  assertEquals((await clock.sync({ samples: 1 })).samples, 1);
  assertEquals((await clock.sync({ samples: 1000, intervalMs: 0 })).samples, 1000);
  assert(server.requests.length >= 1001);
});

function flip(bytes: Uint8Array, at: number): Uint8Array {
  return withByte(bytes, at, (bytes[at] ?? 0) ^ 0x01);
}

function withByte(bytes: Uint8Array, at: number, byte: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = byte;
  return copy;
}

function filled(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return bytes.slice().fill(0, from, to);
}
