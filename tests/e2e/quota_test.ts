/**
 * The quota under uploads that run at the same time, with real programs.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { World, writeNoise } from "./testing.ts";

const SIZE = 40_000_000;
const QUOTA = 45_000_000;

Deno.test("of three uploads at once that do not fit together, exactly one succeeds", async () => {
  await using world = await World.create();
  const server = await world.serve(["netdisk", "--default-quota", String(QUOTA)]);
  const ada = await world.person("ada", server);
  await ada.register("ada");
  const names = ["a", "b", "c"];
  for (const name of names) await writeNoise(ada.path(name), SIZE);

  const runs = await Promise.all(
    names.map((name) => ada.run(["put", ada.path(name), name, "--json"])),
  );
  assertEquals(runs.map(({ code }) => code).sort(), [0, 7, 7], JSON.stringify(runs));
  for (const { code, stderr } of runs) {
    if (code === 0) continue;
    const { error } = JSON.parse(stderr);
    assertEquals([error.code, error.retry], ["QUOTA_EXCEEDED", false]);
    assertEquals(error.details.need_bytes, SIZE);
    assert(error.details.have_bytes < SIZE, JSON.stringify(error));
  }
  const first = await ada.json(["df"]);
  assertEquals([first.used_bytes, first.partial_bytes], [SIZE, 0]);

  const [stored] = (await ada.json(["ls"])).listings[0].entries;
  await ada.ok(["rm", stored.name]);
  const another = names.find((name) => name !== stored.name) ?? "";
  assertEquals((await ada.run(["put", ada.path(another), another])).code, 7, "the trash counts");
  await ada.ok(["trash", "empty", "--yes"]);
  await ada.ok(["put", ada.path(another), another]);
  assertEquals((await ada.json(["df"])).used_bytes, SIZE);
});
