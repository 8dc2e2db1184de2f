import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { UNIX_PATH_MAX_BYTES } from "../../../lib/link/address.ts";
import { createCertificate } from "../../../lib/link/certificate.ts";
import { isTlsRecord } from "../../../lib/link/connect.ts";
import type { AcceptedConn } from "../../../lib/link/link.ts";
import {
  ACCEPT_PAUSE_MAX_MS,
  ACCEPT_PAUSE_MIN_MS,
  listen,
  listenAll,
  Listener,
} from "../../../lib/link/listen.ts";
import { makeAuthority } from "./authority.ts";

const windows = Deno.build.os === "windows";
const { certPem: cert, keyPem: key } = await createCertificate({ serverId: "test" });
const HELLO = new Uint8Array([0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 123, 125]);

function portOf(listener: Listener): number {
  assert(listener.address.transport === "tcp");
  return listener.address.port;
}

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("listen() takes any free port for 0 and says which", async () => {
  using listener = await listen({ port: 0, plain: true });
  const [client, server] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: portOf(listener) }),
    listener.accept(),
  ]);
  assert(server !== null);
  await client.write(HELLO);
  const buffer = new Uint8Array(64);
  assertEquals(await server.read(buffer), HELLO.length);
  client.close();
  server.close();
});

Deno.test("Listener ends its iteration and accept() gives null after close()", async () => {
  const listener = await listen({ port: 0, plain: true });
  const pending = listener.accept();
  const iterated = Array.fromAsync(listener);
  listener.close();
  listener.close();
  assertEquals(await pending, null);
  assertEquals(await iterated, []);
  assertEquals(await listener.accept(), null);
});

Deno.test("listen() refuses plain TCP off loopback", async () => {
  for (const host of ["0.0.0.0", "::", "192.0.2.1", "disk.example.org"]) {
    const error = await assertRejects(() => listen({ host, port: 0, plain: true }), TrivetError);
    assertEquals(error.code, "USAGE");
    assertStringIncludes(error.message, host);
  }
});

Deno.test("listen() says when the port is in use", async () => {
  using listener = await listen({ port: 0, plain: true });
  const port = portOf(listener);
  for (const options of [{ port, plain: true }, { port, cert, key }]) {
    const error = await assertRejects(() => listen(options), TrivetError, `127.0.0.1:${port}`);
    assertEquals(error.code, "ADDRESS_IN_USE");
  }
});

Deno.test("listen() says when this machine lacks the address", async () => {
  const error = await assertRejects(
    () => listen({ host: "192.0.2.1", port: 0, cert, key }),
    TrivetError,
    "does not have that address",
  );
  assertEquals(error.code, "USAGE");
});

Deno.test("listen() refuses certificates that no client would take", async () => {
  const other = await createCertificate({ serverId: "other" });
  const { authorityPem, authorityKeyPem } = await makeAuthority("DNS:disk.example.org");
  const cases = [
    { cert: authorityPem, key: authorityKeyPem, reason: "CA:TRUE" },
    { cert: "nothing", key, reason: "holds none" },
    { cert, key: other.keyPem, reason: "KeyMismatch" },
  ];
  for (const { reason, ...pair } of cases) {
    const error = await assertRejects(() => listen({ port: 0, ...pair }), TrivetError, reason);
    assertEquals(error.code, "USAGE");
  }
  await assertRejects(() => listen({ port: 0, cert }), TypeError, "cert and key");
});

