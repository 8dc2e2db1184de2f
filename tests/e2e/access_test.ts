import { assert, assertEquals, assertMatch } from "@std/assert";
import { PASSWORD, Person, World } from "./testing.ts";

const NEW_PASSWORD = "staple battery horse correct";

/** Somebody who runs `trivetd` on the data of a world. */
function administrator(world: World): Person {
  const { trivetd } = world.programs;
  return new Person({ trivet: trivetd, trivetd }, world.folder, { TRIVETD_DATA: world.data });
}

Deno.test("passwd wants the old password, ends other sessions and keeps this one", async () => {
  await using world = await World.create();
  const server = await world.serve();
  const ada = await world.person("ada", server);
  const elsewhere = await world.person("elsewhere", server);
  await ada.register("ada");
  await elsewhere.ok(["login", "ada", "--password-stdin"], { stdin: PASSWORD });
  const { token } = await ada.json(["token", "create", "--label", "robot"]);

  const passwd = ["passwd", "--password-stdin"];
  const wrong = await ada.run(passwd, { stdin: `${NEW_PASSWORD}\n${NEW_PASSWORD}\n` });
  assertEquals(wrong.code, 4, wrong.stderr);
  assertEquals((await ada.run(passwd, { stdin: `${PASSWORD}\nshort\n` })).code, 2);
  const half = await ada.run(passwd, { stdin: `${PASSWORD}\n` });
  assertEquals(half.code, 2);
  assertMatch(half.stderr, /second line/);
  await elsewhere.ok(["whoami"]);

  const changed = await ada.json(passwd, { stdin: `${PASSWORD}\n${NEW_PASSWORD}\n` });
  assertEquals([changed.user, changed.sessions_ended], ["ada", 1]);
  await ada.ok(["whoami"]);
  assertMatch((await elsewhere.run(["whoami"])).stderr, /ended or was revoked/);
  assertEquals((await elsewhere.json(["whoami"], { env: { TRIVET_TOKEN: token } })).user, "ada");
  const login = ["login", "ada", "--password-stdin"];
  assertEquals((await elsewhere.run(login, { stdin: PASSWORD })).code, 4);
  await elsewhere.ok(login, { stdin: NEW_PASSWORD });
});

Deno.test("token makes a token that does what its scope and folder allow, until it is revoked", async () => {
  await using world = await World.create();
  const ada = await world.person("ada", await world.serve());
  await ada.register("ada");
  await ada.ok(["mkdir", "in"]);
  await ada.ok(["put", "-", "in/a"], { stdin: "a" });
  await ada.ok(["put", "-", "out"], { stdin: "o" });
  const options = ["--scope", "read", "--path", "/in", "--expires", "1h", "--label", "reader"];
  const made = (await ada.ok(["token", "create", ...options])).trim();
  assertMatch(made, /^tvt_[A-Za-z0-9_-]{48}$/);

  const env = { TRIVET_TOKEN: made };
  assertEquals(await ada.ok(["cat", "in/a"], { env }), "a");
  const refused = [["cat", "out"], ["rm", "in/a"], ["token", "list"], ["token", "create"]];
  for (const args of refused) assertEquals((await ada.run(args, { env })).code, 4, args.join(" "));

  const { tokens } = await ada.json(["token", "list"]);
  assertEquals(tokens.map((each: Record<string, unknown>) => [each.kind, each.current]), [
    ["session", true],
    ["api", false],
  ]);
  const [, { id, scope, path, label, created_ms, expires_ms }] = tokens;
  assertEquals([scope, path, label], ["read", "/in", "reader"]);
  assertEquals(expires_ms - created_ms <= 3_600_000 && expires_ms > created_ms, true);
  assert((await ada.ok(["token", "list"])).includes("this one"));

  assertEquals((await ada.run(["token", "revoke", id, "0123456789abcdef"])).code, 3);
  const byLabel = await ada.run(["token", "revoke", "reader"]);
  assertEquals([byLabel.code, byLabel.stderr], [
    3,
    'trivet: "reader" is no id of a token\n  List the tokens with trivet token list\n',
  ]);
  await ada.ok(["cat", "in/a"], { env });
  assertEquals(await ada.json(["token", "revoke", id]), { revoked: 1 });
  assertEquals((await ada.run(["cat", "in/a"], { env })).code, 4);
  assertEquals((await ada.run(["token", "create", "--expires", "0"])).code, 2);
});

