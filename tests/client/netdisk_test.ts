import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { Connector } from "../../client/connector.ts";
import { NetdiskClient, type NetdiskClientOptions } from "../../client/netdisk.ts";
import { openSession, registerAccount } from "../../client/session.ts";
import { FileTrustStore, MemoryTrustStore } from "../../client/trust.ts";
import { TrivetError } from "../../lib/errors.ts";
import { parseAddress } from "../../lib/link/address.ts";
import { parseFingerprint } from "../../lib/link/fingerprint.ts";
import { makeAuthority, type TestAuthority } from "../lib/link/authority.ts";
import { noise, TestServer } from "../server/testing.ts";
import { namesIn, withFolder } from "./testing.ts";

const PASSWORD = "correct horse";

async function codeOf(work: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => work, TrivetError)).code;
}

function address(server: TestServer): string {
  return `127.0.0.1:${server.port}`;
}

async function withClient(
  test: (client: NetdiskClient, server: TestServer) => Promise<void>,
  options: Partial<NetdiskClientOptions> = {},
): Promise<void> {
  await using server = await TestServer.start();
  const token = await server.addUser("ann");
  await using client = await NetdiskClient.connect({
    server: address(server),
    plain: true,
    credentials: { token },
    ...options,
  });
  await test(client, server);
}

Deno.test("NetdiskClient.connect() registers, pins and logs in over TLS", async () => {
  await using server = await TestServer.start({ plain: false });
  const fingerprint = server.running.fingerprint;
  assert(fingerprint !== undefined);
  const trust = new MemoryTrustStore();
  const make = (options = {}) =>
    new Connector({ address: parseAddress(address(server)), trust, ...options });
  const ann = { user: "ann", password: PASSWORD };
  const other = { fingerprint: new Uint8Array(32) };

  assertEquals(await codeOf(registerAccount(make(), ann)), "PIN_UNKNOWN");
  assertEquals(await codeOf(registerAccount(make(other), ann)), "PIN_MISMATCH");
  assertEquals((await trust.lookup(address(server))).known, undefined);
  const pinned = { fingerprint: parseFingerprint(fingerprint) };
  assertEquals(await registerAccount(make(pinned), ann), "ann");
  assertEquals((await trust.lookup(address(server))).known?.trust, "pinned");
  assertEquals(await codeOf(registerAccount(make(), ann)), "USER_EXISTS");

  const wrong = { user: "ann", password: "wrong horse" };
  assertEquals(await codeOf(openSession(make(), wrong)), "AUTH_FAILED");
  const session = await openSession(make(), ann);
  await session.rpc.close();
  assert(session.token !== undefined && (session.tokenExpiresMs ?? 0) > Date.now());
  const again = await openSession(make(), { token: session.token });
  assertEquals([again.user, again.scope, again.token], ["ann", "full", undefined]);
  await again.rpc.close();
});

Deno.test("openSession() logs in by password after an issuer renewed the certificate", async () => {
  await withFolder(async (folder) => {
    const tls = { certFile: join(folder, "cert.pem"), keyFile: join(folder, "key.pem") };
    const install = async (issued: TestAuthority) => {
      await Deno.writeTextFile(tls.certFile, issued.chainPem);
      await Deno.writeTextFile(tls.keyFile, issued.keyPem, { mode: 0o600 });
    };
    const data = join(folder, "data");
    const first = await makeAuthority("IP:127.0.0.1");
    await install(first);
    const before = await TestServer.start({ plain: false, tls, data });
    const { port } = before;
    const trust = new MemoryTrustStore();
    const connector = new Connector({
      address: parseAddress(`127.0.0.1:${port}`),
      trust,
      confirm: () => Promise.resolve(true),
    });
    const ann = { user: "ann", password: PASSWORD };
    await registerAccount(connector, ann);
    await (await openSession(connector, ann)).rpc.close();
    await before.stop();
    await install(await makeAuthority("IP:127.0.0.1", first));
    await using _after = await TestServer.start({ plain: false, tls, data, port });
    const session = await openSession(connector, ann);
    assertEquals(session.user, "ann");
    await session.rpc.close();
  });
});

Deno.test("NetdiskClient.close() revokes the token that a password login made", async () => {
  await using server = await TestServer.start();
  const connector = new Connector({
    address: parseAddress(address(server)),
    plain: true,
    trust: new MemoryTrustStore(),
  });
  await registerAccount(connector, { user: "ann", password: PASSWORD });
  {
    await using client = await NetdiskClient.connect({
      server: address(server),
      plain: true,
      credentials: { user: "ann", password: PASSWORD },
    });
    // A second connection logs in by the token, without another key derivation.
    const content = noise(100_000);
    await Deno.writeFile(join(server.data, "local"), content);
    const putting = client.put(join(server.data, "local"), "/f");
    assertEquals((await client.whoami()).user, "ann");
    await putting;
  }
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(join(server.data, "trivet.db"), { readOnly: true });
  try {
    assertEquals(database.prepare("SELECT count(*) AS n FROM tokens").get(), { n: 0 });
  } finally {
    database.close();
  }
});

