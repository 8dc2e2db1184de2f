import { assert, assertEquals, assertLess } from "@std/assert";
import { FROM_SOURCE, memoryOf, type ServerProcess, World } from "./testing.ts";

const MIB = 1024 * 1024;
const IDLE_CONNECTIONS = 2000;

async function connect(server: ServerProcess): Promise<Deno.TcpConn> {
  return await Deno.connect({ hostname: "127.0.0.1", port: server.port });
}

async function isClosed(conn: Deno.Conn): Promise<boolean> {
  const buffer = new Uint8Array(4096);
  try {
    while (await conn.read(buffer) !== null);
  } catch {
    // A reset is an end too.
  }
  return true;
}

Deno.test({
  name: "strangers of every kind are cut at their limit while a user is served, memory stays flat",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using world = await World.create(FROM_SOURCE);
    const server = await world.serve();
    const ada = await world.person("ada", server);
    await ada.register("ada");
    const beforeBytes = await memoryOf(server.pid, "VmRSS");
    const strangers: Deno.TcpConn[] = [];
    const ends: Promise<boolean>[] = [];
    const startedMs = performance.now();
    try {
      for (let i = 0; i < IDLE_CONNECTIONS; i++) {
        const conn = await connect(server);
        strangers.push(conn);
        ends.push(isClosed(conn));
      }
      // 4 GiB announced inside garbage that is no TLS, and a drip of one byte a second.
      const greedy = await connect(server);
      strangers.push(greedy);
      await greedy.write(new Uint8Array([0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0]));
      ends.push(isClosed(greedy));
      const dripping = await connect(server);
      strangers.push(dripping);
      const drip = setInterval(() => dripping.write(Uint8Array.of(0x16)).catch(() => {}), 1000);
      ends.push(isClosed(dripping).finally(() => clearInterval(drip)));

      assertEquals((await ada.json(["whoami"])).user, "ada");
      const grownBytes = await memoryOf(server.pid, "VmRSS") - beforeBytes;
      assertLess(grownBytes, 200 * MIB);

      assertEquals((await Promise.all(ends)).length, IDLE_CONNECTIONS + 2);
      // The deadline is 10 s from accept; a busy machine may need longer to say so.
      assertLess(performance.now() - startedMs, 120_000);
      assert((await ada.run(["whoami"])).code === 0);
    } finally {
      for (const conn of strangers) conn.close();
    }
  },
});

Deno.test({
  name: "a crowd that comes again and again does not make the server grow",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using world = await World.create(FROM_SOURCE);
    const server = await world.serve(["--plain"]);
    const header = new Uint8Array([0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0]);
    const visit = async () => {
      await Promise.all(Array.from({ length: 100 }, async () => {
        using conn = await connect(server);
        await conn.write(header);
        await isClosed(conn);
      }));
    };
    for (let i = 0; i < 10; i++) await visit();
    const beforeBytes = await memoryOf(server.pid, "VmRSS");
    for (let i = 0; i < 30; i++) await visit();
    assertLess(await memoryOf(server.pid, "VmRSS") - beforeBytes, 32 * MIB);
  },
});
