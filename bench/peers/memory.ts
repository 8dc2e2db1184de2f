/**
 * How much memory the two sides of a transfer hold at most, seen by looking now and then.
 *
 * @module
 */

/** Time between two looks, in milliseconds: each costs a process of its own. */
const LOOK_MS = 250;

/** Most memory of client and server. */
export interface Peaks {
  client: number;
  server: number;
}

/** Looks at a client and its server until it is disposed. */
export class MemoryWatch implements Disposable {
  /** The most that was seen, in bytes; with a process its children count. */
  readonly peaks: Peaks = { client: 0, server: 0 };
  readonly #timer: ReturnType<typeof setInterval>;

  /** Begins to look at two processes. */
  constructor(client: number, server: number) {
    const look = async () => {
      this.peaks.client = Math.max(this.peaks.client, await residentBytes(client));
      this.peaks.server = Math.max(this.peaks.server, await residentBytes(server));
    };
    this.#timer = setInterval(() => look().catch(() => {}), LOOK_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Resident memory of a process and its children; 0 when it is gone, or nobody can tell. */
async function residentBytes(pid: number): Promise<number> {
  const command = new Deno.Command("ps", {
    args: ["-o", "rss=", "-p", `${pid}`, "--ppid", `${pid}`],
    stdin: "null",
    stderr: "null",
  });
  const text = new TextDecoder().decode((await command.output()).stdout);
  return text.split("\n").reduce((sum, line) => sum + Number(line) * 1024, 0);
}
