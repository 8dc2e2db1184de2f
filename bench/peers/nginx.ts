/**
 * nginx with curl, without encryption, loopback only: downloads by sendfile, uploads by WebDAV's PUT.
 *
 * @module
 */

import type { Contender } from "./contender.ts";
import { Daemon, findProgram, freePort, outputOf } from "./processes.ts";

/** curl's pattern for the files that `makeMany` of `many.ts` makes. */
const MANY_FILES = "f[000-199]";

/**
 * Starts the server.
 *
 * @param stack Ends it.
 * @param folder A folder of the bench; uploads go to `nginx/files/` in it.
 * @returns The contender, or why there is none.
 */
export async function startNginx(
  stack: AsyncDisposableStack,
  folder: string,
): Promise<Contender[] | string> {
  const [nginx, curl] = await Promise.all(["nginx", "curl"].map(findProgram));
  if (nginx === undefined) return "nginx + curl: nginx is not installed";
  if (curl === undefined) return "nginx + curl: curl is not installed";
  const said = await outputOf(nginx, "-V");
  if (said?.includes("http_dav_module") !== true) return "nginx + curl: this nginx has no WebDAV";
  const home = `${folder}/nginx`;
  await Deno.mkdir(`${home}/files`, { recursive: true });
  const port = freePort();
  await Deno.writeTextFile(`${home}/nginx.conf`, configOf(home, port));
  // One process, so that its CPU time is there to be read.
  const daemon = stack.use(
    new Daemon({ argv: [nginx, "-p", home, "-e", "stderr", "-c", `${home}/nginx.conf`] }),
  );
  await daemon.untilListening(port);
  const url = `http://127.0.0.1:${port}`;
  const get: [string, ...string[]] = [curl, "-sSf"];
  return [{
    name: "nginx + curl",
    syncs: false,
    daemon,
    folder: `${home}/files`,
    command(direction, local, file) {
      if (direction === "up") return { argv: [...get, "-T", local, `${url}/${file}`] };
      return { argv: [...get, "-o", direction === "down" ? local : "/dev/null", `${url}/${file}`] };
    },
    tree(direction, local, file) {
      if (direction === "up") {
        return { argv: [...get, "-T", `${local}/${MANY_FILES}`, `${url}/${file}/`] };
      }
      const target = ["--create-dirs", "-o", `${local}/f#1`];
      return { argv: [...get, ...target, `${url}/${file}/${MANY_FILES}`] };
    },
    resume(direction, local, file) {
      // A PUT always replaces the whole file.
      if (direction === "up") return undefined;
      return { argv: [...get, "-C", "-", "-o", local, `${url}/${file}`] };
    },
  }];
}

function configOf(home: string, port: number): string {
  const temps = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return [
    "daemon off;",
    "master_process off;",
    `pid ${home}/nginx.pid;`,
    "events {}",
    "http {",
    "access_log off; sendfile on; tcp_nopush on; client_max_body_size 0;",
    ...temps.map((name) => `${name}_temp_path ${home}/${name};`),
    "server {",
    `listen 127.0.0.1:${port};`,
    `root ${home}/files;`,
    "dav_methods PUT; create_full_put_path on;",
    "} }",
  ].join("\n");
}

/** What the peer calls itself. */
export async function nginxVersion(): Promise<string> {
  const nginx = await findProgram("nginx");
  const said = nginx === undefined ? undefined : await outputOf(nginx, "-v");
  return /nginx\/(\S+)/.exec(said ?? "")?.[1] ?? "none";
}
