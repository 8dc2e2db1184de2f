/**
 * The server and the client of the tutorials, in Python: 1024 bytes a read, a flush after each, no
 * encryption, no checks, one connection for one file. Loopback only.
 *
 * @module
 */

import type { Contender } from "./contender.ts";
import { Daemon, findProgram } from "./processes.ts";

const SERVER = `
import os, socketserver, sys
class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        way, name, size = self.request.makefile("rb", 0).readline().decode().split()
        path = os.path.join(sys.argv[1], name)
        if way == "get":
            self.request.sendall(b"%d\\n" % os.path.getsize(path))
            with open(path, "rb") as file:
                while data := file.read(1024):
                    self.request.send(data)
            return
        left = int(size)
        with open(path, "wb") as file:
            while left > 0:
                data = self.request.recv(1024)
                if not data: return
                file.write(data)
                file.flush()
                left -= len(data)
        self.request.sendall(b"done\\n")
server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print("port", server.server_address[1], flush=True)
server.serve_forever()
`;

const CLIENT = `
import os, socket, sys
port, way, local, name = sys.argv[1:]
peer = socket.create_connection(("127.0.0.1", int(port)))
answer = peer.makefile("rb", 0)
size = os.path.getsize(local) if way == "put" else 0
peer.sendall(f"{way} {name} {size}\\n".encode())
if way == "put":
    with open(local, "rb") as file:
        while data := file.read(1024):
            peer.send(data)
    if answer.readline() != b"done\\n": sys.exit("the server did not take the file")
else:
    left = int(answer.readline())
    with open(local, "wb") as file:
        while left > 0:
            data = peer.recv(1024)
            if not data: sys.exit("the server ended too early")
            file.write(data)
            file.flush()
            left -= len(data)
`;

/**
 * Starts the server.
 *
 * @param stack Ends it.
 * @param folder A folder of the bench; uploads go to `tutorial/` in it.
 * @returns The contender, or why there is none.
 */
export async function startTutorial(
  stack: AsyncDisposableStack,
  folder: string,
): Promise<Contender[] | string> {
  const python = await findProgram("python3");
  if (python === undefined) return "the tutorials' server: python3 is not installed";
  const home = `${folder}/tutorial`;
  await Deno.mkdir(home);
  const daemon = stack.use(new Daemon({ argv: [python, "-c", SERVER, home] }));
  const port = (await daemon.until(/port (\d+)/))[1] ?? "";
  return [{
    name: "tutorials",
    syncs: false,
    daemon,
    folder: home,
    command(direction, local, file) {
      const way = direction === "up" ? "put" : "get";
      const path = direction === "nowhere" ? "/dev/null" : local;
      return { argv: [python, "-c", CLIENT, port, way, path, file] };
    },
    tree: () => undefined,
  }];
}
