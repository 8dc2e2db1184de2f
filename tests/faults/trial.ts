/**
 * One try of a fault: a server and a client of its own, real programs, and the check that ends every
 * try, whatever was done to it.
 *
 * @module
 */

import { join, relative } from "node:path/posix";
import { hashToken, newToken } from "../../lib/auth/token.ts";
import { SeededRandom } from "../../lib/datagram/seeded_random.ts";
import { EXIT } from "../../lib/errors.ts";
import { SqliteCatalog } from "../../server/store/sqlite_catalog.ts";
import {
  feed,
  FROM_SOURCE,
  type Person,
  type Programs,
  type Result,
  type RunOptions,
  type ServerProcess,
  sha256Of,
  World,
} from "../e2e/testing.ts";
import { onSteadyPort } from "../testing/steady_port.ts";
import { type Content, Expected } from "./expected.ts";

/** The account of every try. */
export const USER = "ada";

/** An account for those who mean harm. */
const OTHER_USER = "mal";

/** Its quota, unless a scenario has another. */
const QUOTA_BYTES = 1024 ** 3;

/** A command that runs longer hangs: no fault here lasts so long. */
const COMMAND_MAX_MS = 90_000;

const DOCUMENTED: ReadonlySet<number> = new Set(Object.values(EXIT));

/** What no program may ever print: a stack, or the runtime's word for what nobody caught. */
const STACK = /^\s+at .+:\d+:\d+\)?$|Uncaught|internal error|panicked at/m;

/** Options of {@linkcode Trial.create}. */
export interface TrialOptions {
  /** Decides everything that is random. */
  readonly seed: number;
  /** How the programs are started. */
  readonly programs?: Programs;
  /** Further options of `trivetd serve`. */
  readonly serve?: readonly string[];
  /** Called before the server starts for the first time, with its data folder. */
  readonly prepare?: (world: World) => Promise<void>;
  /** Called when nothing runs any more, before the folder is removed. */
  readonly finish?: (world: World) => Promise<void>;
  /** The account's quota in bytes. */
  readonly quotaBytes?: number;
}

/** How a command ended; killed ones say nothing that counts. */
export interface Ended extends Result {
  readonly wasKilled: boolean;
}

/** A command that still runs. */
export interface Running {
  readonly process: Deno.ChildProcess;
  readonly ended: Promise<Ended>;
  /** Ends it with SIGKILL. */
  kill(): void;
}

/** See the module. */
export class Trial implements AsyncDisposable {
  readonly random: SeededRandom;
  readonly world: World;
  client: Person;
  /** A token of another account, whose home the check does not look at. */
  readonly otherToken: string;
  readonly expected = new Expected();
  /** What happened, for whoever sees the try fail. */
  readonly story: string[] = [];
  readonly #options: readonly string[];
  readonly #direct: Person;
  readonly #finish: TrialOptions["finish"];
  #server: ServerProcess;
  #isStopped = false;
  readonly #wrong: string[] = [];
  readonly #stderr: string[] = [];

  private constructor(
    world: World,
    server: ServerProcess,
    accounts: { readonly client: Person; readonly otherToken: string },
    { seed, serve = [], finish }: TrialOptions,
  ) {
    this.#finish = finish;
    const { client, otherToken } = accounts;
    this.otherToken = otherToken;
    this.world = world;
    this.#server = server;
    this.client = client;
    this.#direct = client;
    this.random = new SeededRandom(seed);
    this.#options = serve;
  }