Deno.test("Connector replaces a pin only where it is told to", async () => {
  await withFolder(async (folder) => {
    const trust = new FileTrustStore(join(folder, "known_servers"));
    await using first = await TestServer.start({ plain: false });
    const { port } = first;
    const name = parseAddress(address(first));
    const print = (server: TestServer) => parseFingerprint(server.running.fingerprint ?? "");
    const fingerprint = print(first);
    (await new Connector({ address: name, trust, fingerprint }).open()).link.close();
    const before = await Deno.readTextFile(join(folder, "known_servers"));
    await first.stop();

    await using second = await TestServer.start({ plain: false, port });
    assertEquals(await codeOf(new Connector({ address: name, trust }).open()), "PIN_MISMATCH");
    const options = { address: name, trust, fingerprint: print(second) };
    (await new Connector(options).open()).link.close();
    assertEquals(await Deno.readTextFile(join(folder, "known_servers")), before);
    (await new Connector({ ...options, replacesPin: true }).open()).link.close();
    (await new Connector({ address: name, trust }).open()).link.close();
  });
});

Deno.test("NetdiskClient.connect() gives up with its signal", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = silent.accept();
  const connecting = NetdiskClient.connect({
    server: `127.0.0.1:${silent.addr.port}`,
    plain: true,
    credentials: { token: "x" },
    signal: AbortSignal.timeout(50),
  });
  assertEquals(await codeOf(connecting), "INTERRUPTED");
  (await accepted).close();
});

Deno.test("NetdiskClient lists many pages, makes folders and tells of entries", async () => {
  await withClient(async (client, server) => {
    assertEquals(await client.mkdir("a/b/c", { parents: true }), true);
    assertEquals(await client.mkdir("a/b/c", { parents: true }), false);
    assertEquals(await codeOf(client.mkdir("a/b/c")), "EXISTS");
    assertEquals(await codeOf(client.mkdir("x/y")), "NOT_FOUND");
    const names = Array.from({ length: 2500 }, (_, at) => `f${String(at).padStart(4, "0")}`);
    for (const name of names) Deno.writeTextFileSync(server.home("ann", "a", name), "");
    const listed: string[] = [];
    for await (const entry of client.list("/a")) listed.push(entry.name);
    assertEquals(listed, ["b", ...names]);
    assertEquals((await client.stat("a/b")).type, "folder");
    assertEquals(await codeOf(client.stat("a/../b")), "PATH_DOT");
    assertEquals(await codeOf(client.list("nothing").next()), "NOT_FOUND");
  });
});

Deno.test("NetdiskClient.put() and get() find folders by themselves", async () => {
  await withFolder(async (folder) => {
    await withClient(async (client, server) => {
      const local = join(folder, "small.txt");
      const large = join(folder, "large.bin");
      await Deno.writeTextFile(local, "hello");
      await Deno.writeFile(large, noise(1_500_000));
      await client.mkdir("a");
      for (const file of [local, large]) {
        const name = file === local ? "small.txt" : "large.bin";
        for (
          const [path, stored] of [["/", [name]], ["a", ["a", name]], ["a/", ["a", name]]] as const
        ) {
          assertEquals((await client.put(file, path)).stored.path, [...stored]);
        }
        const content = await Deno.readFile(file);
        assertEquals(await Deno.readFile(server.home("ann", "a", name)), content);
        await Deno.mkdir(join(folder, "to"), { recursive: true });
        const got = await client.get(`a/${name}`, join(folder, "to"));
        assertEquals(got.path, join(folder, "to", name));
        assertEquals(await Deno.readFile(got.path), content);
      }
      assertEquals(await codeOf(client.put(folder, "/")), "IS_FOLDER");
      assertEquals(await codeOf(client.put(join(folder, "absent"), "/")), "LOCAL_NOT_FOUND");
      assertEquals(await codeOf(client.get("/")), "IS_FOLDER");
      assertEquals(await codeOf(client.get("a", join(folder, "x"))), "IS_FOLDER");
      assertEquals(namesIn(folder), ["large.bin", "small.txt", "to"]);
    });
  });
});

Deno.test("NetdiskClient moves no faster than its limit", async () => {
  await withFolder(async (folder) => {
    await withClient(async (client) => {
      const local = join(folder, "f");
      await Deno.writeFile(local, noise(600_000));
      for (const move of [() => client.put(local, "f"), () => client.get("f", join(folder, "g"))]) {
        const startedMs = performance.now();
        await move();
        // 600 000 bytes at a million a second, of which a quarter of a second may go at once.
        assertEquals(performance.now() - startedMs > 300, true);
      }
    }, { limitRate: 1_000_000 });
  });
});
