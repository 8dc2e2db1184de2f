import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { createCertificate, readCertificate } from "../../lib/link/certificate.ts";
import { formatFingerprint } from "../../lib/link/fingerprint.ts";
import { TcpProxy } from "./tcp_proxy.ts";
import {
  FROM_SOURCE,
  PASSWORD,
  Person,
  type ServerProcess,
  sha256Of,
  until,
  World,
  writeNoise,
} from "./testing.ts";

const LARGE_BYTES = 16 * 1024 ** 2;

/** Whoever types `trivetd` beside the server: the same helper with the other program. */
async function administrator(world: World): Promise<Person> {
  const home = join(world.folder, "people", "root");
  await Deno.mkdir(home, { recursive: true });
  const programs = { ...FROM_SOURCE, trivet: FROM_SOURCE.trivetd };
  return new Person(programs, home, { TRIVETD_DATA: world.data });
}

interface SetUp {
  readonly world: World;
  readonly server: ServerProcess;
  readonly admin: Person;
  readonly ann: Person;
}

/** A server, with options of its own, its administrator, and somebody who has no account yet. */
async function setUp(stack: AsyncDisposableStack, options: readonly string[]): Promise<SetUp> {
  const world = stack.use(await World.create());
  const server = await world.serve(options);
  return {
    world,
    server,
    admin: await administrator(world),
    ann: await world.person("ann", server),
  };
}

/** Makes a key and gives it to somebody; the file's path. */
async function giveKey(
  { admin, ann }: Pick<SetUp, "admin" | "ann">,
  name: string,
  options: readonly string[] = [],
): Promise<string> {
  const text = await admin.ok(["--quiet", "key", "add", name, ...options]);
  const file = ann.path(`${name}.key`);
  await Deno.writeTextFile(file, text, { mode: 0o600 });
  return file;
}