Deno.test("Listener serves TLS clients while others send garbage or nothing", async () => {
  using listener = await listen({ port: 0, cert, key });
  const port = portOf(listener);
  const echo = (async () => {
    const outcomes: Promise<string>[] = [];
    for await (const conn of listener) outcomes.push(echoOnce(conn));
    return await Promise.all(outcomes);
  })();

  const silent = await Deno.connect({ hostname: "127.0.0.1", port });
  const garbage = await Deno.connect({ hostname: "127.0.0.1", port });
  await garbage.write(HELLO);
  const answer = new Uint8Array(64);
  const length = await garbage.read(answer) ?? 0;
  assert(isTlsRecord(answer.subarray(0, length)), "TLS answers a plain client with an alert");

  const tcp = await Deno.connect({ hostname: "127.0.0.1", port });
  const tls = await Deno.startTls(tcp, { hostname: "test.trivet.internal", caCerts: [cert] });
  await tls.write(HELLO);
  assertEquals(await tls.read(new Uint8Array(64)), HELLO.length);
  for (const conn of [tls, garbage, silent]) conn.close();
  listener.close();
  assertEquals((await echo).toSorted(), ["TrivetError", "UnexpectedEof", "echoed"]);
});

async function echoOnce(conn: AcceptedConn): Promise<string> {
  const buffer = new Uint8Array(64);
  try {
    const length = await conn.read(buffer) ?? 0;
    await conn.write(buffer.subarray(0, length));
    return "echoed";
  } catch (error) {
    assertInstanceOf(error, Error);
    return error.name;
  } finally {
    conn.close();
  }
}

Deno.test("listenAll() gives all hosts the port of the first", async () => {
  const listeners = await listenAll(["127.0.0.1", "::1"], { port: 0, cert, key });
  try {
    assertEquals(listeners.length, 2);
    assertEquals(new Set(listeners.map(portOf)).size, 1);
    for (const listener of listeners) {
      assert(listener.address.transport === "tcp");
      const { host: hostname, port } = listener.address;
      const [client, server] = await Promise.all([
        Deno.connect({ hostname, port }),
        listener.accept(),
      ]);
      client.close();
      server?.close();
    }
  } finally {
    for (const listener of listeners) listener.close();
  }
});

Deno.test("listenAll() takes both wildcards, in any order, and IPv4 is served", async () => {
  for (const hosts of [["0.0.0.0", "::"], ["::", "0.0.0.0"]]) {
    const listeners = await listenAll(hosts, { port: 0, cert, key });
    const [first] = listeners;
    assert(first !== undefined);
    const client = await Deno.connect({ hostname: "127.0.0.1", port: portOf(first) });
    const accepted = listeners.map((listener) => listener.accept());
    const server = await Promise.race(accepted);
    assert(server !== null);
    client.close();
    server.close();
    for (const listener of listeners) listener.close();
    await Promise.all(accepted);
  }
});

Deno.test("listenAll() leaves nothing open when one host fails", async () => {
  using taken = await listen({ host: "127.0.0.1", port: 0, plain: true });
  const port = portOf(taken);
  const error = await assertRejects(
    () => listenAll(["::1", "127.0.0.1"], { port, cert, key }),
    TrivetError,
  );
  assertEquals(error.code, "ADDRESS_IN_USE");
  using again = await listen({ host: "::1", port, cert, key });
  assertEquals(portOf(again), port);
});

Deno.test("Listener.accept() pauses longer and longer, and goes on", async () => {
  const failures = 12;
  let calls = 0;
  const conn = { close: () => {} } as Deno.Conn;
  const acceptor = {
    accept: () => {
      calls++;
      const fails = calls <= failures || calls === failures + 2;
      return fails ? Promise.reject(new Error("Too many open files")) : Promise.resolve(conn);
    },
    close: () => {},
  };
  const pauses: number[] = [];
  const told: number[] = [];
  const address = { transport: "tcp", host: "127.0.0.1", port: 9000 } as const;
  const listener = new Listener(address, acceptor, {
    pause: (pauseMs) => Promise.resolve(void pauses.push(pauseMs)),
    onPause: (_error, pauseMs) => told.push(pauseMs),
  });
  assertEquals(await listener.accept(), conn);
  assertEquals(pauses, [5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000, 1000]);
  assertEquals(pauses.at(0), ACCEPT_PAUSE_MIN_MS);
  assertEquals(pauses.at(-1), ACCEPT_PAUSE_MAX_MS);
  assertEquals(await listener.accept(), conn);
  assertEquals(pauses.slice(failures), [ACCEPT_PAUSE_MIN_MS]);
  assertEquals(told, pauses);
  listener.close();
});

