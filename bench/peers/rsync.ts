/**
 * rsync against an rsync daemon of our own: no encryption, no compression, loopback only, with whole
 * files (`-W`) and with its delta. Its whole-file checksum stays on, as it is by default.
 *
 * @module
 */

import type { Contender } from "./contender.ts";
import { Daemon, findProgram, freePort, outputOf } from "./processes.ts";

/**
 * Starts the daemon.
 *
 * @param stack Ends it.
 * @param folder A folder of the bench; uploads go to `rsync/` in it.
 * @returns `rsync -W`, where it can wait for the disk also with `--fsync`, and plain `rsync`; or why there is none.
 */
export async function startRsync(
  stack: AsyncDisposableStack,
  folder: string,
): Promise<Contender[] | string> {
  const rsync = await findProgram("rsync");
  if (rsync === undefined) return "rsync: not installed";
  const home = `${folder}/rsync`;
  await Deno.mkdir(home);
  const port = freePort();
  const lines = ["use chroot = no", "[bench]", `path = ${home}`, "read only = no"];
  if (Deno.uid() === 0) lines.unshift("uid = 0", "gid = 0");
  await Deno.writeTextFile(`${folder}/rsyncd.conf`, lines.join("\n"));
  const daemon = stack.use(
    new Daemon({
      argv: [
        ...[rsync, "--daemon", "--no-detach", "--address=127.0.0.1"] as const,
        `--port=${port}`,
        `--config=${folder}/rsyncd.conf`,
      ],
    }),
  );
  await daemon.untilListening(port);
  const url = `rsync://127.0.0.1:${port}/bench`;
  const contender = (...flags: string[]): Contender => ({
    name: ["rsync", ...flags].join(" "),
    syncs: flags.includes("--fsync"),
    daemon,
    folder: home,
    command(direction, local, file) {
      // A download to nowhere would replace the device file.
      if (direction === "nowhere") return undefined;
      const remote = `${url}/${file}`;
      // -I: a file that is there already is sent all the same.
      const copy: [string, ...string[]] = [rsync, "-I", ...flags];
      return { argv: direction === "up" ? [...copy, local, remote] : [...copy, remote, local] };
    },
    tree(direction, local, file) {
      // Behind a slash, the content of a folder goes into the other.
      const paths = direction === "up"
        ? [`${local}/`, `${url}/${file}/`]
        : [`${url}/${file}/`, `${local}/`];
      return { argv: [rsync, "-a", ...flags, ...paths] };
    },
    resume(direction, local, file) {
      // Whole files are the opposite of going on.
      if (flags.includes("-W")) return undefined;
      const remote = `${url}/${file}`;
      const paths = direction === "up" ? [local, remote] : [remote, local];
      return { argv: [rsync, "--append-verify", ...paths] };
    },
  });
  const canSync = (await outputOf(rsync, "--help"))?.includes("--fsync") ?? false;
  const all = [contender("-W"), contender()];
  return canSync ? [...all, contender("-W", "--fsync")] : all;
}

/** What the peer calls itself. */
export async function rsyncVersion(): Promise<string> {
  return /version (\S+)/.exec(await outputOf("rsync", "--version") ?? "")?.[1] ?? "none";
}
