import { assert, assertEquals, assertLess, assertLessOrEqual, assertMatch } from "@std/assert";
import { assertStringIncludes } from "@std/assert";
import { join } from "node:path/posix";
import { decodeNtpPacket } from "../../lib/clock/ntp_packet.ts";
import { ntpRequest } from "../lib/clock/testing.ts";
import { HAS_LOOPBACK_NETWORK, NO_LOOPBACK_NETWORK, UdpClient } from "../testing/udp_client.ts";
import { CHRONYD, CHRONYD_MISSING, chronyOffsetMs, ChronyServer } from "./chronyd.ts";
import { FROM_SOURCE, type ServerProcess, World } from "./testing.ts";

const CLASSIC = ["time", "--daytime-port", "0", "--rfc868-port", "0"];

/** Runs a program to its end; `undefined` when it is not installed. */
async function run(program: string, args: readonly string[]) {
  try {
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args: [...args],
      stdin: "null",
      env: { LC_ALL: "C" },
    }).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function isInstalled(program: string): Promise<boolean> {
  return (await run("sh", ["-c", 'PATH=$PATH:/usr/sbin command -v "$0"', program]))?.code === 0;
}

function skipped(isThere: boolean, why: string): string {
  return isThere ? "" : ` (skipped: ${why})`;
}

const hasPython = await isInstalled("python3");
const NO_PYTHON = skipped(hasPython, "python3 is not installed");
const hasRdate = await isInstalled("rdate");
const NO_RDATE = skipped(hasRdate, "rdate is not installed");
const hasNtpdate = await isInstalled("ntpdate");
/** ntpdate asks port 123 and no other: it gets a network of its own, where that port is free. */
const IN_OWN_NETWORK = ["-r", "-n", "sh", "-c"];
const hasOwnNetwork = Deno.build.os === "linux" &&
  (await run("unshare", [...IN_OWN_NETWORK, "ip link set lo up"]))?.code === 0;
const NO_NTPDATE = hasNtpdate
  ? skipped(hasOwnNetwork, "no network namespace may be made")
  : skipped(hasNtpdate, "ntpdate is not installed");

Deno.test("trivetd serve time says where it listens and makes no folder", async () => {
  await using world = await World.create();
  const server = await world.serve(CLASSIC);
  assertEquals([server.address, server.fingerprint], ["", null]);
  const names = server.time.map(({ service, transport }) => `${service}/${transport}`);
  assertEquals(names, [
    "time/udp",
    "sntp/udp",
    "daytime/tcp",
    "daytime/udp",
    "rfc868/tcp",
    "rfc868/udp",
  ]);
  for (const { address } of server.time) assertMatch(address, /^127\.0\.0\.1:[1-9]\d*$/);
  assertEquals((await server.stop()).code, 0);
  assertEquals([...Deno.readDirSync(world.data)], []);
});

Deno.test("trivetd serve has both services, and names the port that is taken", async () => {
  await using world = await World.create();
  await using client = new UdpClient();
  const server = await world.serve();
  assertMatch(server.address, /^127\.0\.0\.1:[1-9]\d*$/);
  assertMatch(await client.askText("%Y", server.timePort("time")), /^\d{4}$/);
  assertEquals((await client.ask(ntpRequest(), server.timePort("sntp"))).length, 48);

  const [program = "", ...words] = FROM_SOURCE.trivetd;
  const taken = await run(program, [...words, "serve", "time", "--time-port", String(client.port)]);
  assertEquals(taken?.code, 5);
  assertStringIncludes(
    taken?.stderr ?? "",
    `Cannot listen on UDP "127.0.0.1:${client.port}": it is in use; choose another --time-port`,
  );
});

Deno.test("trivetd serve time takes zone, language and limits from its options", async () => {
  await using world = await World.create();
  await using client = new UdpClient();
  const options = ["--tz", "Asia/Shanghai", "--locale", "zh_CN.UTF-8", "--time-burst", "3"];
  const server = await world.serve(["time", ...options, "--time-rate", "1"]);
  const port = server.timePort("time");
  assertEquals(await client.askText("0", port), "1970-01-01 08:00:00");
  assertMatch(await client.askText("%A", port), /^星期[一二三四五六日]$/);
  for (let i = 0; i < 200; i++) await client.send("%H", port);
  // One in four of those beyond the limit is answered, if it has not lost the others already.
  await client.until(20);
  assertLess(client.answers.length, 120);
});

Deno.test({
  name: `chronyd -Q trusts trivetd within a millisecond${CHRONYD_MISSING}`,
  ignore: CHRONYD === undefined,
  fn: async () => {
    await using world = await World.create();
    const server = await world.serve(["time"]);
    const offsetMs = await chronyOffsetMs(world.folder, server.timePort("sntp"));
    assertLess(Math.abs(offsetMs), 1);
  },
});

