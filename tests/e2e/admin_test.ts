import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import {
  FROM_SOURCE,
  PASSWORD,
  Person,
  type ServerProcess,
  until,
  World,
  writeNoise,
} from "./testing.ts";

/** At 64 KiB a second it takes longer than any of these tests. */
const UPLOAD_BYTES = 8 * 1024 ** 2;

const OTHER_PASSWORD = "another battery, another staple";

/** Whoever types `trivetd` beside the server: the same helper with the other program. */
async function administrator(world: World): Promise<Person> {
  const home = join(world.folder, "people", "root");
  await Deno.mkdir(home, { recursive: true });
  const programs = { ...FROM_SOURCE, trivet: FROM_SOURCE.trivetd };
  return new Person(programs, home, { TRIVETD_DATA: world.data });
}

/** A server that takes no registrations, its administrator, and somebody with an account. */
async function setUp(
  stack: AsyncDisposableStack,
): Promise<{ world: World; server: ServerProcess; admin: Person; ann: Person }> {
  const world = stack.use(await World.create());
  const server = await world.serve(["--registration", "closed"]);
  const admin = await administrator(world);
  const ann = await world.person("ann", server);
  const add = ["user", "add", "ann", "--quota", "16M", "--password-stdin"];
  const added = await admin.json(add, { stdin: `${PASSWORD}\n` });
  assertEquals([added.name, added.quota_bytes], ["ann", 16 * 1024 ** 2]);
  await login(ann);
  return { world, server, admin, ann };
}

async function login(person: Person, password = PASSWORD): Promise<void> {
  await person.ok(["login", "ann", "--password-stdin"], { stdin: `${password}\n` });
}

/** A command of somebody whose connection stays open until the server ends it. */
async function openConnection(world: World, person: Person): Promise<Deno.ChildProcess> {
  writeNoise(person.path("large"), UPLOAD_BYTES);
  const process = person.spawn(["put", "large", "--limit-rate", "64K"]);
  const parts = join(world.data, "parts");
  await until(() => [...Deno.readDirSync(parts)].length > 0, "the upload to begin");
  return process;
}

