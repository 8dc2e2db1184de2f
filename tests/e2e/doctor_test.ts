import { assert, assertEquals, assertMatch } from "@std/assert";
import { TcpProxy } from "./tcp_proxy.ts";
import { World } from "./testing.ts";

Deno.test("doctor measures both machines and the link, and leaves nothing behind", async () => {
  await using world = await World.create();
  const server = await world.serve();
  const ada = await world.person("ada", server);
  await ada.register("ada");
  const { stdout } = await ada.run(["doctor", "--time", "100ms", ada.home]);
  assertMatch(stdout, /^A request and its answer: \d+\.\d ms\nLink: up .+\/s, down .+\/s\n/);
  assertMatch(stdout, /\nUploads are limited by .+, to .+\/s: .+\nDownloads are limited by .+\n$/);
  const report = await ada.json(["doctor", "--time", "100ms", ada.home]);
  assertEquals(report.encrypted, true);
  for (const side of [report.client, report.server]) {
    for (const [what, speed] of Object.entries(side)) assert(Number(speed) > 1e6, what);
  }
  assertEquals((await ada.json(["df"])).used_bytes, 0);
  const left = [...Deno.readDirSync(ada.home)].filter(({ name }) => name.includes("doctor"));
  assertEquals(left, []);
  assertEquals([...Deno.readDirSync(`${world.data}/parts`)], []);
});

Deno.test("doctor names a slow link, and says why it cannot measure", async () => {
  await using world = await World.create();
  const server = await world.serve(["--plain"]);
  const ada = await world.person("ada", server);
  await ada.register("ada");
  await using proxy = new TcpProxy(Number(server.address.split(":").at(-1)), () => holdUp(1));
  const { token } = await ada.json(["token", "create", "--scope", "write"]);
  const env = { TRIVET_SERVER: proxy.address, TRIVET_TOKEN: token };
  const report = await ada.json(["doctor", "--time", "200ms", ada.home], { env });
  assertEquals([report.upload.limit, report.download.limit], ["link", "link"]);
  for (const [time, code] of [["9ms", 2], ["3001ms", 2]] as const) {
    assertEquals((await ada.run(["doctor", "--time", time])).code, code);
  }
  assertEquals((await ada.run(["doctor", `${ada.home}/none`])).code, 3);
  const reader = await ada.json(["token", "create", "--scope", "read"]);
  const refused = await ada.run(["doctor", ada.home], { env: { TRIVET_TOKEN: reader.token } });
  assertEquals(refused.code, 4);
  assertMatch(refused.stderr, /may only read/);
});

/** Stands still, and with it the proxy, for each piece that it passes on. */
function holdUp(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs) { /* waits */ }
}
