import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { onSteadyPort } from "../testing/steady_port.ts";
import { World } from "./testing.ts";

Deno.test("trivetd check finds what is wrong beside a server, --repair sets it right after", async () => {
  await using world = await World.create();
  const server = await world.serve(onSteadyPort());
  const admin = world.administrator();
  const ada = await world.person("ada", server);
  await ada.register("ada");
  await ada.ok(["mkdir", "docs"]);
  await ada.ok(["put", "-", "docs/a"], { stdin: "text" });
  await ada.ok(["put", "-", "docs/b"], { stdin: "gone" });
  await ada.ok(["rm", "docs/b"]);
  const clean = await admin.json(["check"]);
  assertEquals(clean, {
    beside_server: true,
    accounts: 1,
    files: 1,
    size_bytes: 4,
    unjudged: [],
    findings: [],
    wrong: 0,
    repaired: 0,
  });

  await Deno.writeTextFile(join(world.data, "homes", "ada", "by-hand"), "12345");
  const live = await admin.run(["check", "--json"]);
  assertEquals(live.code, 6, live.stderr);
  const { findings, wrong } = JSON.parse(live.stdout);
  assertEquals(wrong, 1);
  assertEquals(findings[0], {
    kind: "quota",
    user: "ada",
    where: "homes/ada",
    detail: "8 bytes (files: 2) are counted; files, trash and uploads take 13 (files: 3)",
    counted_bytes: 8,
    real_bytes: 13,
    counted_files: 2,
    real_files: 3,
    repaired: false,
    repair: null,
  });
  const busy = await admin.run(["check", "--repair"]);
  assertEquals(busy.code, 5);
  assert(busy.stderr.includes("stop it"), busy.stderr);
  assertEquals((await ada.json(["df"])).used_bytes, 8);

  await server.stop();
  await Deno.writeTextFile(join(world.data, "parts", "orphan"), "part");
  const repair = await admin.ok(["check", "--repair"]);
  assert(repair.includes("2 wrong, 2 repaired (accounts: 1, files: 2"), repair);
  assert((await admin.ok(["check"])).startsWith("Nothing is wrong"));
  await world.serve(["--port", String(server.port)]);
  assertEquals((await ada.json(["df"])).used_bytes, 13);
  assertEquals(await ada.ok(["cat", "by-hand"]), "12345");
});

Deno.test("trivetd check says so when there is no such account or data folder", async () => {
  await using world = await World.create();
  const server = await world.serve();
  await (await world.person("ada", server)).register("ada");
  const admin = world.administrator();
  assertEquals((await admin.json(["check", "--user", "ada"])).accounts, 1);
  assertEquals((await admin.run(["check", "--user", "bob"])).code, 3);
  assertEquals((await admin.run(["check", "--data", join(world.folder, "none")])).code, 3);
});
