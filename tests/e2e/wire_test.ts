import { assertEquals } from "@std/assert";
import { sha256Of, tokenOf, World, writeNoise } from "./testing.ts";

const MIB = 1024 * 1024;

/** A proxy that flips one bit each time this many bytes have passed, at most `flips` times. */
class FlippingProxy implements AsyncDisposable {
  readonly listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  flipped = 0;
  readonly #target: number;
  readonly #options: { everyBytes: number; flips: number };
  readonly #pumps: Promise<void>[] = [];
  #passed = 0;

  constructor(target: number, options: { everyBytes: number; flips: number }) {
    this.#target = target;
    this.#options = options;
    this.#pumps.push(this.#accept());
  }

  get address(): string {
    return `127.0.0.1:${this.listener.addr.port}`;
  }

  async #accept(): Promise<void> {
    for await (const client of this.listener) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
      this.#pumps.push(this.#pump(client, server), this.#pump(server, client));
    }
  }

  async #pump(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
        this.#damage(buffer.subarray(0, count));
        for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
      }
    } catch {
      // One side has gone; so goes the other.
    }
    for (const conn of [from, to]) {
      try {
        conn.close();
      } catch {
        // The pump of the other direction was faster.
      }
    }
  }

  #damage(bytes: Uint8Array): void {
    const { everyBytes, flips } = this.#options;
    const next = everyBytes * (this.flipped + 1);
    if (this.flipped < flips && this.#passed + bytes.length > next) {
      const at = Math.max(0, next - this.#passed);
      bytes[at] = (bytes[at] ?? 0) ^ 0x10;
      this.flipped += 1;
    }
    this.#passed += bytes.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.listener.close();
    await Promise.all(this.#pumps);
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
    await using proxy = new FlippingProxy(server.port, { everyBytes: 7 * MIB + 4321, flips: 3 });
    const env = { TRIVET_SERVER: proxy.address, TRIVET_TOKEN: token };
    const done = await ada.json(args, { env });
    assertEquals(proxy.flipped, 3);
    assertEquals(done.size_bytes, size);
  }
  assertEquals(await sha256Of(`${world.data}/homes/ada/b.bin`), original);
  assertEquals(await sha256Of(ada.path("c.bin")), original);
});
