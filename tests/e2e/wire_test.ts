import { assertEquals } from "@std/assert";
import { TcpProxy } from "./tcp_proxy.ts";
import { sha256Of, tokenOf, World, writeNoise } from "./testing.ts";

const MIB = 1024 * 1024;

/** Flips one bit each time this many bytes have passed, at most `flips` times. */
class Damage {
  flipped = 0;
  readonly #options: { everyBytes: number; flips: number };
  #passed = 0;

  constructor(options: { everyBytes: number; flips: number }) {
    this.#options = options;
  }

  apply(bytes: Uint8Array): void {
    const { everyBytes, flips } = this.#options;
    const next = everyBytes * (this.flipped + 1);
    if (this.flipped < flips && this.#passed + bytes.length > next) {
      const at = Math.max(0, next - this.#passed);
      bytes[at] = (bytes[at] ?? 0) ^ 0x10;
      this.flipped += 1;
    }
    this.#passed += bytes.length;
  }
}

Deno.test("bits that flip on the way are found, and the chunks move again", async () => {
  await using world = await World.create();
  const server = await world.serve(["--plain"]);
  const ada = await world.person("ada", server);
  await ada.register("ada");
  const size = 32 * MIB;
  writeNoise(ada.path("a.bin"), size);
  const original = await sha256Of(ada.path("a.bin"));
  const token = await tokenOf(ada);
  for (const args of [["put", "a.bin", "b.bin"], ["get", "b.bin", "c.bin"]]) {
    const damage = new Damage({ everyBytes: 7 * MIB + 4321, flips: 3 });
    await using proxy = new TcpProxy(server.port, (bytes) => damage.apply(bytes));
    const env = { TRIVET_SERVER: proxy.address, TRIVET_TOKEN: token };
    const done = await ada.json(args, { env });
    assertEquals(damage.flipped, 3);
    assertEquals(done.size_bytes, size);
  }
  assertEquals(await sha256Of(`${world.data}/homes/ada/b.bin`), original);
  assertEquals(await sha256Of(ada.path("c.bin")), original);
});
