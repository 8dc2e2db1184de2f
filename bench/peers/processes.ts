/**
 * Processes of the bench: short ones are timed, long ones are ended by their id, and what each costs
 * is read from the system. CPU seconds and peak memory come from `/proc`, so they are known on Linux
 * only; elsewhere they are `undefined`. `cat` reads them, because Deno itself may only with every
 * permission there is.
 *
 * @module
 */

/** Ticks per second of the times in `/proc/PID/stat`: USER_HZ, which is 100 on every Linux. */
const TICKS_PER_SECOND = 100;

/** How long a daemon may take to say that it is ready. */
const READY_TIMEOUT_MS = 10_000;

/** How long a daemon's own children may take to go. */
const SETTLE_TIMEOUT_MS = 2000;

/** A short command. */
export interface Command {
  /** Program and arguments. */
  readonly argv: readonly [string, ...string[]];
  /** Variables beside those of the bench. */
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads; nothing by default. */
  readonly stdin?: string;
  /** Whether it inherits nothing of the environment but `env`. */
  readonly clearEnv?: boolean;
}

/** What a command took. */
export interface Cost {
  /** From before its start until it was reaped. */
  readonly wallMs: number;
  /** User and system time of it and its children. */
  readonly cpuSeconds: number | undefined;
}

/**
 * Runs a command to its end; its stdout is thrown away.
 *
 * @param command What to run.
 * @param onStart Told its process id.
 * @throws {Error} If it fails, with what it said on stderr.
 */
export async function run(command: Command, onStart?: (pid: number) => void): Promise<Cost> {
  const before = await cpuSecondsOfReaped();
  const startMs = performance.now();
  const child = start(command, "null");
  onStart?.(child.pid);
  if (command.stdin !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(command.stdin));
    await writer.close();
  }
  const [status, errors] = await Promise.all([child.status, new Response(child.stderr).text()]);
  const wallMs = performance.now() - startMs;
  if (!status.success) {
    throw new Error(
      `Cannot run "${command.argv.join(" ")}": it ended with ${status.code}: ${errors}`,
    );
  }
  const after = await cpuSecondsOfReaped();
  const cpuSeconds = before === undefined || after === undefined ? undefined : after - before;
  return { wallMs, cpuSeconds };
}

/** Starts a command and interrupts it as Ctrl-C would, once `isTime` resolves. */
export async function interrupt(command: Command, isTime: Promise<unknown>): Promise<void> {
  const child = start(command, "null");
  const errors = new Response(child.stderr).text();
  const ended = child.status;
  await Promise.race([isTime, ended]);
  try {
    child.kill("SIGINT");
  } catch {
    // It has ended already.
  }
  await Promise.all([ended, errors]);
}

/** What a command prints, or `undefined` when it cannot be run. */
export async function outputOf(...argv: [string, ...string[]]): Promise<string | undefined> {
  const [program, ...args] = argv;
  try {
    const { stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Where a program is, in PATH and where daemons are. */
export async function findProgram(name: string): Promise<string | undefined> {
  const folders = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin", "/usr/local/sbin"];
  for (const folder of folders) {
    const path = `${folder}/${name}`;
    if (folder !== "" && await Deno.stat(path).then((info) => info.isFile, () => false)) {
      return path;
    }
  }
  return undefined;
}

/** A long-running process, ended by its id when disposed. */
export class Daemon implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<Deno.CommandStatus>;
  #text = "";
  readonly #reading: Promise<unknown>;

  /** Starts it; its output is kept for `until`. */
  constructor(command: Omit<Command, "stdin">) {
    this.#child = start(command, "piped");
    this.#ended = this.#child.status;
    this.#reading = Promise.all([
      this.#keep(this.#child.stdout),
      this.#keep(this.#child.stderr),
    ]);
  }

  /** Its process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** User and system time of it and of its children that have ended. */
  async cpuSeconds(): Promise<number | undefined> {
    const times = await cpuTimes(this.pid);
    return times === undefined ? undefined : times.own + times.reaped;
  }

  /** Most memory that it has ever held, in bytes. */
  async peakMemoryBytes(): Promise<number | undefined> {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(await readProc(`/proc/${this.pid}/status`) ?? "")?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  }

  /** Waits until its output matches, and returns the match. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    return await this.#poll(READY_TIMEOUT_MS, () => pattern.exec(this.#text) ?? undefined);
  }

  /** Waits until it answers on a port. */
  async untilListening(port: number): Promise<void> {
    await this.#poll(READY_TIMEOUT_MS, async () => {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port })).close();
        return true;
      } catch {
        return undefined;
      }
    });
  }

  /** Waits until the processes that it forked for connections are gone and count in `cpuSeconds`. */
  async settle(): Promise<void> {
    const children = `/proc/${this.pid}/task/${this.pid}/children`;
    await this.#poll(
      SETTLE_TIMEOUT_MS,
      async () => (await readProc(children) ?? "") === "" ? true : undefined,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // It has ended by itself.
    }
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), READY_TIMEOUT_MS);
    await this.#ended;
    clearTimeout(timer);
    await this.#reading;
  }

  async #keep(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      this.#text = (this.#text + decoder.decode(bytes, { stream: true })).slice(-65_536);
    }
  }

  async #poll<T>(
    timeoutMs: number,
    probe: () => T | undefined | Promise<T | undefined>,
  ): Promise<T> {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const found = await probe();
      if (found !== undefined) return found;
      if (performance.now() > deadlineMs) {
        throw new Error(`Process ${this.pid} is not ready after ${timeoutMs} ms: ${this.#text}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

function start(command: Command, stdout: "null" | "piped"): Deno.ChildProcess {
  const [program, ...args] = command.argv;
  return new Deno.Command(program, {
    args,
    env: { ...command.env },
    clearEnv: command.clearEnv ?? false,
    stdin: command.stdin === undefined ? "null" : "piped",
    stdout,
    stderr: "piped",
  }).spawn();
}

/** CPU seconds of all children that this process has reaped, and of theirs. */
async function cpuSecondsOfReaped(): Promise<number | undefined> {
  return (await cpuTimes(Deno.pid))?.reaped;
}

async function cpuTimes(pid: number): Promise<{ own: number; reaped: number } | undefined> {
  const stat = await readProc(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // proc(5): the name in parentheses may hold spaces; behind it utime is the 12th field.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ").map(Number);
  const seconds = (at: number) => (fields[at] ?? 0) / TICKS_PER_SECOND;
  return { own: seconds(11) + seconds(12), reaped: seconds(13) + seconds(14) };
}

/** The text of a file in `/proc`; nothing where there is none. */
export async function readProc(path: string): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const cat = new Deno.Command("cat", { args: [path], stdin: "null", stderr: "null" });
  const { success, stdout } = await cat.output();
  return success ? new TextDecoder().decode(stdout) : undefined;
}

/** A port that nobody uses now. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