Deno.test("an invite makes accounts where registration is closed, until it is used up", async () => {
  await using world = await World.create();
  const server = await world.serve(["--registration", "closed"]);
  const admin = administrator(world);
  const register = async (name: string, args: string[] = [], env: Record<string, string> = {}) => {
    const person = await world.person(name, server);
    const words = ["register", name, "--password-stdin", ...args];
    return await person.run(words, { stdin: PASSWORD, env });
  };
  assertMatch((await register("ada")).stderr, /does not take registrations/);

  const options = ["--quota", "5M", "--uses", "2", "--expires", "1h"];
  const code = (await admin.ok(["invite", "create", ...options])).trim();
  assertMatch(code, /^tvi_[A-Za-z0-9_-]{22}$/);
  assertEquals((await register("ada", ["--invite", code])).code, 0);
  const ada = await world.person("ada", server);
  await ada.ok(["login", "ada", "--password-stdin"], { stdin: PASSWORD });
  assertEquals((await ada.json(["df"])).quota_bytes, 5 * 1024 * 1024);
  assertEquals((await register("ada", ["--invite", code])).code, 8);
  const [left] = (await admin.json(["invite", "list"])).invites;
  assertEquals([left.uses, left.uses_left, left.quota_bytes], [2, 1, 5 * 1024 * 1024]);
  assert((await admin.ok(["invite", "list"])).includes("1 of 2 left"));
  assertEquals((await register("bob", [], { TRIVET_INVITE: code })).code, 0);

  const usedUp = await register("eve", ["--invite", code]);
  const { id, code: revoked } = await admin.json(["invite", "create"]);
  assertEquals(await admin.json(["invite", "revoke", id]), { revoked: 1 });
  const gone = await register("eve", ["--invite", revoked]);
  const unknown = await register("eve", ["--invite", "x"]);
  assertEquals([usedUp.code, gone.code, unknown.code], [4, 4, 4]);
  assertEquals([gone.stderr, unknown.stderr], [usedUp.stderr, usedUp.stderr]);
  assertEquals((await admin.run(["invite", "revoke", id])).code, 3);
});

for (const format of ["xlsx", "csv", "json"]) {
  Deno.test(`accounts go from one server to another as .${format}, with their passwords`, async () => {
    await using from = await World.create();
    const first = await from.serve();
    await (await from.person("ada", first)).register("ada");
    const file = `${from.folder}/accounts.${format}`;
    const exported = await administrator(from).json(["user", "export", file]);
    assertEquals([exported.format, exported.accounts], [format, 1]);
    if (Deno.build.os !== "windows") {
      assertEquals(((await Deno.stat(file)).mode ?? 0) & 0o777, 0o600);
    }

    await using to = await World.create();
    const second = await to.serve(["--registration", "closed"]);
    const admin = administrator(to);
    const counts = async (...options: string[]) => {
      const { imported, added, same } = await admin.json(["user", "import", file, ...options]);
      return [imported, added, same];
    };
    assertEquals(await counts("--dry-run"), [false, 1, 0]);
    assertEquals(await counts("--dry-run"), [false, 1, 0]);
    assertEquals(await counts(), [true, 1, 0]);
    assertEquals(await counts(), [true, 0, 1]);
    const ada = await to.person("ada", second);
    await ada.ok(["login", "ada", "--password-stdin"], { stdin: PASSWORD });
    await ada.ok(["put", "-", "a"], { stdin: "a" });
  });
}

Deno.test("user import changes nothing when one row is refused, and says which", async () => {
  await using world = await World.create();
  const server = await world.serve();
  await (await world.person("ada", server)).register("ada");
  const admin = administrator(world);
  const file = `${world.folder}/accounts.json`;
  await admin.ok(["user", "export", file]);
  const { users: [ada] } = JSON.parse(await Deno.readTextFile(file));
  const write = (users: unknown[]) => Deno.writeTextFile(file, JSON.stringify({ users }));
  const changed = { ...ada, quota_bytes: "1M" };
  await write([{ ...ada, name: "bob" }, changed]);
  for (const options of [["--dry-run"], []]) {
    const result = await admin.run(["--json", "user", "import", file, ...options]);
    assertEquals(result.code, 1);
    const { imported, refused, rows } = JSON.parse(result.stdout);
    assertEquals([imported, refused, rows[1].action], [false, 1, "refuse"]);
    assertMatch(rows[1].reason, /--update/);
  }
  assertMatch((await admin.run(["user", "import", file])).stdout, /2: refuse ada: /);
  await admin.ok(["user", "export", file]);
  assertEquals(JSON.parse(await Deno.readTextFile(file)).users, [ada]);
  await write([{ ...ada, name: "bob" }, changed]);
  const { added, changed: updated } = await admin.json(["user", "import", file, "--update"]);
  assertEquals([added, updated], [1, 1]);
  assertEquals((await admin.run(["user", "import", `${file}.txt`])).code, 2);
  assertEquals((await admin.run(["user", "import", `${world.folder}/none.csv`])).code, 3);
});