Deno.test({
  name: `trivetd --ntp-mirror takes over what chronyd says${CHRONYD_MISSING}`,
  ignore: CHRONYD === undefined,
  fn: async () => {
    await using world = await World.create();
    await using chrony = await ChronyServer.start(world.folder);
    await using client = new UdpClient();
    const theirs = decodeNtpPacket(await client.ask(ntpRequest(), chrony.port));
    const mirror = await world.serve(["time", "--ntp-mirror", `127.0.0.1:${chrony.port}`]);
    const ours = decodeNtpPacket(await client.ask(ntpRequest(), mirror.timePort("sntp")));
    assertEquals([ours?.leap, ours?.stratum], [theirs?.leap, 8]);
    assertEquals(ours?.referenceId, theirs?.referenceId);

    const alone = await world.serve(["time", "--ntp-mirror", `127.0.0.1:${client.port}`]);
    const local = decodeNtpPacket((await askAgain(alone)) ?? new Uint8Array(0));
    assertEquals([local?.leap, local?.stratum], [0, 10]);
    assertEquals(new TextDecoder().decode(local?.referenceId), "LOCL");
  },
});

async function askAgain(server: ServerProcess): Promise<Uint8Array> {
  await using client = new UdpClient();
  return await client.ask(ntpRequest(), server.timePort("sntp"));
}

Deno.test({
  name: `ntpdate -q trusts trivetd on port 123${NO_NTPDATE}`,
  ignore: NO_NTPDATE !== "",
  fn: async () => {
    await using world = await World.create();
    const [program = "", ...words] = FROM_SOURCE.trivetd;
    const script = [
      "ip link set lo up",
      '"$@" & server=$!',
      // ntpdate gives up after a second; the server may need longer to start.
      "for try in 1 2 3 4 5 6 7 8 9 10; do",
      "  PATH=$PATH:/usr/sbin ntpdate -q -t 1 127.0.0.1 && break",
      "done",
      "kill $server; wait $server",
    ].join("\n");
    const served = ["serve", "time", "--sntp-port", "123", "--time-port", "0"];
    const { stdout } = await new Deno.Command("unshare", {
      args: [...IN_OWN_NETWORK, script, "sh", program, ...words, ...served],
      env: { TRIVETD_DATA: join(world.folder, "nothing") },
      stdin: "null",
      stderr: "inherit",
    }).output();
    const said = new TextDecoder().decode(stdout);
    const parts = /([+-]\d+\.\d+) \+\/- (\d+\.\d+) 127\.0\.0\.1 s10 no-leap/.exec(said);
    assert(parts !== null, said);
    const [offset, error] = [Number(parts[1]), Number(parts[2])];
    assertLessOrEqual(Math.abs(offset), Math.max(error, 0.001), said);
  },
});

Deno.test({
  name: `rdate reads TIME over TCP and UDP, and SNTP${NO_RDATE}`,
  ignore: !hasRdate,
  fn: async () => {
    await using world = await World.create();
    const server = await world.serve(CLASSIC);
    const cases: [flags: string[], port: number][] = [
      [[], server.timePort("rfc868", "tcp")],
      [["-u"], server.timePort("rfc868", "udp")],
      [["-n"], server.timePort("sntp")],
    ];
    for (const [flags, port] of cases) {
      const args = ["-p", ...flags, "-o", String(port), "127.0.0.1"];
      const script = 'PATH=$PATH:/usr/sbin exec rdate "$@"';
      const result = await run("sh", ["-c", script, "sh", ...args]);
      assertEquals(result?.code, 0, `rdate ${args.join(" ")}: ${result?.stderr}`);
      assertLess(Math.abs(Date.now() - Date.parse(result?.stdout ?? "")), 10_000, result?.stdout);
    }
  },
});

/** The client of the tutorials: a socket, a format, an answer. No timeout: it would wait for ever. */
const PYTHON_CLIENT = `
import socket, sys
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for text in sys.argv[2:]:
    client.sendto(text.encode(), ("127.0.0.1", int(sys.argv[1])))
    answer, _ = client.recvfrom(1024)
    sys.stdout.buffer.write(answer + b"\\0")
`;

const PYTHON_DAYTIME = `
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as stream:
    sys.stdout.buffer.write(stream.makefile("rb").read())
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.sendto(b"", ("127.0.0.1", int(sys.argv[2])))
sys.stdout.buffer.write(client.recvfrom(1024)[0])
`;

Deno.test({
  name: `The tutorials' Python client gets an answer to everything${NO_PYTHON}`,
  ignore: !hasPython,
  fn: async () => {
    await using world = await World.create();
    const server = await world.serve(["time", "--tz", "Asia/Shanghai"]);
    const texts = [
      "%Y %m %d",
      "",
      "现在是%Y年%m月%d日，%H点",
      "%Q %",
      "no format",
      "0",
      "%999999d",
    ];
    const port = String(server.timePort("time"));
    const result = await run("timeout", ["20", "python3", "-c", PYTHON_CLIENT, port, ...texts]);
    assertEquals(result?.code, 0, result?.stderr);
    const answers = result?.stdout.split("\0") ?? [];
    const expected = [
      /^\d{4} \d\d \d\d$/,
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/,
      /^现在是\d{4}年\d\d月\d\d日，\d\d点$/,
      /^%Q %$/,
      /^no format$/,
      /^1970-01-01 08:00:00$/,
      /^0{62}\d\d$/,
      /^$/,
    ];
    assertEquals(answers.length, expected.length);
    for (const [i, pattern] of expected.entries()) assertMatch(answers[i] ?? "", pattern);
  },
});

