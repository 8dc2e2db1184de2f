import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { sha256Of, until, World, writeNoise } from "./testing.ts";

const MIB = 1024 * 1024;

Deno.test("trivetd scrub finds a flipped byte beside a server, and goes on after Ctrl-C", async () => {
  await using world = await World.create();
  const server = await world.serve();
  const ada = await world.person("ada", server);
  await ada.register("ada");
  writeNoise(ada.path("f"), 2 * MIB);
  await ada.ok(["put", "f"]);
  const admin = world.administrator();
  assertEquals(await admin.json(["scrub"]), {
    round: 1,
    resumed: false,
    damage: [],
    ...{ verified: 0, recorded: 1, skipped: 0, changed: 0, read_bytes: 2 * MIB },
  });

  const stored = `${world.data}/homes/ada/f`;
  const before = await sha256Of(stored);
  const { mtime } = await Deno.stat(stored);
  const bytes = await Deno.readFile(stored);
  bytes[MIB] = (bytes[MIB] ?? 0) ^ 1;
  await Deno.writeFile(stored, bytes);
  await Deno.utime(stored, mtime ?? 0, mtime ?? 0);

  const process = admin.spawn(["scrub", "--rate", "1K"]);
  const output = process.output();
  await until(() => countRounds(world) === 2, "the round to begin");
  process.kill("SIGINT");
  assertEquals((await output).code, 130);

  const { code, stdout } = await admin.run(["--json", "scrub"]);
  assertEquals(code, 6);
  const { round, resumed, damage } = JSON.parse(stdout);
  assertEquals({ round, resumed }, { round: 2, resumed: true });
  const detail = `SHA-256 was ${before} and is ${await sha256Of(stored)}`;
  assertEquals(damage, [{ kind: "damaged", user: "ada", where: "homes/ada/f", detail }]);
  const text = await admin.run(["scrub"]);
  assert(text.stdout.startsWith(`damaged  homes/ada/f: ${detail}\n1 damaged`), text.stdout);

  // A new upload is a new file.
  await ada.ok(["put", "f"]);
  assertEquals((await admin.json(["scrub"])).recorded, 1);
});

/** The number of the last round. */
function countRounds(world: World): number {
  const db = new DatabaseSync(`${world.data}/trivet.db`, { readOnly: true });
  try {
    return Number(db.prepare("SELECT max(number) AS n FROM scrub_rounds").get()?.["n"]);
  } finally {
    db.close();
  }
}
