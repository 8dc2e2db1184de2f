/**
 * vsftpd with curl and with lftp, without encryption, loopback only, for anybody who asks.
 *
 * @module
 */

import type { Contender } from "./contender.ts";
import { type Command, Daemon, findProgram, freePort, outputOf } from "./processes.ts";

/** curl's pattern for the files that `makeMany` of `many.ts` makes. */
const MANY_FILES = "f[000-199]";

/**
 * Starts the server.
 *
 * @param stack Ends it.
 * @param folder A folder of the bench; uploads go to `ftp/files/` in it.
 * @returns The contenders, or why there are none.
 */
export async function startVsftpd(
  stack: AsyncDisposableStack,
  folder: string,
): Promise<Contender[] | string> {
  const [vsftpd, curl, lftp] = await Promise.all(["vsftpd", "curl", "lftp"].map(findProgram));
  if (vsftpd === undefined) return "vsftpd: not installed";
  if (curl === undefined && lftp === undefined) return "vsftpd: neither curl nor lftp is installed";
  const home = `${folder}/ftp`;
  await Deno.mkdir(`${home}/files`, { recursive: true });
  await Deno.mkdir(`${home}/empty`);
  const port = freePort();
  await Deno.writeTextFile(`${home}/vsftpd.conf`, configOf(home, port));
  const daemon = stack.use(new Daemon({ argv: [vsftpd, `${home}/vsftpd.conf`] }));
  await daemon.untilListening(port);
  const base = { syncs: false, daemon, folder: `${home}/files` };
  const contenders: Contender[] = [];
  if (curl !== undefined) {
    contenders.push({ ...base, ...curlCommands(curl, `ftp://127.0.0.1:${port}`) });
  }
  if (lftp !== undefined) contenders.push({ ...base, ...lftpCommands(lftp, { home, port }) });
  return contenders;
}

type Commands = Pick<Contender, "name" | "command" | "tree" | "resume">;

function curlCommands(curl: string, url: string): Commands {
  const get: [string, ...string[]] = [curl, "-sSf"];
  return {
    name: "vsftpd + curl",
    command(direction, local, file) {
      if (direction === "up") return { argv: [...get, "-T", local, `${url}/${file}`] };
      return { argv: [...get, "-o", direction === "down" ? local : "/dev/null", `${url}/${file}`] };
    },
    tree(direction, local, file) {
      if (direction === "up") {
        const files = ["--ftp-create-dirs", "-T", `${local}/${MANY_FILES}`];
        return { argv: [...get, ...files, `${url}/${file}/`] };
      }
      const target = ["--create-dirs", "-o", `${local}/f#1`];
      return { argv: [...get, ...target, `${url}/${file}/${MANY_FILES}`] };
    },
    resume(direction, local, file) {
      const paths = direction === "up" ? ["-T", local] : ["-o", local];
      return { argv: [...get, "-C", "-", ...paths, `${url}/${file}`] };
    },
  };
}

function lftpCommands(
  lftp: string,
  { home, port }: { readonly home: string; readonly port: number },
): Commands {
  const script = (line: string): Command => {
    const setup = `set xfer:clobber yes; set cmd:fail-exit yes; open -p ${port} 127.0.0.1`;
    return { argv: [lftp, "--norc", "-c", `${setup}; ${line}`], env: { HOME: home } };
  };
  return {
    name: "vsftpd + lftp",
    command(direction, local, file) {
      if (direction === "up") return script(`put "${local}" -o "${file}"`);
      return script(`get "${file}" -o "${direction === "down" ? local : "/dev/null"}"`);
    },
    tree(direction, local, file) {
      if (direction === "up") return script(`mirror -R "${local}" "${file}"`);
      return script(`mirror "${file}" "${local}"`);
    },
    resume(direction, local, file) {
      if (direction === "up") return script(`put -c "${local}" -o "${file}"`);
      return script(`get -c "${file}" -o "${local}"`);
    },
  };
}

/** It runs as whoever runs the bench, since nobody else may enter its folder. */
function configOf(home: string, port: number): string {
  const yes = ["listen", "anonymous_enable", "no_anon_password", "write_enable"];
  yes.push("anon_upload_enable", "anon_mkdir_write_enable", "anon_other_write_enable");
  yes.push("allow_writeable_chroot", "run_as_launching_user");
  const no = ["background", "anon_world_readable_only", "seccomp_sandbox", "xferlog_enable"];
  return [
    ...yes.map((name) => `${name}=YES`),
    ...no.map((name) => `${name}=NO`),
    "listen_address=127.0.0.1",
    `listen_port=${port}`,
    "anon_umask=022",
    `anon_root=${home}/files`,
    `secure_chroot_dir=${home}/empty`,
  ].join("\n") + "\n";
}

/** What the peer calls itself. */
export async function vsftpdVersion(): Promise<string> {
  const said = await outputOf("sh", "-c", "vsftpd -v 0>&1");
  return /version (\S+)/.exec(said ?? "")?.[1] ?? "none";
}
