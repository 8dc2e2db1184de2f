/**
 * Trivet's own client and server as a user runs them: the executables in `dist/` where they were
 * built, else the programs from source.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { Contender } from "./contender.ts";
import { type Command, Daemon, run } from "./processes.ts";

const USER = "bench";
const PASSWORD = "a password of the bench";

/** How the two programs are started. */
export interface Programs {
  /** `dist/` or `source`. */
  readonly origin: string;
  /** The server. */
  readonly trivetd: readonly [string, ...string[]];
  /** The client. */
  readonly trivet: readonly [string, ...string[]];
}

/** Finds the programs; `source` leaves `dist/` alone. */
export async function findPrograms(origin: "auto" | "source"): Promise<Programs> {
  const dist = fileURLToPath(new URL("../../dist/", import.meta.url));
  const built = await Promise.all(
    ["trivetd", "trivet"].map((name) => Deno.stat(dist + name).then(() => true, () => false)),
  );
  if (origin === "auto" && built.every((isThere) => isThere)) {
    return { origin: "dist/", trivetd: [`${dist}trivetd`], trivet: [`${dist}trivet`] };
  }
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const source = (name: string, main: string): [string, ...string[]] => [
    Deno.execPath(),
    ...["run", "--quiet", "--no-prompt", `--config=${root}deno.json`, `-P=${name}`],
    root + main,
  ];
  return {
    origin: "source",
    trivetd: source("trivetd", "server/main.ts"),
    trivet: source("trivet", "client/main.ts"),
  };
}

/** A running server and an account on it. */
export interface TrivetServer {
  /** The server. */
  readonly daemon: Daemon;
  /** Its port. */
  readonly port: number;
  /** Options that the client needs to trust it. */
  readonly trust: readonly string[];
  /** Its data folder. */
  readonly folder: string;
  /** The account's home on the disk. */
  readonly home: string;
}

/**
 * Starts a server.
 *
 * @param stack Ends it.
 * @param programs How it is started.
 * @param folder Its data folder.
 * @param options `plain`: without TLS; `commands`: the file of remote commands, which are served too;
 * `limits`: options of limits that are not the usual ones.
 */
export async function startTrivetd(
  stack: AsyncDisposableStack,
  programs: Programs,
  folder: string,
  options: { plain: boolean; commands?: string; limits?: readonly string[] },
): Promise<TrivetServer> {
  const args = ["serve", "netdisk", "--data", folder, "--port", "0", "--default-quota", "1T"];
  if (options.plain) args.push("--plain");
  args.push(...options.limits ?? []);
  if (options.commands !== undefined) args.splice(2, 0, "exec", "--commands", options.commands);
  const daemon = stack.use(new Daemon({ argv: [...programs.trivetd, ...args] }));
  const said = await daemon.until(/127\.0\.0\.1:(\d+)[\s\S]*fingerprint +(\S+)/);
  const trust = options.plain ? ["--plain"] : ["--fingerprint", said[2] ?? ""];
  return { daemon, port: Number(said[1]), trust, folder, home: `${folder}/homes/${USER}` };
}

/** The client, logged in. */
export class TrivetClient {
  readonly #programs: Programs;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(programs: Programs, folder: string) {
    this.#programs = programs;
    this.#env = {
      HOME: folder,
      XDG_CONFIG_HOME: `${folder}/config`,
      XDG_DATA_HOME: `${folder}/share`,
      XDG_STATE_HOME: `${folder}/state`,
    };
  }

  /**
   * Registers and logs in, so that later commands use a token as they do for anybody.
   *
   * @param programs How the client is started.
   * @param folder Its home.
   * @param server Where it logs in: a server's port, or that of something in front of it.
   */
  static async login(
    programs: Programs,
    folder: string,
    server: Pick<TrivetServer, "port" | "trust">,
  ): Promise<TrivetClient> {
    const client = new TrivetClient(programs, folder);
    await Deno.mkdir(folder);
    const access = ["--server", `127.0.0.1:${server.port}`, ...server.trust, "--password-stdin"];
    for (const verb of ["register", "login"]) {
      const args = [verb, USER, ...access, "--quiet"];
      await run({ ...client.command(args), stdin: `${PASSWORD}\n` });
    }
    return client;
  }

  /** A command of the client. */
  command(args: readonly string[]): Command {
    return { argv: [...this.#programs.trivet, ...args], env: this.#env };
  }
}

/** The ways to use it: as it is by default, and without waiting for the disk. */
export function trivetContenders(
  client: TrivetClient,
  server: TrivetServer,
): Contender[] {
  return (["commit", "os"] as const).map((durability) =>
    trivetContender(client, server, { durability, plain: false })
  );
}

/**
 * The client and a server without TLS, not waiting for the disk.
 *
 * @param stack Ends the server.
 * @param programs How they are started.
 * @param folder A folder of the bench.
 */
export async function startPlainTrivet(
  stack: AsyncDisposableStack,
  programs: Programs,
  folder: string,
): Promise<Contender> {
  const options = { plain: true } as const;
  const server = await startTrivetd(stack, programs, `${folder}/data-without-tls`, options);
  const client = await TrivetClient.login(programs, `${folder}/home-without-tls`, server);
  return trivetContender(client, server, { ...options, durability: "os" });
}

function trivetContender(
  client: TrivetClient,
  server: TrivetServer,
  { durability, plain }: { durability: "commit" | "os"; plain: boolean },
): Contender {
  const access = plain ? ["--plain", "--server", `127.0.0.1:${server.port}`] : [];
  const flags = [...access, "--quiet"];
  const name = plain ? "trivet --plain --durability os" : `trivet --durability ${durability}`;
  const move = (direction: "up" | "down", local: string, file: string) => [
    ...(direction === "up" ? ["put", local, file] : ["get", file, local]),
    ...flags,
    "--durability",
    durability,
  ];
  return {
    name: durability === "commit" ? "trivet" : name,
    syncs: durability === "commit",
    daemon: server.daemon,
    folder: server.home,
    command(direction, local, file) {
      if (direction !== "nowhere") {
        return client.command([...move(direction, local, file), "--resume", "never"]);
      }
      // It waits for no disk, either way.
      const isOther = durability === "os" && !plain;
      return isOther ? undefined : client.command(["cat", ...flags, file]);
    },
    tree(direction, local, file) {
      return client.command([...move(direction, local, file), "-r"]);
    },
    resume(direction, local, file) {
      return client.command([...move(direction, local, file), "--resume", "always"]);
    },
    partOf(direction, local) {
      if (direction === "up") return { folder: `${server.folder}/parts` };
      const path = local.replace(/[^/]*$/, ".$&.trivet-part");
      return { path };
    },
  };
}
