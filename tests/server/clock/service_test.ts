import { assert, assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import { assertStringIncludes } from "@std/assert";
import { decodeNtpPacket } from "../../../lib/clock/ntp_packet.ts";
import { unixNsFromNtp } from "../../../lib/clock/ntp_timestamp.ts";
import { wallClockNs } from "../../../lib/clock/wall_clock.ts";
import { TrivetError } from "../../../lib/errors.ts";
import {
  type RunningTime,
  startTime,
  type TimeOptions,
  type TimeServiceName,
} from "../../../server/clock/service.ts";
import { serve } from "../../../server/serve.ts";
import { ntpRequest } from "../../lib/clock/testing.ts";
import { ask, openUpload, TestServer } from "../testing.ts";
import { HAS_LOOPBACK_NETWORK, NO_LOOPBACK_NETWORK, UdpClient } from "../../testing/udp_client.ts";

const FREE = { timePort: 0, sntpPort: 0 } as const;
const ALL = { ...FREE, daytimePort: 0, rfc868Port: 0, zone: "UTC" } as const;

function start(options: TimeOptions = {}, hosts = ["127.0.0.1"]): Promise<RunningTime> {
  return startTime(hosts, { ...ALL, ...options });
}

function portOf(
  { addresses }: Pick<RunningTime, "addresses">,
  service: TimeServiceName,
  transport = "udp",
): number {
  const found = addresses.find((each) => each.service === service && each.transport === transport);
  assert(found !== undefined, service);
  return found.port;
}

/** Reads all that a TCP service sends. */
async function readAll(port: number): Promise<Uint8Array> {
  using conn = await Deno.connect({ port });
  return await new Response(conn.readable).bytes();
}

Deno.test("startTime() answers text over UDP", async () => {
  await using time = await start();
  await using client = new UdpClient();
  const port = portOf(time, "time");
  const year = String(new Date().getUTCFullYear());
  assertMatch(await client.askText("%Y %m %d", port), new RegExp(`^${year} \\d\\d \\d\\d$`));
  assertMatch(await client.askText("", port), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  assertEquals(await client.askText("0", port), "1970-01-01 00:00:00");
  assertEquals(await client.askText("%Z", port), "UTC");
});

Deno.test("startTime() goes on after datagrams that it does not answer", async () => {
  await using time = await start();
  await using client = new UdpClient();
  for (const service of ["time", "sntp", "daytime", "rfc868"] as const) {
    for (const length of [513, 2047, 2048, 2049, 9000, 65_507]) {
      await client.send(new Uint8Array(length).fill(0xff), portOf(time, service));
    }
    // Nobody is there any more when the answer comes.
    for (const text of ["", "%Y"]) {
      await using gone = new UdpClient();
      await gone.send(text, portOf(time, service));
    }
  }
  assertMatch(await client.askText("%Y", portOf(time, "time")), /^\d{4}$/);
  assertEquals((await client.ask(ntpRequest(), portOf(time, "sntp"))).length, 48);
  assertEquals((await client.ask("", portOf(time, "rfc868"))).length, 4);
  assertMatch(await client.askText("", portOf(time, "daytime")), /-UTC\r\n$/);
  assertEquals(client.answers.length, 4);
});

Deno.test("startTime() does not take a datagram that was cut for a short one", async () => {
  await using time = await start();
  await using client = new UdpClient();
  await client.send("x".repeat(513), portOf(time, "time"));
  await client.send("%Y".padEnd(9000), portOf(time, "time"));
  assertMatch(await client.askText("%j", portOf(time, "time")), /^\d{3}$/);
});

Deno.test("startTime() answers SNTP with the originate timestamp and this machine's time", async () => {
  await using time = await start({ answersPerSecond: 0 });
  await using client = new UdpClient();
  const port = portOf(time, "sntp");
  const random = new BigUint64Array(2000);
  crypto.getRandomValues(random);
  for (const transmit of random) {
    const beforeNs = wallClockNs();
    const packet = decodeNtpPacket(await client.ask(ntpRequest({ transmit }), port));
    const afterNs = wallClockNs();
    assert(packet !== undefined);
    assertEquals(packet.originateTimestamp, transmit);
    const receivedNs = unixNsFromNtp(packet.receiveTimestamp, beforeNs);
    const sentNs = unixNsFromNtp(packet.transmitTimestamp, beforeNs);
    assert(sentNs >= receivedNs);
    // A clock that is being slewed may be read a little differently within ten milliseconds.
    assert(beforeNs - receivedNs < 1_000_000n && sentNs - afterNs < 1_000_000n);
  }
});

Deno.test("startTime() answers DAYTIME and TIME over TCP and UDP", async () => {
  await using time = await start();
  await using client = new UdpClient();
  const daytime = /^[A-Z][a-z]+day, [A-Z][a-z]+ \d{1,2}, \d{4} \d\d:\d\d:\d\d-UTC\r\n$/;
  assertMatch(await client.askText("", portOf(time, "daytime")), daytime);
  const line = await readAll(portOf(time, "daytime", "tcp"));
  assertMatch(new TextDecoder().decode(line), daytime);
  for (
    const bytes of [
      await client.ask("", portOf(time, "rfc868")),
      await readAll(portOf(time, "rfc868", "tcp")),
    ]
  ) {
    assertEquals(bytes.length, 4);
    const seconds = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) - 2_208_988_800;
    assertLess(Math.abs(Date.now() / 1000 - seconds), 5);
  }
  assertEquals(portOf(time, "daytime", "tcp"), portOf(time, "daytime"));
});

Deno.test("startTime() leaves DAYTIME and TIME off unless asked", async () => {
  await using time = await startTime(["127.0.0.1"], FREE);
  assertEquals(time.addresses.map(({ service }) => service), ["time", "sntp"]);
});

const several = { ignore: !HAS_LOOPBACK_NETWORK };

Deno.test(`startTime() gives all hosts one port${NO_LOOPBACK_NETWORK}`, several, async () => {
  await using time = await start({}, ["127.0.0.1", "127.0.0.2"]);
  await using client = new UdpClient();
  for (const service of ["time", "sntp", "daytime", "rfc868"] as const) {
    const ports = time.addresses.filter((each) => each.service === service).map(({ port }) => port);
    assertEquals(new Set(ports).size, 1);
  }
  for (const host of ["127.0.0.1", "127.0.0.2"]) {
    assertMatch(await client.askText("%Y", portOf(time, "time"), host), /^\d{4}$/);
  }
});

Deno.test("startTime() on :: and 0.0.0.0 serves both kinds of addresses", async () => {
  await using time = await start({}, ["0.0.0.0", "::"]);
  const port = portOf(time, "time");
  for (const host of ["127.0.0.1", "::1"]) {
    await using client = new UdpClient(host);
    assertMatch(await client.askText("%Y", port, host), /^\d{4}$/);
    assertEquals((await client.ask(ntpRequest(), portOf(time, "sntp"), host)).length, 48);
  }
});

const OPTIONS = [
  ["timePort", "--time-port", "UDP"],
  ["sntpPort", "--sntp-port", "UDP"],
  ["daytimePort", "--daytime-port", "UDP"],
  ["rfc868Port", "--rfc868-port", "UDP"],
] as const;

for (const [name, option, transport] of OPTIONS) {
  Deno.test(`startTime() says that the port of ${option} is taken`, async () => {
    await using taken = new UdpClient();
    const error = await assertRejects(() => start({ [name]: taken.port }), TrivetError);
    assertEquals(error.code, "ADDRESS_IN_USE");
    assertEquals(
      error.message,
      `Cannot listen on ${transport} "127.0.0.1:${taken.port}": it is in use; ` +
        `choose another ${option}`,
    );
  });
}

Deno.test("startTime() says that a TCP port is taken, and closes what it had opened", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const error = await assertRejects(() => start({ rfc868Port: port }), TrivetError);
  assertEquals(error.code, "ADDRESS_IN_USE");
  assertStringIncludes(error.message, `TCP "127.0.0.1:${port}"`);
  await using again = await start({ timePort: port });
  assertEquals(portOf(again, "time"), port);
});

