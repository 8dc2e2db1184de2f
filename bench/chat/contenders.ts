/**
 * What the chat's bench compares: Trivet without and with TLS, ngircd and nats-server, on free ports.
 *
 * @module
 */

import { join } from "node:path";
import { hashToken, newToken } from "../../lib/auth/token.ts";
import { makeVerifier } from "../../lib/auth/verifier.ts";
import type { Durability } from "../../server/store/catalog.ts";
import { SqliteCatalog } from "../../server/store/sqlite_catalog.ts";
import { SqliteChat } from "../../server/store/sqlite_chat.ts";
import { Daemon, findProgram, freePort } from "../peers/processes.ts";
import type { Programs } from "../peers/trivet.ts";
import type { LoadOptions } from "./load.ts";

/** One row of the table. */
export interface Contender {
  readonly name: string;
  readonly daemon: Daemon;
  /** What the load must know. */
  readonly access: Pick<LoadOptions, "protocol" | "port" | "tokens" | "fingerprint">;
}

/** The fewest rounds that are allowed: nobody logs in by password here. */
const PASSWORD_ROUNDS = 4096;

/** No account is held back, and all connections come from one address. */
const NO_LIMITS = [
  ...["--chat-rate", "1000000", "--requests-in-flight", "1024"],
  ...["--connections-per-address", "0", "--guests", "10000", "--chat-udp", "off"],
];

/**
 * Starts `trivetd` with accounts that are in one room.
 *
 * @param stack Ends it.
 * @param programs How it is started.
 * @param options Its data folder, how many accounts, whether it goes without TLS, and whether it waits for
 * the disk.
 */
export async function startTrivetChat(
  stack: AsyncDisposableStack,
  programs: Programs,
  options: {
    readonly data: string;
    readonly accounts: number;
    readonly plain: boolean;
    readonly durability: Durability;
  },
): Promise<Contender> {
  const { data, accounts, plain, durability } = options;
  await Deno.mkdir(data, { mode: 0o700 });
  const tokens = await makeAccounts(data, accounts);
  const args = ["serve", "chat", "--data", data, "--port", "0", ...NO_LIMITS];
  args.push("--chat-durability", durability);
  if (plain) args.push("--plain");
  const daemon = stack.use(new Daemon({ argv: [...programs.trivetd, ...args] }));
  const said = await daemon.until(
    plain ? /127\.0\.0\.1:(\d+)/ : /127\.0\.0\.1:(\d+)[\s\S]*fingerprint +(\S+)/,
  );
  const fingerprint = said[2];
  const access = { protocol: "trivet", port: Number(said[1]), tokens } as const;
  return {
    name: `trivetd${plain ? " --plain" : ""}${durability === "os" ? ", os" : ""}`,
    daemon,
    access: fingerprint === undefined ? access : { ...access, fingerprint },
  };
}

/** Starts the other two, where they are installed. */
export async function startPeers(
  stack: AsyncDisposableStack,
  folder: string,
  skip: (what: string) => void,
): Promise<Contender[]> {
  const found: Contender[] = [];
  for (const [name, start] of [["ngircd", startNgircd], ["nats-server", startNats]] as const) {
    const program = await findProgram(name);
    if (program === undefined) skip(`${name} is not installed`);
    else found.push(await start(stack, program, folder));
  }
  return found;
}

async function startNgircd(
  stack: AsyncDisposableStack,
  program: string,
  folder: string,
): Promise<Contender> {
  const port = freePort();
  const config = join(folder, "ngircd.conf");
  const lines = ["[Global]", "Name = irc.bench.example", "Info = bench", "Listen = 127.0.0.1"];
  lines.push(`Ports = ${port}`, "[Limits]", "MaxConnections = 0", "MaxConnectionsIP = 0");
  lines.push("MaxJoins = 0", "MaxPenaltyTime = 0", "PingTimeout = 3600");
  lines.push("[Options]", "DNS = no", "Ident = no", "PAM = no", "CloakHost = localhost");
  await Deno.writeTextFile(config, lines.join("\n") + "\n");
  const daemon = stack.use(new Daemon({ argv: [program, "-n", "-f", config] }));
  await daemon.untilListening(port);
  return { name: "ngircd", daemon, access: { protocol: "irc", port } };
}

async function startNats(
  stack: AsyncDisposableStack,
  program: string,
): Promise<Contender> {
  const port = freePort();
  const daemon = stack.use(
    new Daemon({ argv: [program, "-a", "127.0.0.1", "-p", String(port)] }),
  );
  await daemon.untilListening(port);
  return { name: "nats-server", daemon, access: { protocol: "nats", port } };
}

/** Makes accounts, who are all in one room; their tokens. */
async function makeAccounts(data: string, count: number): Promise<string[]> {
  const database = join(data, "trivet.db");
  await using stack = new AsyncDisposableStack();
  const catalog = stack.adopt(SqliteCatalog.open(database), (opened) => opened.close());
  const chat = stack.adopt(SqliteChat.open(database), (opened) => opened.close());
  const verifier = await makeVerifier("a password of the bench", { iterations: PASSWORD_ROUNDS });
  const names = Array.from({ length: count }, (_, i) => `user${i}`);
  const tokens = names.map(() => newToken());
  await Promise.all(names.map((name) => catalog.createUser({ name, verifier, quotaBytes: 0 })));
  await Promise.all(names.map(async (user, i) => {
    const hash = Uint8Array.fromHex(await hashToken(tokens[i] ?? ""));
    const rest = { kind: "api", scope: "full", pathPrefix: [], expiresAtMs: null } as const;
    await catalog.addToken({ hash, user, label: "bench", ...rest });
  }));
  const owner = names[0] ?? "";
  await chat.createRoom({ name: "room", owner, isPrivate: false, topic: "" });
  await Promise.all(names.map((name) => chat.join(name, "room")));
  return tokens;
}
