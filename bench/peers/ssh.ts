/**
 * scp against an OpenSSH server of our own: a throw-away host key, a throw-away user key, the default
 * cipher, loopback only.
 *
 * @module
 */

import type { Contender } from "./contender.ts";
import { Daemon, findProgram, freePort, outputOf, run } from "./processes.ts";

/** Where sshd wants an empty folder when it is started by root. */
const PRIVILEGE_FOLDER = "/run/sshd";

/** A server of our own, and how to reach it. */
export interface SshServer {
  readonly daemon: Daemon;
  /** A folder for what is copied, and for the keys. */
  readonly home: string;
  readonly port: number;
  /** The programs. */
  readonly scp: string;
  readonly ssh: string;
  /** For both: whom to trust, and who logs in. */
  readonly options: readonly string[];
}

/**
 * Starts the server.
 *
 * @param stack Ends it and removes what it made.
 * @param folder A folder of the bench; uploads go to `ssh/` in it.
 * @returns The server, or why there is none.
 */
export async function startSshd(
  stack: AsyncDisposableStack,
  folder: string,
): Promise<SshServer | string> {
  const [sshd, scp, ssh, keygen] = await Promise.all(
    ["sshd", "scp", "ssh", "ssh-keygen"].map(findProgram),
  );
  if (sshd === undefined) return "scp: there is no sshd";
  if (scp === undefined || ssh === undefined || keygen === undefined) return "scp: not installed";
  const home = `${folder}/ssh`;
  await Deno.mkdir(home, { mode: 0o700 });
  if (Deno.uid() === 0) await makePrivilegeFolder(stack);
  for (const name of ["host", "user"]) {
    await run({ argv: [keygen, "-q", "-t", "ed25519", "-N", "", "-f", `${home}/${name}`] });
  }
  const port = freePort();
  await Deno.writeTextFile(
    `${home}/sshd_config`,
    [
      `Port ${port}`,
      "ListenAddress 127.0.0.1",
      `HostKey ${home}/host`,
      `AuthorizedKeysFile ${home}/user.pub`,
      "PasswordAuthentication no",
      "StrictModes no",
      "UsePAM no",
      "PidFile none",
      "Subsystem sftp internal-sftp",
    ].join("\n"),
  );
  // sshd must be called by its absolute path; -D keeps it ours to end.
  const daemon = stack.use(new Daemon({ argv: [sshd, "-D", "-e", "-f", `${home}/sshd_config`] }));
  await daemon.untilListening(port);
  const hostKey = (await Deno.readTextFile(`${home}/host.pub`)).trim();
  await Deno.writeTextFile(`${home}/known_hosts`, `[127.0.0.1]:${port} ${hostKey}\n`);
  const options = [
    "-F",
    "none",
    "-i",
    `${home}/user`,
    "-o",
    `UserKnownHostsFile=${home}/known_hosts`,
  ];
  options.push("-o", "BatchMode=yes", "-o", "LogLevel=ERROR");
  return { daemon, home, port, scp, ssh, options };
}

/**
 * Starts the server, for copies.
 *
 * @param stack Ends it and removes what it made.
 * @param folder A folder of the bench.
 * @returns The contender, or why there is none.
 */
export async function startSsh(
  stack: AsyncDisposableStack,
  folder: string,
): Promise<Contender | string> {
  const server = await startSshd(stack, folder);
  if (typeof server === "string") return server;
  const { daemon, home, port, scp, ssh, options } = server;
  return {
    name: "scp",
    syncs: false,
    daemon,
    folder: home,
    command(direction, local, name) {
      const remote = `${home}/${name}`;
      const copy: [string, ...string[]] = [scp, "-q", ...options, "-P", `${port}`];
      if (direction === "up") return { argv: [...copy, local, `127.0.0.1:${remote}`] };
      if (direction === "down") return { argv: [...copy, `127.0.0.1:${remote}`, local] };
      return { argv: [ssh, ...options, "-p", `${port}`, "127.0.0.1", `cat ${remote}`] };
    },
    tree(direction, local, name) {
      const remote = `127.0.0.1:${home}/${name}`;
      const copy: [string, ...string[]] = [scp, "-q", "-r", "-p", ...options, "-P", `${port}`];
      return { argv: direction === "up" ? [...copy, local, remote] : [...copy, remote, local] };
    },
  };
}

/** What the peers call themselves. */
export async function sshVersion(): Promise<string> {
  return (await outputOf("ssh", "-V"))?.trim().split(",")[0] ?? "none";
}

async function makePrivilegeFolder(stack: AsyncDisposableStack): Promise<void> {
  try {
    await Deno.mkdir(PRIVILEGE_FOLDER, { mode: 0o755 });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return;
    throw error;
  }
  stack.defer(() => Deno.remove(PRIVILEGE_FOLDER).catch(() => {}));
}
