/**
 * chronyd, if it is installed: as a server with a configuration of its own, and as the client that other
 * clients are compared with. It runs as whoever runs the tests and sets no clock.
 *
 * @module
 */

import { join } from "node:path/posix";
import { until } from "./testing.ts";

const PLACES = ["/usr/sbin/chronyd", "/usr/local/sbin/chronyd", "/usr/bin/chronyd"];

/** Path of the program, or `undefined` where it is not installed. */
export const CHRONYD: string | undefined = PLACES.find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});

/** What a test says behind its name when chronyd is missing. */
export const CHRONYD_MISSING: string = CHRONYD === undefined
  ? " (skipped: chronyd is not installed)"
  : "";

/** Options for running without privileges: nobody checks for root, and the user stays the same. */
async function asOurselves(): Promise<string[]> {
  const { stdout } = await new Deno.Command("id", { args: ["-un"] }).output();
  return ["-d", "-x", "-U", "-u", new TextDecoder().decode(stdout).trim()];
}

function program(): string {
  if (CHRONYD === undefined) throw new Error("chronyd is not installed");
  return CHRONYD;
}

/** A chronyd that serves the time of this machine on a port of 127.0.0.1. */
export class ChronyServer implements AsyncDisposable {
  readonly port: number;
  readonly #process: Deno.ChildProcess;
  readonly #stderr: Promise<string>;

  private constructor(port: number, process: Deno.ChildProcess) {
    this.port = port;
    this.#process = process;
    this.#stderr = new Response(process.stderr).text();
  }

  /** Starts it and waits for its first answer. */
  static async start(folder: string): Promise<ChronyServer> {
    const port = freePort();
    const config = [
      "local stratum 8",
      "allow 127.0.0.1",
      "bindaddress 127.0.0.1",
      `port ${port}`,
      "cmdport 0",
      "bindcmdaddress /",
      `pidfile ${join(folder, "chronyd.pid")}`,
    ];
    const path = join(folder, "chrony.conf");
    await Deno.writeTextFile(path, config.join("\n") + "\n");
    const process = new Deno.Command(program(), {
      args: [...await asOurselves(), "-f", path],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const server = new ChronyServer(port, process);
    try {
      await until(() => answers(port), "chronyd's first answer");
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw new Error(`chronyd did not start: ${await server.#stderr}`, { cause: error });
    }
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#process.status;
    await this.#stderr;
  }
}

/**
 * Measures a server with `chronyd -Q`.
 *
 * @returns How far the server's clock is ahead of this machine's, in milliseconds.
 */
export async function chronyOffsetMs(folder: string, port: number): Promise<number> {
  const { code, stdout, stderr } = await new Deno.Command(program(), {
    args: [
      ...await asOurselves(),
      ...["-Q", "-t", "20"],
      `server 127.0.0.1 port ${port} iburst maxsamples 4`,
      "cmdport 0",
      "bindcmdaddress /",
      `pidfile ${join(folder, "chronyd-client.pid")}`,
    ],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  const said = decoder.decode(stdout) + decoder.decode(stderr);
  const wrong = /System clock wrong by (-?\d+\.\d+) seconds/.exec(said)?.[1];
  if (code !== 0 || wrong === undefined) throw new Error(`chronyd -Q measured nothing: ${said}`);
  return Number(wrong) * 1000;
}

function freePort(): number {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const { addr } = socket;
  socket.close();
  return addr.transport === "udp" ? addr.port : 0;
}

/** Whether an NTP server with a synchronised clock answers there within a moment. */
async function answers(port: number): Promise<boolean> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const timer = setTimeout(() => socket.close(), 200);
  try {
    // Version 4, mode 3, and a transmit timestamp.
    const request = new Uint8Array(48).fill(1, 40);
    request[0] = 0x23;
    await socket.send(request, { transport: "udp", hostname: "127.0.0.1", port });
    const [reply] = await socket.receive();
    clearTimeout(timer);
    socket.close();
    return (reply[1] ?? 0) > 0;
  } catch {
    return false;
  }
}
