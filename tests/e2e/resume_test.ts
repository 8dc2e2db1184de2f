import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { chosenSeed } from "../testing/seed.ts";
import { sized } from "../testing/long.ts";
import { onSteadyPort } from "../testing/steady_port.ts";
import { type Person, type ServerProcess, sha256Of, until, World, writeNoise } from "./testing.ts";

const MIB = 1024 * 1024;

/** Kill cycles in all: half of them hit the client, half the server. */
const KILL_CYCLES = sized(20, 40);

async function partialBytes(world: World): Promise<number> {
  let sum = 0;
  for await (const { name } of Deno.readDir(`${world.data}/parts`)) {
    sum += (await Deno.stat(`${world.data}/parts/${name}`)).size;
  }
  return sum;
}

async function only(folder: string, ending: string): Promise<string> {
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name)
    .filter((name) => name.endsWith(ending));
  assertEquals(names.length, 1, names.join(" "));
  return `${folder}/${names[0]}`;
}

async function overwriteAt(file: string, offset: number, bytes: number[]): Promise<void> {
  using open = await Deno.open(file, { write: true });
  await open.seek(offset, Deno.SeekMode.Start);
  await open.write(Uint8Array.from(bytes));
}

/** Begins a transfer at a slow rate and kills it once `isFar` holds. */
async function beginAndKill(
  person: Person,
  args: string[],
  isFar: () => Promise<boolean>,
): Promise<void> {
  const process = person.spawn([...args, "--limit-rate", "16M"]);
  const output = process.output();
  await until(isFar, "some progress");
  process.kill("SIGKILL");
  await output;
}

Deno.test("kill -9 of either side at random moments: every file arrives whole in the end", async () => {
  await using world = await World.create();
  const port = onSteadyPort();
  let server = await world.serve(port);
  const ada = await world.person("ada", server);
  await ada.register("ada");
  const seed = chosenSeed(1);
  const random = randomFrom(seed);
  writeNoise(ada.path("up.bin"), 12 * MIB, seed + 1);
  const expected = await sha256Of(ada.path("up.bin"));
  let cycle = 0;
  for (const direction of ["put", "get"] as const) {
    for (let resumed = 0; cycle < (direction === "put" ? KILL_CYCLES / 2 : KILL_CYCLES); cycle++) {
      const args = direction === "put" ? ["put", "up.bin", "f.bin"] : ["get", "f.bin", "down.bin"];
      const process = ada.spawn([...args, "--json", "--limit-rate", "40M"]);
      const output = process.output();
      await new Promise((resolve) => setTimeout(resolve, 100 + random() * 500));
      if (cycle % 2 === 0) {
        killIfAlive(process);
        await output;
      } else {
        await server.stop("SIGKILL");
        server = await world.serve(port);
        killIfAlive(process);
        await output;
      }
      const target = direction === "put" ? `${world.data}/homes/ada/f.bin` : ada.path("down.bin");
      // Whatever stands under the final name is whole.
      const visible = await sha256Of(target).catch(() => expected);
      assertEquals(visible, expected, `cycle ${cycle}`);
      if (cycle % 5 === 4) {
        const done = await ada.json(args);
        assertEquals(await sha256Of(target), expected, `cycle ${cycle}`);
        if (done.resumed_at_bytes > 0) resumed += 1;
        if (direction === "put") await Deno.remove(target);
        else await Deno.remove(target);
        if (direction === "put" && cycle === KILL_CYCLES / 2 - 1) await ada.json(args);
      }
    }
  }
});

function killIfAlive(process: Deno.ChildProcess): void {
  try {
    process.kill("SIGKILL");
  } catch {
    // It was done already.
  }
}