/** How a command fails: its exit code and the error's code. */
async function failure(
  person: Person,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<[number, string]> {
  const { code, stderr } = await person.run(["--json", ...args], {
    stdin: `${PASSWORD}\n`,
    env,
  });
  return [code, JSON.parse(stderr.trim().split("\n").at(-1) ?? "{}").error?.code];
}

Deno.test("serve --require-key admits nobody without a key, and everything works with one", async () => {
  await using stack = new AsyncDisposableStack();
  const set = await setUp(stack, ["--require-key"]);
  const { admin, server, world } = set;
  let passed = 0;
  await using proxy = new TcpProxy(server.port, (bytes) => passed += bytes.length);
  const { fingerprint } = server;
  const ann = await world.person("proxied", { address: proxy.address, fingerprint });
  const register = ["register", "ann", "--password-stdin"];
  assertEquals(await failure(ann, register), [4, "KEY_REQUIRED"]);
  const file = await giveKey({ admin, ann }, "laptop");
  const key = (await Deno.readTextFile(file)).trim();
  assertEquals(key.length, 64);

  const stdin = `${PASSWORD}\n`;
  const env = { TRIVET_KEY_FILE: file };
  await ann.ok([...register, "--key-file", file], { stdin });
  await ann.ok(["login", "ann", "--password-stdin"], { stdin, env });
  // Large enough for a direct connection, which needs the key as well.
  writeNoise(ann.path("a.bin"), LARGE_BYTES);
  await ann.ok(["put", "a.bin"], { env });
  await ann.ok(["get", "a.bin", "b.bin"], { env });
  assertEquals(await sha256Of(ann.path("b.bin")), await sha256Of(ann.path("a.bin")));
  assertLess(passed, LARGE_BYTES / 16);
  assertEquals(await failure(ann, ["ls"]), [4, "KEY_REQUIRED"]);

  // A key alone logs nobody in.
  const bob = await set.world.person("bob", set.server);
  assertEquals(await failure(bob, ["ls", "--key-file", file]), [4, "AUTH_REQUIRED"]);
  const { keys } = await admin.json(["key", "list"]);
  assertEquals([keys.length, keys[0].name, keys[0].services], [1, "laptop", null]);
  assert(keys[0].last_used_ms > 0);
  await ann.ok(["logout"], { env });

  const audit = await Deno.readTextFile(join(set.world.data, "log", "audit.jsonl"));
  const lines = audit.trim().split("\n").map((line) => JSON.parse(line));
  const of = (method: string) => lines.find((line) => line.method === method);
  assertEquals([of("auth.key").key, of("auth.key").result], [keys[0].id, "OK"]);
  assertEquals(of("auth.password").key, keys[0].id);
  assertEquals(audit.includes(key.slice(16)), false);
  const { stderr } = await set.server.stop();
  assertStringIncludes(stderr, `Accepted key of ${keys[0].id}`);
  assertEquals(stderr.includes(key.slice(16)), false);
  const database = await Deno.readFile(join(set.world.data, "trivet.db"));
  const secret = Uint8Array.fromBase64(key.slice(4), { alphabet: "base64url" }).slice(9, 41);
  for (const needle of [secret.toHex(), key]) {
    assertEquals(new TextDecoder("latin1").decode(database).includes(needle), false);
  }
});

Deno.test("wrong, ended, revoked and foreign keys are refused, and so are open files", async () => {
  await using stack = new AsyncDisposableStack();
  const set = await setUp(stack, ["--require-key", "--registration", "open"]);
  const { admin, ann } = set;
  const good = await giveKey(set, "good");
  await ann.ok(["register", "ann", "--password-stdin", "--key-file", good], {
    stdin: `${PASSWORD}\n`,
  });
  const login = ["login", "ann", "--password-stdin", "--key-file"];
  const exec = await giveKey(set, "deploy", ["--services", "exec"]);
  assertEquals(await failure(ann, [...login, exec]), [6, "KEY_NOT_PROVEN"]);
  const short = await giveKey(set, "short", ["--expires", "1s"]);
  const { keys } = await admin.json(["key", "list"]);
  const endsMs = keys.find(({ name }: { name: string }) => name === "short").expires_ms;
  await until(() => Date.now() > endsMs, "the key to end");
  assertEquals(await failure(ann, [...login, short]), [6, "KEY_NOT_PROVEN"]);

  const other = await setUp(stack, []);
  const foreign = await giveKey({ admin: other.admin, ann }, "foreign");
  assertEquals(await failure(ann, [...login, foreign]), [6, "KEY_NOT_PROVEN"]);
  // It is used when it is given, also where nobody asks for it.
  const eve = await other.world.person("eve", other.server);
  assertEquals(await failure(eve, [...login, good]), [6, "KEY_NOT_PROVEN"]);

  await Deno.chmod(good, 0o640);
  assertEquals(await failure(ann, [...login, good]), [4, "LOCAL_DENIED"]);
  await Deno.chmod(good, 0o600);
  assertEquals(await failure(ann, [...login, ann.path("none")]), [3, "LOCAL_NOT_FOUND"]);
  const damaged = ann.path("damaged.key");
  await Deno.writeTextFile(damaged, "tvk_nothing", { mode: 0o600 });
  assertEquals(await failure(ann, [...login, damaged]), [4, "KEY_INVALID"]);

  await ann.ok([...login, good], { stdin: `${PASSWORD}\n` });
  await admin.ok(["key", "revoke", "good"]);
  assertEquals(await failure(ann, ["ls", "--key-file", good]), [6, "KEY_NOT_PROVEN"]);
});

Deno.test("revoking a key closes the connections that it admitted", async () => {
  await using stack = new AsyncDisposableStack();
  const set = await setUp(stack, ["--require-key"]);
  const { admin, ann, world } = set;
  const file = await giveKey(set, "laptop");
  const env = { TRIVET_KEY_FILE: file };
  const stdin = `${PASSWORD}\n`;
  await ann.ok(["register", "ann", "--password-stdin"], { stdin, env });
  await ann.ok(["login", "ann", "--password-stdin"], { stdin, env });
  writeNoise(ann.path("large"), LARGE_BYTES);
  const upload = ann.spawn(["--json", "put", "large", "--limit-rate", "64K"], { env });
  const parts = join(world.data, "parts");
  await until(() => [...Deno.readDirSync(parts)].length > 0, "the upload to begin");
  await admin.ok(["key", "revoke", "laptop"]);
  const { code, stderr } = await upload.output();
  assertEquals(code === 4 || code === 6, true, new TextDecoder().decode(stderr));
  assertStringIncludes(new TextDecoder().decode(stderr), "KEY_");
});

// It would take: a transcript without the certificate, or a side that takes another's word for it.
Deno.test("somebody between with a certificate of their own gets no proof", async () => {
  await using stack = new AsyncDisposableStack();
  const set = await setUp(stack, ["--require-key"]);
  const file = await giveKey(set, "laptop");
  const trueCert = await Deno.readTextFile(join(set.world.data, "keys", "cert.pem"));
  const [hostname = ""] = (await readCertificate(trueCert)).names;
  const { certPem, keyPem } = await createCertificate({ serverId: "0123456789abcdef" });
  const { sha256 } = await readCertificate(certPem);
  const listener = Deno.listenTls({
    ...{ hostname: "127.0.0.1", port: 0, cert: certPem, key: keyPem },
  });
  const said: string[] = [];
  const pump = async (from: Deno.Conn, to: Deno.Conn, log: string[]) => {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
        log.push(new TextDecoder("latin1").decode(buffer.subarray(0, count)));
        await to.write(buffer.slice(0, count));
      }
    } catch {
      // One side has gone; so goes the other.
    }
    for (const conn of [from, to]) {
      try {
        conn.close();
      } catch {
        // The pump of the other direction was faster.
      }
    }
  };
  const pumps: Promise<void>[] = [];
  const serving = (async () => {
    for await (const client of listener) {
      const tcp = await Deno.connect({ hostname: "127.0.0.1", port: set.server.port });
      const server = await Deno.startTls(tcp, { hostname, caCerts: [trueCert] });
      pumps.push(pump(client, server, said), pump(server, client, []));
    }
  })();
  // Whoever stands between was taken for the server at the first contact.
  const deceived = await set.world.person("deceived", {
    address: `127.0.0.1:${listener.addr.port}`,
    fingerprint: formatFingerprint(sha256),
  });
  const register = ["register", "ann", "--password-stdin", "--key-file", file];
  assertEquals(await failure(deceived, register), [6, "KEY_NOT_PROVEN"]);
  listener.close();
  await serving;
  await Promise.all(pumps);
  const words = said.join("");
  assertStringIncludes(words, '"step":"machine-key"');
  assertEquals(words.includes("machine-key-proof") || words.includes("register"), false);
  // The same way without a certificate in between.
  await using proxy = new TcpProxy(set.server.port, () => {});
  const { fingerprint } = set.server;
  const ann = await set.world.person("proxied", { address: proxy.address, fingerprint });
  await ann.ok(register, { stdin: `${PASSWORD}\n` });
});

