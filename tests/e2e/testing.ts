/**
 * Real processes for the tests of this folder: a server, and clients that each have a home of their
 * own. Everything is spoken through the command line.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { TextLineStream } from "@std/streams/text-line-stream";
import { join } from "node:path/posix";
import { registerAndLogIn } from "./registering.ts";

/** How the programs are started. */
export interface Programs {
  readonly trivet: readonly string[];
  readonly trivetd: readonly string[];
}

/** Root of the checkout. */
export const ROOT = new URL("../../", import.meta.url).pathname.replace(/\/$/, "");

function fromSource(program: string, main: string): string[] {
  const options = ["--quiet", "--no-prompt", `--config=${ROOT}/deno.json`, `-P=${program}`];
  return [Deno.execPath(), "run", ...options, join(ROOT, main)];
}

/** The programs from source, with the permissions that the tasks give them. */
export const FROM_SOURCE: Programs = {
  trivet: fromSource("trivet", "client/main.ts"),
  trivetd: fromSource("trivetd", "server/main.ts"),
};

/** The password of every account in these tests. */
export const PASSWORD = "correct horse battery staple";

/** What a command printed and how it ended. */
export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options of a client's command. */
export interface RunOptions {
  /** What it reads from stdin; nothing by default. */
  readonly stdin?: string | Uint8Array<ArrayBuffer>;
  /** Further environment variables. */
  readonly env?: Record<string, string>;
}

/** The environment of every process: nothing of the caller's but what Deno itself needs. */
function baseEnv(home: string): Record<string, string> {
  const cache = Deno.env.get("DENO_DIR") ??
    join(Deno.env.get("XDG_CACHE_HOME") ?? join(Deno.env.get("HOME") ?? "/", ".cache"), "deno");
  const jsr = Deno.env.get("JSR_URL");
  return {
    PATH: "/usr/bin:/bin",
    HOME: home,
    XDG_CONFIG_HOME: join(home, "config"),
    XDG_DATA_HOME: join(home, "data"),
    XDG_CACHE_HOME: join(home, "cache"),
    XDG_STATE_HOME: join(home, "state"),
    DENO_DIR: cache,
    DENO_NO_UPDATE_CHECK: "1",
    ...(jsr === undefined ? {} : { JSR_URL: jsr }),
  };
}

/** What `trivetd --json serve` prints at its start, as far as tests need it. */
interface ServerHello {
  readonly addresses: string[];
  readonly classic: string[];
  readonly chat_udp: string[];
  readonly fingerprint: string | null;
  readonly time: { service: string; transport: string; address: string }[];
}

/** What a client must know of a server. */
type KnownServer =
  & Pick<ServerProcess, "address" | "fingerprint">
  & Partial<Pick<ServerProcess, "time">>;

/** A running `trivetd serve`. */
export class ServerProcess implements AsyncDisposable {
  /** Where the netdisk listens; empty without one. */
  readonly address: string;
  /** Where the classic protocol is spoken; empty when it is off. */
  readonly classic: readonly string[];
  /** UDP port of the chat; 0 when it is off. */
  readonly chatUdpPort: number;
  readonly fingerprint: string | null;
  /** Where the time services listen. */
  readonly time: ServerHello["time"];
  readonly process: Deno.ChildProcess;
  readonly #stderr: Promise<string>;

  private constructor(
    process: Deno.ChildProcess,
    hello: ServerHello,
    stderr: Promise<string>,
  ) {
    this.process = process;
    this.address = hello.addresses[0] ?? "";
    this.classic = hello.classic;
    this.chatUdpPort = Number(hello.chat_udp[0]?.split(":").at(-1) ?? 0);
    this.fingerprint = hello.fingerprint;
    this.time = hello.time;
    this.#stderr = stderr;
  }

