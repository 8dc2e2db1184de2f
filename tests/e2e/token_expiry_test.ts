import { assert, assertEquals } from "@std/assert";
import { NetdiskClient } from "../../client/netdisk.ts";
import { until, World, writeNoise } from "./testing.ts";

const MIB = 1024 * 1024;

Deno.test("a token that ends takes open connections and a running upload along", async () => {
  await using world = await World.create();
  const server = await world.serve(["--plain"]);
  const ada = await world.person("ada", server);
  await ada.register("ada");
  writeNoise(ada.path("big"), 8 * MIB);
  const { token, expires_ms } = await ada.json(["token", "create", "--expires", "3s"]);

  const address = `127.0.0.1:${server.port}`;
  await using client = await NetdiskClient.connect({
    server: address,
    plain: true,
    credentials: { token },
  });
  // Half a minute at this rate, were it not ended.
  const env = { TRIVET_TOKEN: token };
  const put = ada.spawn(["put", "big", "--limit-rate", "256K"], { env });
  const output = put.output();
  await client.whoami();
  assert(Date.now() < expires_ms, "The machine is too slow for this token");

  // A connection that is opened anew is refused; one that stayed open would go on answering.
  let code: string | undefined;
  await until(async () => {
    code = await client.whoami().then(() => undefined, (error) => error.code);
    return code !== undefined;
  }, "the token to end");
  assertEquals(code, "TOKEN_INVALID");
  assert(Date.now() >= expires_ms, "It ended before its time");
  const { code: exit, stderr } = await output;
  assertEquals(exit, 4, new TextDecoder().decode(stderr));
  assertEquals(await ada.ok(["ls"]), "");
});