function randomFrom(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

Deno.test("put of a source that changed after the interruption arrives as the new content", async () => {
  await using world = await World.create();
  const server = await world.serve();
  const ada = await world.person("ada", server);
  await ada.register("ada");
  writeNoise(ada.path("a.bin"), 16 * MIB);
  const far = async () => await partialBytes(world) >= 10 * MIB;
  await beginAndKill(ada, ["put", "a.bin"], far);
  await overwriteAt(ada.path("a.bin"), 2 * MIB + 9, [1, 2, 3]);
  const put = await ada.json(["put", "a.bin"]);
  assert(put.verified_bytes > 0, JSON.stringify(put));
  assert(put.sent_bytes < 16 * MIB, JSON.stringify(put));
  assertEquals(await sha256Of(`${world.data}/homes/ada/a.bin`), await sha256Of(ada.path("a.bin")));

  // Shorter than what was sent already.
  writeNoise(ada.path("b.bin"), 16 * MIB, 5);
  await beginAndKill(ada, ["put", "b.bin"], far);
  writeNoise(ada.path("b.bin"), 3 * MIB + 1, 6);
  await ada.ok(["put", "b.bin"]);
  assertEquals(await sha256Of(`${world.data}/homes/ada/b.bin`), await sha256Of(ada.path("b.bin")));
  assertEquals((await ada.json(["whoami"])).used_bytes, 19 * MIB + 1);
});

Deno.test("put finds the damaged chunk of the server's partial and sends that chunk again", async () => {
  await using world = await World.create();
  const server = await world.serve();
  const ada = await world.person("ada", server);
  await ada.register("ada");
  writeNoise(ada.path("a.bin"), 24 * MIB);
  await beginAndKill(ada, ["put", "a.bin"], async () => await partialBytes(world) >= 17 * MIB);
  await overwriteAt(await only(`${world.data}/parts`, ""), 3 * MIB + 9, [1, 2, 3]);
  const put = await ada.json(["put", "a.bin"]);
  assert(put.verified_bytes >= 15 * MIB, JSON.stringify(put));
  assert(put.sent_bytes <= 9 * MIB, JSON.stringify(put));
  assertEquals(await sha256Of(`${world.data}/homes/ada/a.bin`), await sha256Of(ada.path("a.bin")));
});

async function uploadThenInterruptDownload(
  world: World,
): Promise<{ ada: Person; server: ServerProcess }> {
  const server = await world.serve();
  const ada = await world.person("ada", server);
  await ada.register("ada");
  writeNoise(ada.path("a.bin"), 24 * MIB);
  await ada.ok(["put", "a.bin"]);
  const isFar = async () => {
    const { size } = await Deno.stat(ada.path(".copy.bin.trivet-part")).catch(() => ({ size: 0 }));
    return size >= 12 * MIB;
  };
  await beginAndKill(ada, ["get", "a.bin", "copy.bin"], isFar);
  return { ada, server };
}

Deno.test("get finds the damaged chunk of its own partial and fetches that chunk again", async () => {
  await using world = await World.create();
  const { ada } = await uploadThenInterruptDownload(world);
  await overwriteAt(ada.path(".copy.bin.trivet-part"), 3 * MIB + 9, [1, 2, 3]);
  const got = await ada.json(["get", "a.bin", "copy.bin"]);
  assert(got.verified_bytes >= 8 * MIB, JSON.stringify(got));
  assert(got.received_bytes <= 16 * MIB, JSON.stringify(got));
  assertEquals(await sha256Of(ada.path("copy.bin")), await sha256Of(ada.path("a.bin")));
});

Deno.test("get of a file that changed after the interruption arrives as the new content", async () => {
  await using world = await World.create();
  const { ada } = await uploadThenInterruptDownload(world);
  const before = await sha256Of(ada.path("a.bin"));
  writeNoise(ada.path("a.bin"), 24 * MIB, 7);
  await ada.ok(["put", "a.bin"]);
  await ada.ok(["get", "a.bin", "copy.bin"]);
  assertEquals(await sha256Of(ada.path("copy.bin")), await sha256Of(ada.path("a.bin")));
  assertNotEquals(await sha256Of(ada.path("copy.bin")), before);
  const left = (await Array.fromAsync(Deno.readDir(ada.home))).map(({ name }) => name)
    .filter((name) => name.includes("trivet-part"));
  assertEquals(left, []);
});