Deno.test({
  name: `A plain socket reads DAYTIME over TCP and UDP${NO_PYTHON}`,
  ignore: !hasPython,
  fn: async () => {
    await using world = await World.create();
    const server = await world.serve([...CLASSIC, "--tz", "UTC"]);
    const ports = ["tcp", "udp"].map((transport) => String(server.timePort("daytime", transport)));
    const result = await run("timeout", ["20", "python3", "-c", PYTHON_DAYTIME, ...ports]);
    assertEquals(result?.code, 0, result?.stderr);
    const lines = result?.stdout.split("\r\n") ?? [];
    assertEquals(lines.length, 3);
    const line = /^[A-Z][a-z]+day, [A-Z][a-z]+ \d{1,2}, \d{4} \d\d:\d\d:\d\d-UTC$/;
    for (const text of lines.slice(0, 2)) assertMatch(text, line);
  },
});

/**
 * Two servers that believe they hear each other: what one answers is sent on to the other from the
 * address that the other knows.
 */
class Crossing implements AsyncDisposable {
  /** What each server was sent because of what the other answered, the forged packet not counted. */
  readonly packets: Uint8Array[] = [];
  readonly #sockets: Deno.DatagramConn[];
  readonly #pumps: Promise<void>[];

  constructor(ports: readonly [number, number]) {
    // Socket 0 plays the second server towards the first one, socket 1 the other way round.
    this.#sockets = ports.map(() =>
      Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 })
    );
    this.#pumps = this.#sockets.map(async (socket, index) => {
      for await (const [bytes] of socket) {
        if (this.packets.length >= 100) return;
        this.packets.push(bytes.slice());
        const port = ports[1 - index] ?? 0;
        await this.#sockets[1 - index]?.send(bytes, {
          transport: "udp",
          hostname: "127.0.0.1",
          port,
        });
      }
    });
  }

  /** Sends a packet to the first server in the name of the second. */
  async forge(bytes: Uint8Array, port: number): Promise<void> {
    await this.#sockets[0]?.send(bytes, { transport: "udp", hostname: "127.0.0.1", port });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.close();
    await Promise.allSettled(this.#pumps);
  }
}

Deno.test("Two servers that a forged packet points at each other stop within two", async () => {
  await using world = await World.create();
  const a = await world.serve(CLASSIC);
  const b = await world.serve([...CLASSIC, "--locale", "zh_CN"]);
  const text = (format: string) => new TextEncoder().encode(format);
  const cases: ["time" | "sntp" | "daytime" | "rfc868", Uint8Array][] = [
    ["time", text("%Y-%m-%d")],
    ["time", text("")],
    ["time", text("hello")],
    ["time", text("%s")],
    ["time", text("%%%%Y")],
    ["time", text("%Q")],
    ["sntp", ntpRequest()],
    ["sntp", ntpRequest({ mode: 1 })],
    ["daytime", new Uint8Array(0)],
    ["rfc868", new Uint8Array(0)],
  ];
  for (const [service, forged] of cases) {
    for (const [one, other] of [[a, b], [b, a]] as const) {
      const ports = [one.timePort(service), other.timePort(service)] as const;
      await using crossing = new Crossing(ports);
      await crossing.forge(forged, ports[0]);
      // Both servers have dealt with everything once each has answered a later question.
      for (let round = 0; round < 5; round++) {
        for (const port of ports) await askAfter(service, port);
      }
      const what = `${service} ${new TextDecoder().decode(forged)}`;
      assert(crossing.packets.length >= 1, `${what}: no answer at all`);
      assertLessOrEqual(crossing.packets.length, 2, what);
    }
  }
});

/** A question of somebody else that the service answers. */
async function askAfter(service: string, port: number): Promise<void> {
  await using client = new UdpClient();
  const question = service === "time" ? "%H:%M" : service === "sntp" ? ntpRequest() : "";
  await client.ask(question, port);
}

const several = { ignore: !HAS_LOOPBACK_NETWORK };

Deno.test(
  `A flood leaves the answers of others unharmed${NO_LOOPBACK_NETWORK}`,
  several,
  async () => {
    await using world = await World.create();
    const server = await world.serve(["time"]);
    await using flood = new UdpClient("127.0.0.2");
    await using other = new UdpClient("127.0.0.3");
    for (const [service, question] of [["time", "%H:%M"], ["sntp", ntpRequest()]] as const) {
      const port = server.timePort(service);
      const before = flood.answers.length;
      const asked = other.answers.length;
      for (let round = 0; round < 50; round++) {
        for (let i = 0; i < 200; i++) await flood.send(question, port);
        await other.ask(question, port);
      }
      assertEquals(other.answers.length - asked, 50, "every question is answered");
      const answered = flood.answers.length - before;
      assertLess(answered, 5000, `${answered} of 10000`);
    }
  },
);