  /** Starts a server and waits until it says where it listens. */
  static async start(
    programs: Programs,
    data: string,
    options: readonly string[] = [],
  ): Promise<ServerProcess> {
    // Tests run side by side: none may ask for a port of its own unless it says so.
    const port = ["--port", "--time-port", "--sntp-port", "--chat-udp-port"]
      .flatMap((name) => options.includes(name) ? [] : [name, "0"]);
    const [program = "", ...words] = programs.trivetd;
    const process = new Deno.Command(program, {
      args: [...words, "--json", "serve", "--data", data, ...port, ...options],
      env: baseEnv(data),
      clearEnv: true,
      cwd: "/",
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const stderr = new Response(process.stderr).text();
    const lines = process.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    const reader = lines.getReader();
    const { value } = await reader.read();
    if (value === undefined) throw new Error(`trivetd did not start: ${await stderr}`);
    // Whatever else it prints must not stop it.
    (async () => {
      while (!(await reader.read()).done);
    })();
    return new ServerProcess(process, JSON.parse(value), stderr);
  }

  get pid(): number {
    return this.process.pid;
  }

  get port(): number {
    return Number(this.address.split(":").at(-1));
  }

  /** Port of a time service. */
  timePort(service: "time" | "sntp" | "daytime" | "rfc868", transport = "udp"): number {
    const found = this.time.find((each) =>
      each.service === service && each.transport === transport
    );
    if (found === undefined) throw new Error(`No ${service} over ${transport}`);
    return Number(found.address.split(":").at(-1));
  }

  /** Peak resident memory so far, in bytes; Linux only. */
  async peakMemoryBytes(): Promise<number> {
    return await memoryOf(this.pid, "VmHWM");
  }

  /** Ends it and waits. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<{ code: number; stderr: string }> {
    try {
      this.process.kill(signal);
    } catch {
      // It has ended already.
    }
    const { code } = await this.process.status;
    return { code, stderr: await this.#stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
  }
}

/** Resident memory of a process, in bytes; Linux only. Deno itself may not read /proc. */
export async function memoryOf(pid: number, field: "VmHWM" | "VmRSS"): Promise<number> {
  const { stdout } = await new Deno.Command("cat", { args: [`/proc/${pid}/status`] }).output();
  const status = new TextDecoder().decode(stdout);
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1] ?? NaN) * 1024;
}

/** Somebody at a terminal of their own, with a home of their own. */
export class Person {
  /** Home folder, which is the working folder too. */
  readonly home: string;
  readonly #programs: Programs;
  readonly #env: Record<string, string>;
  readonly #data: string | undefined;

  /** With `data`, the data folder of the server, `register()` works. */
  constructor(
    programs: Programs,
    home: string,
    env: Record<string, string> = {},
    data?: string,
  ) {
    this.home = home;
    this.#programs = programs;
    this.#env = env;
    this.#data = data;
  }

