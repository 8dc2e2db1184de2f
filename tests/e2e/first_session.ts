/**
 * What a new user does first, as steps that run with any build of the programs.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { PASSWORD, type Programs, sha256Of, until, World, writeNoise } from "./testing.ts";

const MIB = 1024 * 1024;

/** Registers, uploads, interrupts, resumes, lists, downloads elsewhere and logs out. */
export async function firstSession(programs: Programs): Promise<void> {
  await using world = await World.create(programs);
  const server = await world.serve();
  const ada = await world.person("ada", server);
  await ada.registerByCommands("ada");
  const who = await ada.json(["whoami"]);
  assertEquals(who.user, "ada");

  writeNoise(ada.path("big.iso"), 40 * MIB);
  const interrupted = ada.spawn(["put", "big.iso", "--limit-rate", "4M"]);
  const decoder = new TextDecoder();
  const partBytes = () =>
    [...Deno.readDirSync(`${world.data}/parts`)]
      .reduce((sum, { name }) => sum + Deno.statSync(`${world.data}/parts/${name}`).size, 0);
  await until(() => partBytes() > 4 * MIB, "some progress");
  interrupted.kill("SIGINT");
  const first = await interrupted.output();
  assertEquals(first.code, 130);
  assertStringIncludes(decoder.decode(first.stderr), "trivet put big.iso");
  assertEquals(await ada.ok(["ls"]), "");

  const put = await ada.json(["put", "big.iso"]);
  assert(put.resumed_at_bytes > 0 && put.resumed_at_bytes < 40 * MIB, JSON.stringify(put));
  assertEquals(put.sent_bytes + put.verified_bytes, 40 * MIB);
  assertMatch(
    await ada.ok(["ls", "-l"]),
    /^-rw-\S* +41943040 +\d{4}-\d\d-\d\d \d\d:\d\d +big\.iso$/m,
  );

  const elsewhere = await world.person("elsewhere", server);
  await elsewhere.ok(["login", "ada", "--password-stdin"], { stdin: `${PASSWORD}\n` });
  await elsewhere.ok(["get", "big.iso", "copy.iso"]);
  assertEquals(await sha256Of(elsewhere.path("copy.iso")), await sha256Of(ada.path("big.iso")));
  const mtimeOf = async (path: string) => (await Deno.stat(path)).mtime?.getTime();
  assertEquals(await mtimeOf(elsewhere.path("copy.iso")), await mtimeOf(ada.path("big.iso")));

  await ada.ok(["mkdir", "-p", "papers/2026"]);
  await ada.ok(["put", "-", "papers/2026/note.txt"], { stdin: "hello\n" });
  assertEquals(await ada.ok(["cat", "papers/2026/note.txt"]), "hello\n");
  const stat = await ada.json(["stat", "papers/2026/note.txt"]);
  assertEquals([stat.type, stat.size_bytes], ["file", 6]);

  await ada.ok(["logout"]);
  const refused = await ada.run(["whoami"]);
  assertEquals(refused.code, 4);
  const { code, stderr } = await server.stop();
  assertEquals(code, 0, stderr);
}
