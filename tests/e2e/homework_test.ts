/** What netdisk tutorials set as homework, row by row, with the programs as they are started. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { atTerminal, HAS_EXPECT } from "./at_terminal.ts";
import { TcpProxy } from "./tcp_proxy.ts";
import {
  PASSWORD,
  type Person,
  type ServerProcess,
  sha256Of,
  tokenOf,
  until,
  World,
  writeNoise,
} from "./testing.ts";

const MIB = 1024 * 1024;

/** One row: its words, and what shows that it is done. */
interface Row {
  readonly words: string;
  readonly ignore?: boolean;
  run(school: School): Promise<void>;
}

/** One server, and pupils who have an account. */
interface School {
  readonly world: World;
  readonly server: ServerProcess;
  readonly ada: Person;
  readonly eve: Person;
}

const ROWS: readonly Row[] = [
  { words: "several users at once", run: severalUsers },
  { words: "encrypted login", run: encryptedLogin },
  {
    words: "upload and download with proven equality and a progress bar" +
      (HAS_EXPECT ? "" : " (skipped: expect is not installed)"),
    ignore: !HAS_EXPECT,
    run: equalityAndProgress,
  },
  { words: "own home only", run: ownHomeOnly },
  { words: "quota for each user, different", run: differentQuotas },
  { words: "cd inside the home", run: cdInside },
  { words: "list, new folder", run: listAndNewFolder },
  { words: "delete file and empty folder", run: deleteFileAndFolder },
  { words: "resume both ways", run: resumeBothWays },
];

Deno.test("the tutorials' homework", async (test) => {
  await using world = await World.create();
  const server = await world.serve();
  const [ada, eve] = await Promise.all(["ada", "eve"].map(async (name) => {
    const person = await world.person(name, server);
    await person.register(name);
    return person;
  }));
  assert(ada !== undefined && eve !== undefined);
  for (const { words, ignore = false, run } of ROWS) {
    const fn = () => run({ world, server, ada, eve });
    await test.step({ name: words, ignore, fn });
  }
});

/** Everybody moves a file both ways in the same moment. */
async function severalUsers({ world, server, ada, eve }: School): Promise<void> {
  const others = await Promise.all(["bob", "cyd"].map(async (name) => {
    const person = await world.person(name, server);
    await person.register(name);
    return person;
  }));
  const people = [ada, eve, ...others];
  for (const [seed, person] of people.entries()) {
    writeNoise(person.path("mine.bin"), 8 * MIB, seed + 1);
  }
  await Promise.all(people.map((person) => person.ok(["put", "mine.bin"])));
  await Promise.all(people.map((person) => person.ok(["get", "mine.bin", "back.bin"])));
  const sums = await Promise.all(people.map((person) => sha256Of(person.path("back.bin"))));
  assertEquals(
    sums,
    await Promise.all(people.map((person) => sha256Of(person.path("mine.bin")))),
  );
  assertEquals(new Set(sums).size, people.length);
}

/** Nothing secret in what passes: nothing readable at all with TLS, no password without. */
async function encryptedLogin({ server, eve }: School): Promise<void> {
  const password = new TextEncoder().encode(PASSWORD);
  const forms = [
    PASSWORD,
    password.toBase64(),
    password.toHex(),
    new Uint8Array(await crypto.subtle.digest("SHA-256", password)).toHex(),
  ];
  const passed = await loginThrough(server, eve);
  const secrets = [...forms, '"eve"', "SCRAM-SHA-256", await tokenOf(eve)];
  for (const secret of secrets) assert(!passed.includes(secret), secret);
  assert(passed.length > 1000);

  await using world = await World.create();
  const plain = await world.serve(["--plain"]);
  const bob = await world.person("bob", plain);
  await bob.register("bob");
  const seen = await loginThrough(plain, bob);
  assert(seen.includes("SCRAM-SHA-256") && seen.includes("bob"));
  for (const form of forms) assert(!seen.includes(form), form);
}

/** Logs in through a proxy; all that passed in either direction, one character a byte. */
async function loginThrough(server: ServerProcess, person: Person): Promise<string> {
  let passed = "";
  const decoder = new TextDecoder("latin1");
  await using proxy = new TcpProxy(server.port, (bytes) => passed += decoder.decode(bytes));
  const user = person.home.split("/").at(-1) ?? "";
  await person.ok(["login", user, "--password-stdin"], {
    stdin: `${PASSWORD}\n`,
    env: { TRIVET_SERVER: proxy.address },
  });
  return passed;
}