const WRONG: [options: TimeOptions, hosts: string[], message: string][] = [
  [{ zone: "Mars/Base" }, ["127.0.0.1"], 'Cannot use time zone "Mars/Base"'],
  [{ locale: "xx-Nowhere" }, ["127.0.0.1"], 'Cannot use locale "xx-Nowhere"'],
  [{ ntpMirror: "192.0.2.1" }, ["127.0.0.1"], 'Cannot mirror "192.0.2.1"'],
  [{ ntpMirror: "time.example" }, ["127.0.0.1"], 'Cannot mirror "time.example"'],
  [{}, ["203.0.113.77"], "this machine does not have that address"],
];

for (const [options, hosts, message] of WRONG) {
  Deno.test(`startTime() refuses ${JSON.stringify(options)} on ${hosts}`, async () => {
    const error = await assertRejects(() => start(options, hosts), TrivetError);
    assertEquals(error.code, "USAGE");
    assertStringIncludes(error.message, message);
  });
}

Deno.test(`A flood leaves the answers of others alone${NO_LOOPBACK_NETWORK}`, several, async () => {
  await using time = await start({ answersPerSecond: 10, answersBurst: 10 });
  await using flood = new UdpClient("127.0.0.2");
  await using other = new UdpClient("127.0.0.3");
  const port = portOf(time, "time");
  for (let round = 0; round < 8; round++) {
    for (let i = 0; i < 250; i++) await flood.send("%Y", port);
    assertMatch(await other.askText("%Y", port), /^\d{4}$/);
  }
  // Ten at once, some more for the time it took, and one in four of the rest.
  assert(flood.answers.length > 300 && flood.answers.length < 700, `${flood.answers.length}`);
});

