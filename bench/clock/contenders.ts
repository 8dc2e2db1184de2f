/**
 * What the clock's bench compares: Trivet's two services, the bare echo, and other time servers.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { Daemon, findProgram, outputOf } from "../peers/processes.ts";
import { findPrograms } from "../peers/trivet.ts";

/** A request of the text service, as the tutorials have it. */
export const TEXT_REQUEST: Uint8Array = new TextEncoder().encode("%Y-%m-%d %H:%M:%S");

/** A request of an NTP client, version 4. */
export const NTP_REQUEST: Uint8Array = Uint8Array.from(
  { length: 48 },
  (_, i) => i === 0 ? 0x23 : i < 40 ? 0 : i,
);

/** One row of the table. */
export interface Contender {
  readonly name: string;
  readonly port: number;
  readonly payload: Uint8Array;
  /** What it must reach 0.95 of. */
  readonly bare?: string;
  /** What the load is started with, where the server has a network of its own. */
  readonly enter?: readonly string[];
}

/** The server of the tutorials. */
const PYTHON_SERVER = `
import socket, time
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 0))
print("port", server.getsockname()[1], flush=True)
while True:
    data, address = server.recvfrom(1024)
    server.sendto(time.strftime(data.decode() or "%Y-%m-%d %X").encode(), address)
`;

/** No source reaches it: what is measured is the counting, not the refusing. */
const NO_LIMIT = ["--time-rate", "1000000000", "--time-burst", "1000000000"];

/**
 * Starts everything.
 *
 * @param stack Ends it.
 * @param folder For files.
 * @param skip Told what is missing.
 */
export async function startContenders(
  stack: AsyncDisposableStack,
  folder: string,
  skip: (what: string) => void,
): Promise<Contender[]> {
  const port = await portOf(stack.use(startEcho(1)));
  const twicePort = await portOf(stack.use(startEcho(2)));
  const echoText = { name: "bare echo, 17 bytes", port, payload: TEXT_REQUEST };
  const echoNtp = { name: "bare echo, 48 bytes", port, payload: NTP_REQUEST };
  const trivetd = await findPrograms("source");
  const ports = ["--time-port", "0", "--sntp-port", "0"];
  const server = stack.use(
    new Daemon({ argv: [...trivetd.trivetd, "serve", "time", ...ports, ...NO_LIMIT] }),
  );
  const said = await server.until(/time +127\.0\.0\.1:(\d+)[\s\S]*sntp +127\.0\.0\.1:(\d+)/);
  const [timePort, sntpPort] = [Number(said[1]), Number(said[2])];
  return [
    echoText,
    { name: "trivetd text", port: timePort, payload: TEXT_REQUEST, bare: echoText.name },
    echoNtp,
    { name: "trivetd SNTP", port: sntpPort, payload: NTP_REQUEST, bare: echoNtp.name },
    { name: "the echo, two at once, 48 bytes", port: twicePort, payload: NTP_REQUEST },
    ...await startChronyd(stack, folder, skip),
    ...await startPython(stack, skip),
    ...await startNtpsec(stack, folder, skip),
  ];
}

function startEcho(atOnce: number): Daemon {
  const path = fileURLToPath(new URL("echo.ts", import.meta.url));
  const flags = ["run", "--quiet", "--no-prompt", "--unstable-net", "--allow-net"];
  return new Daemon({ argv: [Deno.execPath(), ...flags, path, String(atOnce)] });
}

async function portOf(daemon: Daemon): Promise<number> {
  return Number((await daemon.until(/port (\d+)/))[1]);
}

async function startChronyd(
  stack: AsyncDisposableStack,
  folder: string,
  skip: (what: string) => void,
): Promise<Contender[]> {
  const program = await findProgram("chronyd");
  if (program === undefined) {
    skip("chronyd is not installed");
    return [];
  }
  const user = (await outputOf("id", "-un"))?.trim() ?? "root";
  const port = freeUdpPort();
  const config = ["local stratum 8", "allow 127.0.0.1", "bindaddress 127.0.0.1", `port ${port}`];
  config.push("cmdport 0", "bindcmdaddress /", `pidfile ${folder}/chronyd.pid`);
  await Deno.writeTextFile(`${folder}/chrony.conf`, config.join("\n") + "\n");
  // -x: it leaves this machine's clock alone; -U: it need not be root.
  const flags = ["-d", "-x", "-U", "-u", user, "-f", `${folder}/chrony.conf`];
  stack.use(new Daemon({ argv: [program, ...flags] }));
  return [{ name: "chronyd", port, payload: NTP_REQUEST }];
}

async function startPython(
  stack: AsyncDisposableStack,
  skip: (what: string) => void,
): Promise<Contender[]> {
  const program = await findProgram("python3");
  if (program === undefined) {
    skip("python3 is not installed");
    return [];
  }
  const daemon = stack.use(new Daemon({ argv: [program, "-c", PYTHON_SERVER] }));
  const port = await portOf(daemon);
  return [{ name: "the tutorials' server in Python", port, payload: TEXT_REQUEST }];
}

/**
 * ntpd of ntpsec has no option for its port, and would need 123 on every address of this machine: it gets a
 * network of its own. It may not set the clock, and its limit for one source refuses nobody, as ours.
 */
async function startNtpsec(
  stack: AsyncDisposableStack,
  folder: string,
  skip: (what: string) => void,
): Promise<Contender[]> {
  const program = await findProgram("ntpd");
  if (program === undefined) {
    skip("ntpsec is not installed");
    return [];
  }
  const network = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"] as const;
  if ((await outputOf(...network, "echo", "made"))?.trim() !== "made") {
    skip("ntpd of ntpsec needs port 123, and this user may not make a network for it");
    return [];
  }
  const config = `${folder}/ntpsec.conf`;
  await Deno.writeTextFile(config, "restrict default\nlimit average 1000000 burst 1000000\n");
  const server = ["setpriv", "--bounding-set", "-sys_time", program, "-n", "-c", config];
  const daemon = stack.use(new Daemon({ argv: [...network, ...server] }));
  await daemon.until(/Listen normally on \d+ lo 127\.0\.0\.1:123/);
  const enter = ["nsenter", `--net=/proc/${daemon.pid}/ns/net`];
  return [{ name: "ntpd of ntpsec", port: 123, payload: NTP_REQUEST, enter }];
}

function freeUdpPort(): number {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const { addr } = socket;
  socket.close();
  return addr.transport === "udp" ? addr.port : 0;
}