  /** The same person with further environment variables. */
  with(env: Record<string, string>): Person {
    return new Person(this.#programs, this.home, { ...this.#env, ...env }, this.#data);
  }

  /** A path in the home. */
  path(...names: string[]): string {
    return join(this.home, ...names);
  }

  /** How a command is started, for tests that need a terminal. */
  command(args: readonly string[], env: Record<string, string> = {}): {
    argv: string[];
    env: Record<string, string>;
  } {
    return {
      argv: [...this.#programs.trivet, ...args],
      env: { ...baseEnv(this.home), ...this.#env, ...env },
    };
  }

  /** Starts `trivet` and leaves it running. */
  spawn(args: readonly string[], options: RunOptions = {}): Deno.ChildProcess {
    const { argv: [program = "", ...words], env } = this.command(args, options.env);
    return new Deno.Command(program, {
      args: words,
      env,
      clearEnv: true,
      cwd: this.home,
      stdin: options.stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /** Runs `trivet` to its end. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Result> {
    const process = this.spawn(args, options);
    feed(process, options);
    const { code, stdout, stderr } = await process.output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }

  /** Runs `trivet` and expects exit code 0; its stdout. */
  async ok(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const result = await this.run(args, options);
    assertEquals(result.code, 0, `trivet ${args.join(" ")}: ${result.stdout}${result.stderr}`);
    return result.stdout;
  }

  /** Runs `trivet --json` and expects exit code 0; its document. */
  // deno-lint-ignore no-explicit-any -- A test reads whatever keys it expects.
  async json(args: readonly string[], options: RunOptions = {}): Promise<any> {
    return JSON.parse(await this.ok(["--json", ...args], options));
  }

  /** Is registered and logged in, at no expense. */
  async register(name: string): Promise<void> {
    const data = this.#data;
    if (data === undefined) throw new Error(`${name} knows no server`);
    await registerAndLogIn(name, { data, env: this.command([]).env });
  }

  /** Registers and logs in without a terminal, by commands. */
  async registerByCommands(name: string): Promise<void> {
    const stdin = `${PASSWORD}\n`;
    await this.ok(["register", name, "--password-stdin"], { stdin });
    await this.ok(["login", name, "--password-stdin"], { stdin });
  }
}

/** Gives a process what it reads from stdin; it need not read all. */
export function feed(process: Deno.ChildProcess, { stdin }: RunOptions): void {
  if (stdin === undefined) return;
  const bytes = typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin;
  const writer = process.stdin.getWriter();
  writer.write(bytes).then(() => writer.close()).catch(() => {});
}

/** A temporary folder with a server's data and people's homes. */
export class World implements AsyncDisposable {
  readonly folder: string;
  readonly programs: Programs;
  readonly #servers: ServerProcess[] = [];

  private constructor(folder: string, programs: Programs) {
    this.folder = folder;
    this.programs = programs;
  }

  static async create(programs: Programs = FROM_SOURCE): Promise<World> {
    return new World(await Deno.makeTempDir({ prefix: "trivet-e2e-" }), programs);
  }

  /** The server's data folder. */
  get data(): string {
    return join(this.folder, "server");
  }

  /** Starts a server on this world's data. */
  async serve(options: readonly string[] = []): Promise<ServerProcess> {
    await Deno.mkdir(this.data, { recursive: true });
    const server = await ServerProcess.start(this.programs, this.data, options);
    this.#servers.push(server);
    return server;
  }

  /** Somebody new, who knows the server's address and fingerprint. */
  async person(
    name: string,
    server?: KnownServer,
  ): Promise<Person> {
    const home = join(this.folder, "people", name);
    await Deno.mkdir(home, { recursive: true });
    const env: Record<string, string> = {};
    if (server !== undefined) {
      env.TRIVET_SERVER = server.address || "127.0.0.1";
      if (server.fingerprint !== null) env.TRIVET_FINGERPRINT = server.fingerprint;
      else if (server.address !== "") env.TRIVET_PLAIN = "1";
      for (const [service, name] of [["time", "TRIVET_TIME_PORT"], ["sntp", "TRIVET_SNTP_PORT"]]) {
        const found = server.time?.find((each) => each.service === service);
        if (found !== undefined && name !== undefined) {
          env[name] = String(found.address.split(":").at(-1));
        }
      }
    }
    return new Person(this.programs, home, env, this.data);
  }

  /** Whoever runs `trivetd` on this world's data, beside its servers; `run` and `ok` run `trivetd`. */
  administrator(): Person {
    const programs = { ...this.programs, trivet: this.programs.trivetd };
    return new Person(programs, this.folder, { TRIVETD_DATA: this.data });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) await server[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Fills a file with bytes that no disk compresses; the same for the same seed. */
export function writeNoise(path: string, bytes: number, seed = 1): void {
  using file = Deno.openSync(path, { create: true, write: true, truncate: true });
  const block = new Uint32Array(64 * 1024);
  let state = seed >>> 0 || 1;
  for (let left = bytes; left > 0;) {
    for (let i = 0; i < block.length; i++) {
      // xorshift32 (Marsaglia 2003).
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      block[i] = state;
    }
    const part = new Uint8Array(block.buffer, 0, Math.min(left, block.byteLength));
    for (let at = 0; at < part.length;) at += file.writeSync(part.subarray(at));
    left -= part.length;
  }
}

/** SHA-256 of a file, in hex. */
export async function sha256Of(path: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return new Uint8Array(digest).toHex();
}

/** Waits until `condition` holds; fails after `timeoutMs`. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 60_000,
): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!await condition()) {
    if (performance.now() > endMs) throw new Error(`Waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The session token that login left in the credentials file. */
export async function tokenOf(person: Person): Promise<string> {
  const text = await Deno.readTextFile(person.path("config", "trivet", "credentials.json"));
  return /tvt_[A-Za-z0-9_-]{48}/.exec(text)?.[0] ?? "";
}
