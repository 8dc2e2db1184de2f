import { assertEquals } from "@std/assert";
import { onSteadyPort } from "../testing/steady_port.ts";
import { until, World, writeNoise } from "./testing.ts";

const MIB = 1024 * 1024;

Deno.test("a server removes old trash and partial uploads at its start, unless told not to", async () => {
  await using world = await World.create();
  const server = await world.serve(onSteadyPort());
  const ada = await world.person("ada", server);
  await ada.register("ada");
  await ada.ok(["put", "-", "gone"], { stdin: "text" });
  await ada.ok(["rm", "gone"]);
  writeNoise(ada.path("big"), 16 * MIB);
  const put = ada.spawn(["put", "big", "--limit-rate", "4M"]);
  const output = put.output();
  await until(
    async () => (await Array.fromAsync(Deno.readDir(`${world.data}/parts`))).length > 0,
    "a part",
  );
  put.kill("SIGKILL");
  await output;
  await server.stop();

  const port = ["--port", String(server.port)];
  const keeping = await world.serve([...port, "--keep-partials", "0", "--keep-trash", "0"]);
  const df = () => ada.json(["df"]);
  const before = await df();
  assertEquals([before.trash_bytes, before.partial_bytes], [4, 16 * MIB]);
  await keeping.stop();

  await world.serve([...port, "--keep-partials", "1ms", "--keep-trash", "1ms"]);
  await until(async () => (await df()).used_bytes === 0, "both to be gone");
  assertEquals(await Array.fromAsync(Deno.readDir(`${world.data}/parts`)), []);
  assertEquals(await Array.fromAsync(Deno.readDir(`${world.data}/trash/ada`)), []);
});