Deno.test("a fake server that does not know the key learns nothing but the key's id", async () => {
  await using stack = new AsyncDisposableStack();
  const set = await setUp(stack, ["--require-key", "--plain"]);
  const file = await giveKey(set, "laptop");
  // It stands between: what the client says goes to the true server, and its answers come back, but
  // each proof of the server is changed.
  const said: string[] = [];
  const listener = stack.use(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const serving = (async () => {
    for await (const client of listener) {
      using conn = client;
      using server = await Deno.connect({ hostname: "127.0.0.1", port: set.server.port });
      const buffer = new Uint8Array(64 * 1024);
      const relay = async (from: Deno.Conn, to: Deno.Conn, change: (text: string) => string) => {
        const count = await from.read(buffer);
        if (count === null) return false;
        const text = change(new TextDecoder("latin1").decode(buffer.subarray(0, count)));
        await to.write(Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
        return true;
      };
      const listen = (text: string) => (said.push(text), text);
      const lie = (text: string) =>
        text.replace(/"proof":"(.)/, (_, first) => `"proof":"${first === "A" ? "B" : "A"}`);
      while (await relay(conn, server, listen) && await relay(server, conn, lie));
    }
  })();
  const fake = { address: `127.0.0.1:${listener.addr.port}`, fingerprint: null };
  const ann = await set.world.person("eve", fake);
  const register = ["register", "ann", "--password-stdin", "--key-file", file];
  assertEquals(await failure(ann, register), [6, "KEY_NOT_PROVEN"]);
  listener.close();
  await serving;
  assertEquals(said.length, 2);
  assertStringIncludes(said[0] ?? "", '"service":"netdisk"');
  assertStringIncludes(said[1] ?? "", '"step":"machine-key"');
  assertEquals(said.join("").includes("machine-key-proof"), false);
  assertEquals(said.join("").includes("register"), false);
});

Deno.test("an administrator makes, lists and revokes keys, each shown once", async () => {
  await using stack = new AsyncDisposableStack();
  const { admin, world } = await setUp(stack, []);
  const added = await admin.json(["key", "add", "ci", "--services", "netdisk,exec"]);
  assertEquals([added.name, added.services, added.expires_ms], ["ci", ["netdisk", "exec"], null]);
  assertEquals(/^tvk_[A-Za-z0-9_-]{60}$/.test(added.key), true);
  const text = await admin.ok(["key", "add", "backup", "--expires", "90d"]);
  assertEquals(/^tvk_[A-Za-z0-9_-]{60}\n$/.test(text), true);
  const listed = await admin.ok(["key", "list"]);
  assertStringIncludes(listed, "netdisk,exec");
  assertEquals(listed.includes("tvk_"), false);
  const { keys } = await admin.json(["key", "list"]);
  const days = (keys[0].expires_ms - keys[0].created_ms) / 86_400_000;
  assertEquals([keys[0].name, Math.round(days)], ["backup", 90]);

  assertEquals(await failure(admin, ["key", "add", "ci"]), [8, "KEY_EXISTS"]);
  for (const args of [["Ci"], ["0123456789abcdef01"], ["x", "--services", "nothing"]]) {
    assertEquals(await failure(admin, ["key", "add", ...args]), [2, "USAGE"]);
  }
  assertEquals(await failure(admin, ["key", "add", "x", "--expires", "999ms"]), [2, "USAGE"]);
  assertEquals(await failure(admin, ["key", "revoke", "none", "ci"]), [3, "KEY_NOT_FOUND"]);
  const { revoked } = await admin.json(["key", "revoke", keys[0].id]);
  assertEquals(revoked, [{ id: keys[0].id, name: "backup" }]);
  assertEquals(await admin.json(["key", "list"]), { keys: [] });

  const both = await new Person({ ...FROM_SOURCE, trivet: FROM_SOURCE.trivetd }, world.folder)
    .run(["serve", "--require-key", "--classic", "0", "--data", world.folder]);
  assertEquals(both.code, 2);
});