Deno.test("Listener.close() ends a pause", async () => {
  const paused = Promise.withResolvers<void>();
  const acceptor = { accept: () => Promise.reject(new Error("no")), close: () => {} };
  const address = { transport: "tcp", host: "127.0.0.1", port: 9000 } as const;
  const listener = new Listener(address, acceptor, {
    onPause: (_error, pauseMs) => pauseMs === ACCEPT_PAUSE_MAX_MS / 1000 * 40 && paused.resolve(),
  });
  const pending = listener.accept();
  await paused.promise;
  listener.close();
  assertEquals(await pending, null);
});

Deno.test({
  name: "listen() makes a private Unix socket and removes it at the end",
  ignore: windows,
  fn: () =>
    withFolder(async (folder) => {
      const unixPath = `${folder}/trivetd.sock`;
      const listener = await listen({ unixPath });
      assertEquals(listener.address, { transport: "unix", path: unixPath });
      assertEquals((Deno.lstatSync(unixPath).mode ?? 0) & 0o777, 0o600);
      assertEquals([...Deno.readDirSync(folder)].length, 1);
      const [client, server] = await Promise.all([
        Deno.connect({ transport: "unix", path: unixPath }),
        listener.accept(),
      ]);
      client.close();
      server?.close();
      listener.close();
      assertEquals([...Deno.readDirSync(folder)], []);
    }),
});

Deno.test({
  name: "listen() replaces a Unix socket only when nobody answers on it",
  ignore: windows,
  fn: () =>
    withFolder(async (folder) => {
      const unixPath = `${folder}/s`;
      // Deno removes the file that it made; one that was moved stays, as after a crash.
      const dead = Deno.listen({ transport: "unix", path: `${folder}/dead` });
      Deno.renameSync(`${folder}/dead`, unixPath);
      dead.close();
      assertEquals(Deno.lstatSync(unixPath).isSocket, true);
      using listener = await listen({ unixPath });
      const error = await assertRejects(() => listen({ unixPath }), TrivetError, "answers there");
      assertEquals(error.code, "ADDRESS_IN_USE");
      (await listener.accept())?.close();
      assertEquals([...Deno.readDirSync(folder)].length, 1);
    }),
});

Deno.test({
  name: "Listener.close() leaves the socket of a newer server alone",
  ignore: windows,
  fn: () =>
    withFolder(async (folder) => {
      const unixPath = `${folder}/s`;
      const older = await listen({ unixPath });
      Deno.removeSync(unixPath);
      using newer = await listen({ unixPath });
      older.close();
      const client = await Deno.connect({ transport: "unix", path: unixPath });
      (await newer.accept())?.close();
      client.close();
    }),
});

Deno.test({
  name: "listen() never replaces what is not a socket, and limits the path",
  ignore: windows,
  fn: () =>
    withFolder(async (folder) => {
      const unixPath = `${folder}/file`;
      await Deno.writeTextFile(unixPath, "mine");
      const error = await assertRejects(() => listen({ unixPath }), TrivetError, "not a socket");
      assertEquals(error.code, "USAGE");
      assertEquals(await Deno.readTextFile(unixPath), "mine");
      await assertRejects(() => listen({ unixPath: `${folder}/no/s` }), TrivetError, "no folder");

      const deep = `${folder}/${"d".repeat(UNIX_PATH_MAX_BYTES - folder.length - 3)}`;
      await Deno.mkdir(deep);
      (await listen({ unixPath: `${deep}/s` })).close();
      await assertRejects(
        () => listen({ unixPath: `${deep}/ss` }),
        TrivetError,
        `${UNIX_PATH_MAX_BYTES}`,
      );
    }),
});