Deno.test("SNTP refuses some of a flood with a kiss-o'-death if told to", async () => {
  const limits = { answersPerSecond: 1, answersBurst: 1, kissOfDeath: true };
  await using time = await start(limits);
  await using client = new UdpClient();
  for (let i = 0; i < 200; i++) await client.send(ntpRequest(), portOf(time, "sntp"));
  await client.until(60);
  const kisses = client.answers.map(decodeNtpPacket).filter((packet) => packet?.stratum === 0);
  assert(kisses.length > 10, `${kisses.length} of ${client.answers.length}`);
  assertEquals(new TextDecoder().decode(kisses[0]?.referenceId), "RATE");
});

Deno.test("serve() of the time alone needs no data folder", async () => {
  await using server = await serve({ services: ["time"], time: ALL });
  assertEquals([server.addresses, server.fingerprint], [[], undefined]);
  await using client = new UdpClient();
  assertMatch(await client.askText("%Y", portOf({ addresses: server.time }, "time")), /^\d{4}$/);
});

Deno.test("serve() of the netdisk wants a data folder, and closes the time services", async () => {
  const { port: timePort } = await freePort();
  const options = { services: ["netdisk", "time"], time: { ...ALL, timePort } } as const;
  await assertRejects(() => serve(options), TypeError);
  await using server = await serve({ ...options, services: ["time"] });
  assertEquals(portOf({ addresses: server.time }, "time"), timePort);
});

async function freePort(): Promise<UdpClient> {
  await using client = new UdpClient();
  return client;
}

Deno.test("serve() has no time services on a Unix socket", async () => {
  const listen = ["unix:/tmp/nowhere/socket"];
  const error = await assertRejects(() => serve({ services: ["time"], listen }), TrivetError);
  assertEquals(error.code, "USAGE");
});

Deno.test("shutdown() closes the time services at once, whatever the netdisk waits for", async () => {
  const options = { services: ["netdisk", "time"], time: ALL } as const;
  await using server = await TestServer.start(options);
  const time = { addresses: server.running.time };
  const ports = { timePort: portOf(time, "time"), daytimePort: portOf(time, "daytime", "tcp") };
  // Somebody who does not hang up keeps nothing open.
  using idle = await Deno.connect({ port: ports.daytimePort });
  await idle.read(new Uint8Array(100));
  // An upload that never ends.
  await using rpc = await server.login(await server.addUser("ada"));
  const upload = await openUpload(rpc, "a.bin", 1024 * 1024);
  const call = await rpc.open("put.data", { uploadId: upload.uploadId });
  await ask(rpc, "whoami", {});

  let isStopped = false;
  const stopped = server.running.shutdown(1000).then(() => isStopped = true);
  await until(() =>
    start(ports).then((again) => again[Symbol.asyncDispose]()).then(() => true, () => false)
  );
  assertEquals(isStopped, false);
  assert(await call.response.then(() => false, () => true));
  await stopped;
});

/** Tries again, for as long as it takes a socket to be closed. */
async function until(attempt: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !await attempt(); tries++) {
    assertLess(tries, 200);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