/** How a command ends whose connection the server has closed. */
async function endOf(process: Deno.ChildProcess): Promise<{ code: number; stderr: string }> {
  const { code, stderr } = await process.output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

Deno.test("an administrator adds people and changes their quota beside the server", async () => {
  await using stack = new AsyncDisposableStack();
  const { admin, ann } = await setUp(stack);
  const text = "x".repeat(700_000);
  await admin.ok(["user", "quota", "ann", "--bytes", "1M"]);
  await ann.ok(["put", "-", "a"], { stdin: text });
  assertEquals((await ann.run(["put", "-", "b"], { stdin: text })).code, 7);
  await admin.ok(["user", "quota", "ann", "--bytes", "2M"]);
  await ann.ok(["put", "-", "b"], { stdin: text });
  assertEquals((await ann.json(["df"])).quota_bytes, 2 * 1024 ** 2);

  assertEquals((await ann.json(["df"])).quota_files, undefined);
  await admin.ok(["user", "quota", "ann", "--files", "2"]);
  const full = await ann.run(["--json", "put", "-", "c"], { stdin: "c" });
  assertEquals(full.code, 7);
  const { details } = JSON.parse(full.stderr).error;
  assertEquals(details, { need_files: 1, have_files: 0 });
  const { quota_files, used_files } = await ann.json(["df"]);
  assertEquals([quota_files, used_files], [2, 2]);
  assertStringIncludes(await ann.ok(["whoami"]), "2 of 2 files used");
  assertStringIncludes(await admin.ok(["user", "list"]), "2 of 2");
  await admin.ok(["user", "quota", "ann", "--files", "none"]);
  await ann.ok(["put", "-", "c"], { stdin: "c" });
  await ann.ok(["rm", "c"]);

  const { users } = await admin.json(["user", "list"]);
  assertEquals([users.length, users[0].name, users[0].used_bytes], [1, "ann", 1_400_001]);
  assertStringIncludes(await admin.ok(["user", "list"]), "1.3 MiB");
  const shown = await admin.json(["user", "show", "ann"]);
  assertEquals([shown.disabled, shown.trash_bytes, shown.sessions], [false, 1, 1]);

  const codes = [];
  for (
    const args of [
      ["show", "eve"],
      ["quota", "eve", "--bytes", "1"],
      ["quota", "ann"],
      ["quota", "ann", "--files", "many"],
      ["add", "ann", "--password-stdin"],
      ["add", "Ann", "--password-stdin"],
      ["remove", "ann"],
    ]
  ) codes.push((await admin.run(["user", ...args], { stdin: `${PASSWORD}\n` })).code);
  assertEquals(codes, [3, 3, 2, 2, 8, 2, 2]);
  const short = await admin.run(["user", "add", "bob", "--password-stdin"], { stdin: "1234567\n" });
  assertEquals(short.code, 2);
  assertEquals((await admin.run(["user", "list", "--data", "/nowhere"])).code, 3);
});

Deno.test("disabling an account closes its connections at once", async () => {
  await using stack = new AsyncDisposableStack();
  const { world, admin, ann } = await setUp(stack);
  const process = await openConnection(world, ann);
  // One more, which waits for a stdin that says nothing.
  const silent = ann.spawn(["put", "-", "silent"], { stdin: "" });
  const parts = join(world.data, "parts");
  await until(() => [...Deno.readDirSync(parts)].length > 1, "the second upload to begin");
  assertEquals((await admin.json(["user", "disable", "ann"])).disabled, true);
  const startedMs = performance.now();
  const { code, stderr } = await endOf(process);
  assertEquals(code, 4, stderr);
  assertStringIncludes(stderr, "The session has ended");
  // It should take one second; a busy machine may need longer.
  assertLess(performance.now() - startedMs, 20_000);

  const ended = await Promise.all([silent.status, silent.stdout.cancel(), silent.stderr.cancel()]);
  assertEquals(ended[0].code, 4);
  await silent.stdin.abort().catch(() => {});
  assertEquals((await ann.run(["ls"])).code, 4);
  const refused = await ann.run(["login", "ann", "--password-stdin"], { stdin: `${PASSWORD}\n` });
  assertEquals(refused.code, 4);
  await admin.ok(["user", "enable", "ann"]);
  // The session of before has ended for good.
  assertEquals((await ann.run(["ls"])).code, 4);
});

Deno.test("ending a session ends one, and a new password ends all", async () => {
  await using stack = new AsyncDisposableStack();
  const { world, server, admin, ann } = await setUp(stack);
  const elsewhere = await world.person("ann-elsewhere", server);
  const { sessions: [first] } = await admin.json(["session", "list"]);
  await login(elsewhere);
  assertEquals((await admin.json(["session", "list", "--user", "ann"])).sessions.length, 2);
  assertEquals(await admin.json(["session", "end", first.id]), {
    ended: [{ id: first.id, user: "ann" }],
  });
  assertEquals((await ann.run(["ls"])).code, 4);
  await elsewhere.ok(["ls"]);
  assertEquals((await admin.run(["session", "end", first.id])).code, 3);
  assertEquals((await admin.run(["session", "end"])).code, 2);
  assertEquals((await admin.run(["session", "list", "--user", "eve"])).code, 3);

  const process = await openConnection(world, elsewhere);
  const file = admin.path("password.txt");
  await Deno.writeTextFile(file, `${OTHER_PASSWORD}\n`);
  await admin.ok(["user", "passwd", "ann", "--password-file", file]);
  assertEquals((await endOf(process)).code, 4);
  assertEquals((await admin.json(["session", "list"])).sessions, []);
  await login(ann, OTHER_PASSWORD);
  await ann.ok(["ls"]);
  const { ended } = await admin.json(["session", "end", "--user", "ann"]);
  assertEquals(ended.length, 1);
  assertEquals((await ann.run(["ls"])).code, 4);
});

Deno.test("removing an account takes everything of it, whether a server runs or not", async () => {
  await using stack = new AsyncDisposableStack();
  const { world, server, admin, ann } = await setUp(stack);
  await ann.ok(["put", "-", "secret"], { stdin: "secret" });
  await ann.ok(["put", "-", "old"], { stdin: "old" });
  await ann.ok(["rm", "old"]);
  const process = await openConnection(world, ann);
  const removed = await admin.json(["user", "remove", "ann", "--yes"]);
  assertEquals(removed, { user: "ann", home_kept: false, uploads: 1 });
  assertEquals((await endOf(process)).code, 4);
  for (const folder of ["homes", "trash", "parts"]) {
    assertEquals([...Deno.readDirSync(join(world.data, folder))], [], folder);
  }
  assertEquals((await admin.json(["user", "list"])).users, []);

  // A later account of the name finds nothing.
  const add = ["user", "add", "ann", "--password-stdin"];
  await admin.ok(add, { stdin: `${PASSWORD}\n` });
  await login(ann);
  assertEquals(await ann.ok(["ls"]), "");
  await ann.ok(["put", "-", "kept"], { stdin: "kept" });

  await server.stop();
  assertEquals((await admin.json(["user", "remove", "ann", "--keep-home", "-y"])).home_kept, true);
  assert(Deno.statSync(join(world.data, "homes", "ann", "kept")).isFile);
  assertEquals((await admin.run(["user", "show", "ann"])).code, 3);
});
