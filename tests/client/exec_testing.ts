/**
 * A server with remote commands, and clients that run them, for tests.
 *
 * @module
 */

import { join } from "node:path";
import { ExecClient, type ExecOptions } from "../../client/exec.ts";
import type { CommandEnd } from "../../lib/exec/messages.ts";
import { TestServer } from "../server/testing.ts";

/** How a command ended and what it wrote. */
export interface Outcome extends CommandEnd {
  readonly stdout: string;
  readonly stderr: string;
}

/** A server whose commands file a test writes. */
export class ExecWorld implements AsyncDisposable {
  readonly folder: string;
  readonly server: TestServer;
  readonly #clients: ExecClient[] = [];

  private constructor(folder: string, server: TestServer) {
    this.folder = folder;
    this.server = server;
  }

  /** Starts a server; `FOLDER` in the file is the world's own, where the scripts are. */
  static async start(
    commands: string,
    scripts: Readonly<Record<string, string>> = {},
  ): Promise<ExecWorld> {
    const folder = await Deno.makeTempDir({ prefix: "trivet-test-" });
    for (const [name, lines] of Object.entries(scripts)) {
      await Deno.writeTextFile(join(folder, name), `#!/bin/sh\n${lines}\n`, { mode: 0o700 });
    }
    const file = join(folder, "commands.toml");
    await Deno.writeTextFile(file, commands.replaceAll("FOLDER", folder), { mode: 0o600 });
    const audit = { maxBytes: 64 * 1024 ** 2, olderFiles: 1 };
    const server = await TestServer.start({ services: ["exec"], exec: { commands: file }, audit });
    return new ExecWorld(folder, server);
  }

  /** A client of an account; `ann` without a name. */
  async client(token?: string): Promise<ExecClient> {
    const client = await ExecClient.connect({
      server: `127.0.0.1:${this.server.port}`,
      plain: true,
      credentials: { token: token ?? await this.server.addUser("ann") },
    });
    this.#clients.push(client);
    return client;
  }

  /** What the audit log says of the attempts. */
  async attempts(): Promise<Record<string, unknown>[]> {
    const text = await Deno.readTextFile(join(this.server.data, "log", "audit.jsonl"));
    return text.trim().split("\n").map((line) => JSON.parse(line))
      .filter(({ method }) => method === "exec.run");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client.close();
    await this.server[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** A shell that runs what it is told: for tests only. */
export const SHELL = `
[commands.sh]
executable = "/bin/sh"
arguments = ["-c"]
users = ["ann"]
parameters = [{ name = "SCRIPT", pattern = ".*" }]
stdin = true
output-limit = "4G"
concurrent = 256
`;

/** Takes bytes and gives them back as text. */
export class TextWriter {
  text = "";
  readonly #decoder = new TextDecoder();
  readonly #waiting = new Set<() => void>();

  write(bytes: Uint8Array): Promise<number> {
    this.text += this.#decoder.decode(bytes, { stream: true });
    for (const check of this.#waiting) check();
    return Promise.resolve(bytes.length);
  }

  /** Waits until the text has something. */
  async until(part: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = () => this.text.includes(part) && resolve();
    this.#waiting.add(check);
    check();
    await promise;
    this.#waiting.delete(check);
  }
}

/** Runs a command to its end. */
export async function run(
  client: ExecClient,
  name: string,
  args: readonly string[] = [],
  options: ExecOptions = {},
): Promise<Outcome> {
  const stdout = new TextWriter();
  const stderr = new TextWriter();
  const command = await client.start(name, args, { stdout, stderr, ...options });
  return { ...await command.ended, stdout: stdout.text, stderr: stderr.text };
}

/** Command lines of the processes that have a text in theirs; what is dead and not buried is none. */
export async function processesWith(text: string): Promise<string[]> {
  const { stdout } = await new Deno.Command("ps", { args: ["-eo", "stat=,args="] }).output();
  return new TextDecoder().decode(stdout).split("\n")
    .filter((line) => line.includes(text) && !line.startsWith("Z"));
}
