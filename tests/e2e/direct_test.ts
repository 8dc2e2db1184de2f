import { assert, assertEquals, assertLess } from "@std/assert";
import { TcpProxy } from "./tcp_proxy.ts";
import { sha256Of, World, writeNoise } from "./testing.ts";

const FILE_BYTES = 16 * 1024 * 1024;

/** Bytes that pass the server's main port, both ways, while a file is stored and fetched back. */
async function bytesOnMainPort(options: readonly string[]): Promise<number> {
  await using world = await World.create();
  const server = await world.serve(options);
  let passed = 0;
  await using proxy = new TcpProxy(server.port, (bytes) => passed += bytes.length);
  const { fingerprint } = server;
  const ada = await world.person("ada", { address: proxy.address, fingerprint });
  await ada.register("ada");
  writeNoise(ada.path("a.bin"), FILE_BYTES);
  await ada.ok(["put", "a.bin", "b.bin"]);
  await ada.ok(["get", "b.bin", "c.bin"]);
  assertEquals(await sha256Of(ada.path("c.bin")), await sha256Of(ada.path("a.bin")));
  return passed;
}

Deno.test("large transfers leave the main port to others", async () => {
  assertLess(await bytesOnMainPort([]), FILE_BYTES / 16);
});

Deno.test("serve --direct off keeps everything on the main port", async () => {
  const passed = await bytesOnMainPort(["--direct", "off"]);
  assert(passed > 2 * FILE_BYTES, `${passed} bytes`);
});