  /** Starts a server and gives the client an account and a token of it. */
  static async create(options: TrialOptions): Promise<Trial> {
    const world = await World.create(options.programs ?? FROM_SOURCE);
    try {
      await options.prepare?.(world);
      const server = await world.serve([...options.serve ?? [], ...onSteadyPort()]);
      const person = await world.person(USER, server);
      const { quotaBytes = QUOTA_BYTES } = options;
      const token = await addAccount(world.data, USER, quotaBytes);
      const otherToken = await addAccount(world.data, OTHER_USER, QUOTA_BYTES);
      const client = person.with({ TRIVET_TOKEN: token });
      return new Trial(world, server, { client, otherToken }, options);
    } catch (error) {
      // What was prepared may be what failed.
      await options.finish?.(world).catch(() => {});
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The server that runs now, or ran last. */
  get server(): ServerProcess {
    return this.#server;
  }

  /** Lets commands that start from now on go another way than straight to the server. */
  reachBy(address: string | undefined): void {
    this.client = address === undefined
      ? this.#direct
      : this.#direct.with({ TRIVET_SERVER: address });
  }

  /** Notes what happens. */
  tell(text: string): void {
    this.story.push(text);
  }

  /** Says that something does not hold. */
  fail(text: string): void {
    this.#wrong.push(text);
  }

  /** Starts a client's command. */
  start(args: readonly string[], options: RunOptions = {}): Running {
    this.tell(`trivet ${args.join(" ")}`);
    const process = this.client.spawn(args, options);
    feed(process, options);
    let wasKilled = false;
    const kill = () => {
      try {
        process.kill("SIGKILL");
        wasKilled = true;
      } catch {
        // It has ended already.
      }
    };
    const timer = setTimeout(() => {
      this.fail(`trivet ${args.join(" ")} did not end within ${COMMAND_MAX_MS} ms`);
      kill();
    }, COMMAND_MAX_MS);
    const ended = process.output().then(({ code, stdout, stderr, signal }): Ended => {
      clearTimeout(timer);
      const decoder = new TextDecoder();
      const result = { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
      const isKilled = wasKilled && signal === "SIGKILL";
      if (!isKilled) this.judge(args, result);
      this.tell(`  ${isKilled ? "killed" : `ended with ${code}`}: ${result.stderr.slice(-300)}`);
      return { ...result, wasKilled: isKilled };
    });
    return { process, ended, kill };
  }

  /** Runs a client's command to its end. */
  run(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
    return this.start(args, options).ended;
  }

  /** Ends the server with SIGKILL. */
  async killServer(): Promise<void> {
    this.tell("kill -9 of the server");
    await this.#stop("SIGKILL");
  }

  /** Starts the server again, on the port that it had. */
  async restartServer(): Promise<void> {
    this.tell("the server starts again");
    const { port } = this.#server;
    this.#server = await this.world.serve([...this.#options, "--port", String(port)]);
    this.#isStopped = false;
  }

  /** Starts the server again if it was ended. */
  async whenServed(): Promise<void> {
    if (this.#isStopped) await this.restartServer();
  }

  /** A random time. */
  async pause(maxMs: number): Promise<void> {
    const ms = this.random.between(0, maxMs);
    await new Promise((resolve) => setTimeout(resolve, ms));
  }

  /** Writes a file of noise on the client; its digest. */
  async makeFile(name: string, bytes: number): Promise<string> {
    const content = new Uint8Array(bytes);
    const words = new Uint32Array(content.buffer, 0, bytes >> 2);
    for (let i = 0; i < words.length; i++) words[i] = this.random.uint32();
    await Deno.mkdir(join(this.client.path(name), ".."), { recursive: true });
    await Deno.writeFile(this.client.path(name), content);
    return await sha256Of(this.client.path(name));
  }

  /**
   * The check that ends every try: a server that starts, a home that holds what it may and nothing
   * partial, a quota that equals the disk, and a file that can still be stored and fetched.
   *
   * @returns What is wrong; nothing when all holds.
   */
  async check(): Promise<string[]> {
    await this.whenServed();
    const found = await this.#contents();
    this.#wrong.push(...this.expected.compare(found));
    const { code, stdout, stderr } = await this.world.administrator().run(["check", "--json"]);
    if (code !== 0) this.fail(`trivetd check ends with ${code}: ${stdout}${stderr}`);
    const digest = await this.makeFile("last.bin", 5000);
    const put = await this.run(["put", "last.bin", "last.bin"]);
    const got = await this.run(["get", "last.bin", "back.bin"]);
    if (put.code !== 0 || got.code !== 0) this.fail("the server stores nothing any more");
    else if (await sha256Of(this.client.path("back.bin")) !== digest) {
      this.fail("what comes back is not what was stored");
    }
    await this.#stop("SIGTERM");
    for (const text of this.#stderr) {
      if (STACK.test(text)) this.fail(`the server printed a stack: ${text.slice(0, 2000)}`);
    }
    return this.#wrong;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop("SIGKILL");
    await this.#finish?.(this.world);
    await this.world[Symbol.asyncDispose]();
  }

  /** Whether a command ended as a command may: with a documented exit code, and without a stack. */
  judge(args: readonly string[], { code, stdout, stderr }: Result): void {
    const words = `${args.join(" ")}`;
    if (!DOCUMENTED.has(code)) this.fail(`${words} ended with ${code}, which is not documented`);
    if (STACK.test(stderr) || STACK.test(stdout)) this.fail(`${words} printed a stack: ${stderr}`);
  }

  async #stop(signal: Deno.Signal): Promise<void> {
    this.#isStopped = true;
    const { stderr } = await this.#server.stop(signal);
    this.#stderr.push(stderr);
  }

  async #contents(): Promise<Map<string, Content>> {
    const home = join(this.world.data, "homes", USER);
    const found = new Map<string, Content>();
    const folders = [home];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for await (const { name, isDirectory } of Deno.readDir(folder)) {
        const path = join(folder, name);
        if (isDirectory) folders.push(path);
        else found.set(relative(home, path), await sha256Of(path));
      }
    }
    return found;
  }
}

/** Adds an account beside the server; a token of it. A login by password would take longer. */
async function addAccount(data: string, name: string, quotaBytes: number): Promise<string> {
  const catalog = SqliteCatalog.open(join(data, "trivet.db"));
  await using _closed = { [Symbol.asyncDispose]: () => catalog.close() };
  const key = new Uint8Array(32);
  const verifier = { salt: key, iterations: 600_000, storedKey: key, serverKey: key };
  await catalog.createUser({ name, verifier, quotaBytes });
  await Deno.mkdir(join(data, "homes", name), { mode: 0o700 });
  const token = newToken();
  const hash = Uint8Array.fromHex(await hashToken(token));
  const rights = { kind: "api", scope: "full", pathPrefix: [], expiresAtMs: null } as const;
  await catalog.addToken({ hash, user: name, label: "faults", ...rights });
  return token;
}
