/**
 * scp and sftp against an OpenSSH server of our own: a throw-away host key, a throw-away user key,
 * loopback only, with the default cipher and with the fastest.
 *
 * @module
 */

import type { Contender } from "./contender.ts";
import { type Command, Daemon, findProgram, freePort, outputOf, run } from "./processes.ts";

/** Fastest where the processor has AES; the default is ChaCha20-Poly1305. */
const FAST_CIPHER = "aes128-gcm@openssh.com";

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
  readonly sftp: string;
  readonly ssh: string;
  /** For all: whom to trust, and who logs in. */
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
  const [sshd, scp, sftp, ssh, keygen] = await Promise.all(
    ["sshd", "scp", "sftp", "ssh", "ssh-keygen"].map(findProgram),
  );
  if (sshd === undefined) return "scp and sftp: there is no sshd";
  if (scp === undefined || sftp === undefined || ssh === undefined || keygen === undefined) {
    return "scp and sftp: not installed";
  }
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
  return { daemon, home, port, scp, sftp, ssh, options };
}

/**
 * Starts the server, for copies.
 *
 * @param stack Ends it and removes what it made.
 * @param folder A folder of the bench; uploads go to `ssh/` in it.
 * @returns The contenders, scp first, or why there are none.
 */
export async function startSsh(
  stack: AsyncDisposableStack,
  folder: string,
): Promise<Contender[] | string> {
  const server = await startSshd(stack, folder);
  if (typeof server === "string") return server;
  const fast = { ...server, options: [...server.options, "-c", FAST_CIPHER] };
  return [
    scpContender("scp", server),
    scpContender("scp aes128-gcm", fast),
    sftpContender("sftp", server),
    sftpContender("sftp aes128-gcm", fast),
  ];
}

function scpContender(
  name: string,
  { daemon, home, port, options, scp, ssh }: SshServer,
): Contender {
  return {
    name,
    syncs: false,
    daemon,
    folder: home,
    command(direction, local, file) {
      const remote = `${home}/${file}`;
      const copy: [string, ...string[]] = [scp, "-q", ...options, "-P", `${port}`];
      if (direction === "up") return { argv: [...copy, local, `127.0.0.1:${remote}`] };
      if (direction === "down") return { argv: [...copy, `127.0.0.1:${remote}`, local] };
      return { argv: [ssh, ...options, "-p", `${port}`, "127.0.0.1", `cat ${remote}`] };
    },
    tree(direction, local, file) {
      const remote = `127.0.0.1:${home}/${file}`;
      const copy: [string, ...string[]] = [scp, "-q", "-r", "-p", ...options, "-P", `${port}`];
      return { argv: direction === "up" ? [...copy, local, remote] : [...copy, remote, local] };
    },
  };
}

function sftpContender(
  name: string,
  { daemon, home, port, options, sftp }: SshServer,
): Contender {
  const batch = (...lines: string[]): Command => ({
    argv: [sftp, "-q", "-b", "-", ...options, "-P", `${port}`, "127.0.0.1"],
    stdin: lines.join("\n") + "\n",
  });
  return {
    name,
    syncs: false,
    daemon,
    folder: home,
    command(direction, local, file) {
      if (direction === "up") return batch(`put "${local}" "${home}/${file}"`);
      return batch(`get "${home}/${file}" "${direction === "down" ? local : "/dev/null"}"`);
    },
    tree(direction, local, file) {
      if (direction === "down") return batch(`get -R "${home}/${file}" "${local}"`);
      return batch(`mkdir "${home}/${file}"`, `put -R "${local}/." "${home}/${file}"`);
    },
    resume(direction, local, file) {
      if (direction === "up") return batch(`reput "${local}" "${home}/${file}"`);
      return batch(`reget "${home}/${file}" "${local}"`);
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