/** The bar is seen to move, and the bytes are compared by a digest that Trivet does not use. */
async function equalityAndProgress({ world, ada }: School): Promise<void> {
  writeNoise(ada.path("film.bin"), 24 * MIB, 7);
  const wanted = await sha256Of(ada.path("film.bin"));
  const transfers = [["put", "film.bin"], ["get", "film.bin", "copy.bin"]];
  for (const args of transfers) {
    const { screen, code } = await atTerminal(ada, [...args, "--limit-rate", "12M"], []);
    assertEquals(code, 0, screen);
    const percents = [...screen.matchAll(/ (\d+)%/g)].map(([, percent]) => Number(percent));
    assert(new Set(percents).size >= 4, screen);
    assertEquals(percents, percents.toSorted((a, b) => a - b), screen);
    assertMatch(screen, /\[#+-*\]/);
  }
  assertEquals(await sha256Of(`${world.data}/homes/ada/film.bin`), wanted);
  assertEquals(await sha256Of(ada.path("copy.bin")), wanted);
}

/** Neither names nor links lead anywhere else. */
async function ownHomeOnly({ world, ada, eve }: School): Promise<void> {
  await eve.ok(["put", "-", "diary.txt"], { stdin: "eve's own\n" });
  assert(!(await ada.ok(["ls"])).includes("diary.txt"));
  assertEquals((await ada.run(["cat", "diary.txt"])).code, 3);
  for (const path of ["../eve/diary.txt", "/../eve/diary.txt", "a/../../eve/diary.txt"]) {
    for (const args of [["cat", path], ["ls", path], ["rm", path], ["mv", path, "x"]]) {
      const { code, stderr } = await ada.run(args);
      assertEquals(code, 2, `${args.join(" ")}: ${stderr}`);
    }
    assertEquals((await ada.run(["put", "-", path], { stdin: "x" })).code, 2);
  }
  // Only somebody at the server can make a link; it leads nowhere.
  await Deno.symlink("../eve", `${world.data}/homes/ada/link`);
  assertEquals((await ada.run(["cat", "link/diary.txt"])).code, 4);
  await Deno.remove(`${world.data}/homes/ada/link`);
  assertEquals(await eve.ok(["cat", "diary.txt"]), "eve's own\n");
}

/** The administrator gives each account its own, beside the running server. */
async function differentQuotas(_: School): Promise<void> {
  await using world = await World.create();
  const quotas = [["small", MIB], ["large", 4 * MIB]] as const;
  const server = await world.serve();
  for (const [name, quota] of quotas) {
    const person = await world.person(name, server);
    await person.register(name);
    await world.administrator().ok(["user", "quota", name, "--bytes", String(quota)]);
    assertEquals((await person.json(["whoami"])).quota_bytes, quota);
    writeNoise(person.path("fits.bin"), quota, 3);
    writeNoise(person.path("too-large.bin"), quota + 1, 3);
    const { code, stderr } = await person.run(["--json", "put", "too-large.bin"]);
    assertEquals(code, 7, stderr);
    const { details } = JSON.parse(stderr.trim().split("\n").at(-1) ?? "").error;
    assertEquals([details.need_bytes, details.have_bytes], [quota + 1, quota]);
    await person.ok(["put", "fits.bin"]);
    assertEquals((await person.json(["whoami"])).used_bytes, quota);
  }
}

/** A script for the shell; at the root, `..` leads nowhere else. */
async function cdInside({ ada }: School): Promise<void> {
  const lines = ["mkdir inside", "cd inside", "pwd", "cd ../..", "pwd", "rmdir inside"];
  assertEquals(await ada.ok([], { stdin: `${lines.join("\n")}\n` }), "/inside\n/\n");
}

async function listAndNewFolder({ ada }: School): Promise<void> {
  await ada.ok(["mkdir", "papers"]);
  await ada.ok(["mkdir", "-p", "papers/2026/drafts"]);
  await ada.ok(["put", "-", "papers/a.txt"], { stdin: "hello" });
  const [{ entries }] = (await ada.json(["ls", "papers"])).listings;
  assertEquals(
    entries.map(({ name, type }: { name: string; type: string }) => [name, type]),
    [["2026", "folder"], ["a.txt", "file"]],
  );
  assertMatch(await ada.ok(["ls", "-l", "papers"]), /^d.* 2026\/?\n-rw.* 5 .*a\.txt\n$/);
  assertEquals((await ada.run(["mkdir", "papers"])).code, 8);
}

async function deleteFileAndFolder({ ada }: School): Promise<void> {
  await ada.ok(["mkdir", "-p", "old/empty"]);
  await ada.ok(["put", "-", "old/a.txt"], { stdin: "hello" });
  assertEquals((await ada.run(["rmdir", "old"])).code, 8);
  await ada.ok(["rmdir", "old/empty"]);
  await ada.ok(["rm", "old/a.txt"]);
  assertEquals(await ada.ok(["ls", "old"]), "");
  await ada.ok(["rmdir", "old"]);
  assertEquals((await ada.run(["ls", "old"])).code, 3);
}

/** Killed in the middle, either transfer goes on from where it was. */
async function resumeBothWays({ world, ada }: School): Promise<void> {
  const size = 16 * MIB;
  writeNoise(ada.path("long.bin"), size, 11);
  const ways = [
    { args: ["put", "long.bin"], partialBytes: () => bytesIn(`${world.data}/parts`) },
    {
      args: ["get", "long.bin", "again.bin"],
      partialBytes: () => bytesOf(ada.path(".again.bin.trivet-part")),
    },
  ];
  for (const { args, partialBytes } of ways) {
    const process = ada.spawn([...args, "--limit-rate", "16M"]);
    const output = process.output();
    await until(async () => await partialBytes() >= size / 2, "half of the file");
    process.kill("SIGKILL");
    await output;
    const done = await ada.json(args);
    assert(done.resumed_at_bytes > 0, JSON.stringify(done));
    assert((done.sent_bytes ?? done.received_bytes) < size, JSON.stringify(done));
  }
  const wanted = await sha256Of(ada.path("long.bin"));
  assertEquals(await sha256Of(`${world.data}/homes/ada/long.bin`), wanted);
  assertEquals(await sha256Of(ada.path("again.bin")), wanted);
}

async function bytesIn(folder: string): Promise<number> {
  let sum = 0;
  for await (const { name } of Deno.readDir(folder)) sum += await bytesOf(`${folder}/${name}`);
  return sum;
}

async function bytesOf(path: string): Promise<number> {
  return (await Deno.stat(path).catch(() => ({ size: 0 }))).size;
}
