/**
 * What the bench of remote commands compares: `trivet exec`, `ssh` with a connection each time, and
 * `ssh` over one that a master keeps open.
 *
 * @module
 */

import { join } from "node:path";
import type { ExecClientOptions } from "../../mod.ts";
import { type Command, Daemon, run } from "../peers/processes.ts";
import { startSshd } from "../peers/ssh.ts";
import { findPrograms, startTrivetd, TrivetClient } from "../peers/trivet.ts";

/** Writes the time in nanoseconds, sleeps, and does it again. */
const SLOW = "date +%s%N; sleep 0.3; date +%s%N";

const COMMANDS = `
[commands.cat]
executable = "/bin/cat"
users = ["*"]
stdin = true
output-limit = "1T"
time-limit = "1h"

[commands.true]
executable = "/bin/true"
users = ["*"]

[commands.slow]
executable = "/bin/sh"
arguments = ["-c", "${SLOW}"]
environment = { PATH = "/usr/bin:/bin" }
users = ["*"]
`;

/** One way to run something on a server. */
export interface Contender {
  readonly name: string;
  /** Runs `cat` there; not for those whose bytes go the same way as another's. */
  readonly cat: Command | undefined;
  /** Runs `true` there. */
  readonly true: Command;
  /** Runs the slow script there. */
  readonly slow: Command;
}

/** Everything that the bench needs. */
export interface Contenders {
  readonly contenders: readonly Contender[];
  /** Trivet's server. */
  readonly server: Daemon;
  /** How a program connects to it. */
  readonly connection: ExecClientOptions;
  /** Which programs of Trivet run. */
  readonly origin: string;
}

/**
 * Starts both servers.
 *
 * @param stack Ends them.
 * @param options Where files go, and which programs of Trivet to take.
 */
export async function startContenders(
  stack: AsyncDisposableStack,
  { folder, programs: which }: {
    readonly folder: string;
    readonly programs: "auto" | "source";
  },
): Promise<Contenders> {
  const commands = join(folder, "commands.toml");
  await Deno.writeTextFile(commands, COMMANDS, { mode: 0o600 });
  const programs = await findPrograms(which);
  const data = join(folder, "data");
  const server = await startTrivetd(stack, programs, data, { plain: false, commands });
  const home = join(folder, "home");
  const client = await TrivetClient.login(programs, home, server);
  const exec = (name: string) => client.command(["exec", name]);
  const own = (name: string) => client.command(["exec", "--no-share", name]);
  const contenders: Contender[] = [
    { name: "trivet exec", cat: own("cat"), true: own("true"), slow: own("slow") },
  ];
  await stack.use(new Daemon(client.command(["share"]))).until(/Sharing/);
  contenders.push({
    name: "trivet exec, shared",
    cat: exec("cat"),
    true: exec("true"),
    slow: exec("slow"),
  });
  const sshd = await startSshd(stack, folder);
  if (typeof sshd !== "string") {
    const ssh = (options: readonly string[], words: string): Command => ({
      argv: [sshd.ssh, ...sshd.options, ...options, "-p", `${sshd.port}`, "127.0.0.1", words],
    });
    const master = ["-S", join(folder, "master")];
    await run(ssh([...master, "-M", "-o", "ControlPersist=yes"], "true"));
    stack.defer(async () => {
      await run(ssh([...master, "-O", "exit"], ""));
    });
    const of = (name: string, options: readonly string[], hasCat: boolean): Contender => ({
      name,
      cat: hasCat ? ssh(options, "cat") : undefined,
      true: ssh(options, "true"),
      slow: ssh(options, SLOW),
    });
    contenders.push(of("ssh", ["-S", "none"], true), of("ssh -S", master, false));
  }
  const credentials = await tokenOf(home);
  const [option = "", fingerprint = ""] = server.trust;
  return {
    contenders,
    server: server.daemon,
    connection: {
      server: `127.0.0.1:${server.port}`,
      credentials,
      ...(option === "--fingerprint" ? { fingerprint } : {}),
    },
    origin: programs.origin,
  };
}

/** The token that the client has stored. */
async function tokenOf(home: string): Promise<{ token: string }> {
  const { stdout } = await new Deno.Command("grep", {
    args: ["-rhoE", "tvt_[A-Za-z0-9_-]{48}", home],
  }).output();
  return { token: new TextDecoder().decode(stdout).trim() };
}
